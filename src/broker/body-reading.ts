// What reads bodies by their headers is loaded when a broker is opened and not with the library: a program that only imports it, a
// browser's first of all, shall not carry it. Reading cannot wait, so it is there before the first message.
import { assert } from '../base/index.js'
import type { ReceivedBody } from './received-body.js'

let loaded: typeof ReceivedBody | undefined

/** To be awaited before messages are read. */
export async function loadBodyReading(): Promise<void> {
  loaded ??= (await import('./received-body.js')).ReceivedBody
}

export function bodyReading(): typeof ReceivedBody {
  assert(loaded !== undefined, 'loadBodyReading comes before the first message')
  return loaded
}
