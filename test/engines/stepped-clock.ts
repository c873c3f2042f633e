// A clock whose time a test moves, while what is deferred to the end of a turn happens by itself: engines go on working, and
// only what waits for time waits for the test.
import { VirtualClock } from '../../src/base/index.js'

export class SteppedClock extends VirtualClock {
  #isStopped = false

  override defer(callback: () => void): void {
    setImmediate(() => {
      if (!this.#isStopped) callback()
    })
  }

  override afterTurn(callback: () => void): void {
    queueMicrotask(() => {
      if (!this.#isStopped) callback()
    })
  }

  /** Nothing happens any more, as in a process that was killed. */
  stop(): void {
    this.#isStopped = true
  }
}
