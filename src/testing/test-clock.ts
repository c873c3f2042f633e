// The clock of a test broker: time stands still until the test moves it, while what is deferred to the end of a turn happens by
// itself. So a broker goes on working, and only what waits for time waits for the test.
import { systemClock, VirtualClock, type Timer } from '../base/index.js'

export class TestClock extends VirtualClock {
  #isStopped = false
  #activity = 0

  /** Grows with everything that is asked of the clock: as long as it grows, something is going on. */
  get activity(): number {
    return this.#activity
  }

  override startTimer(delayMs: number, callback: () => void): Timer {
    this.#activity += 1
    return super.startTimer(delayMs, callback)
  }

  override defer(callback: () => void): void {
    systemClock.defer(() => this.#run(callback))
  }

  override afterTurn(callback: () => void): void {
    systemClock.afterTurn(() => this.#run(callback))
  }

  /** Nothing that waits happens any more, as in a process that was killed. */
  stop(): void {
    this.#isStopped = true
  }

  #run(callback: () => void): void {
    if (this.#isStopped) return
    this.#activity += 1
    callback()
  }
}
