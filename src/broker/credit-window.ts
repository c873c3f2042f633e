// How many messages a member of a consumer asks for: those that its handlers work on, and some in advance so that they need not
// wait for the next. The advance begins at nothing, grows with each success, is never more than is worked off in a moment,
// and is gone after a failure or at a redelivery: a message that ends the process would otherwise cost those beside it an attempt.

const MOST_IN_ADVANCE = 256
/** What waits here should be worked off in this time; another member could have it sooner otherwise. */
const ADVANCE_MS = 50
/** Weight of the newest duration in the average. */
const NEWEST = 1 / 8

export class CreditWindow {
  readonly #concurrency: number
  #advance = 0
  #averageMs = 0

  constructor(concurrency: number) {
    this.#concurrency = concurrency
  }

  /** How many more to ask for when `held` are asked for or here. In portions, as each call costs the engine a look around. */
  wanted(held: number): number {
    const missing = this.#concurrency + this.#advance - held
    return missing > this.#advance / 2 ? missing : 0
  }

  succeeded(durationMs: number): void {
    this.#averageMs += (durationMs - this.#averageMs) * NEWEST
    const workedOff = (ADVANCE_MS * this.#concurrency) / Math.max(this.#averageMs, 0.01)
    this.#advance = Math.min(this.#advance + 1, MOST_IN_ADVANCE, Math.floor(workedOff))
  }

  /** A handler failed, or a message came for another time. */
  shrink(): void {
    this.#advance = 0
  }
}
