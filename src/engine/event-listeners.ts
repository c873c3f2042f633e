// Who is told what an engine has to tell. A listener that throws harms neither the engine nor the other listeners: the
// engine tells in the middle of a delivery, or of its own close.
import { reportOnConsole } from '../base/index.js'
import type { EngineEvent } from './engine-event.js'

export type EngineEventListener = (event: EngineEvent) => void

export class EventListeners {
  readonly #listeners: EngineEventListener[] = []

  add(listener: EngineEventListener): void {
    this.#listeners.push(listener)
  }

  report(event: EngineEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        reportOnConsole('INTERNAL', `a listener of engine events failed on ${event.type}`, error)
      }
    }
  }
}
