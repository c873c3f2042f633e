// What a broker needs but not every program that imports the library, a browser's first of all, is loaded when one is opened.
import { assert } from '../base/index.js'
import type * as parts from './loaded-parts.js'
import { provideReading } from './message-reading.js'

let loaded: typeof parts | undefined

/** To be awaited before a `Broker` is made by hand. */
export async function loadParts(): Promise<void> {
  loaded ??= await import('./loaded-parts.js')
  provideReading(loaded)
}

export function loadedParts(): typeof parts {
  assert(loaded !== undefined, 'loadParts comes before the first broker')
  return loaded
}
