// Places for the conformance suite inside this process.
import { EmbeddedEngine } from '../../src/embedded/index.js'
import type { Place } from '../conformance/stage.js'
import { SteppedClock } from './stepped-clock.js'

/** In memory: keeps nothing, and its time is moved by the cases. */
export async function openMemoryPlace(): Promise<Place> {
  const time = new SteppedClock()
  const engine = new EmbeddedEngine({ clock: time })
  return { engine, time, another: async () => engine, close: () => engine.close() }
}
