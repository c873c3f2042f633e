// Who is told what an engine has to tell. A listener that throws harms neither the engine nor the other listeners: the
// engine tells in the middle of a delivery, or of its own close.
import { reportOnConsole } from '../base/index.js'
import type { EngineEvent } from './engine-event.js'

export type EngineEventListener = (event: EngineEvent) => void

/** So many events wait for the first listener. */
const MOST_EARLY = 1_000

export class EventListeners {
  readonly #listeners: EngineEventListener[] = []
  /** What opening a directory finds is told before anybody can listen. */
  readonly #early: EngineEvent[] = []

  /** The first listener is told, within the call, what was told before. */
  add(listener: EngineEventListener): void {
    this.#listeners.push(listener)
    for (const event of this.#early.splice(0)) tell(listener, event)
  }

  report(event: EngineEvent): void {
    if (this.#listeners.length === 0) {
      if (this.#early.length < MOST_EARLY) this.#early.push(event)
      return
    }
    for (const listener of this.#listeners) tell(listener, event)
  }
}

function tell(listener: EngineEventListener, event: EngineEvent): void {
  try {
    listener(event)
  } catch (error) {
    reportOnConsole('INTERNAL', `a listener of engine events failed on ${event.type}`, error)
  }
}
