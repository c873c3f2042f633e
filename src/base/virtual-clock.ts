// A clock that stands still until it is advanced: what a test, or a simulation run from a seed, puts in the system
// clock's place. Timers fire in the order of their deadlines; those of one deadline in the order they were started.
import type { Clock, Timer } from './clock.js'
import { DeadlineHeap, type Deadline } from './deadline-heap.js'

export class VirtualClock implements Clock {
  #nowMs: number
  readonly #startedAtMs: number
  readonly #timers = new DeadlineHeap<() => void>()
  #deferred: (() => void)[] = []

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs
    this.#startedAtMs = startMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  elapsedMs(): number {
    return this.#nowMs - this.#startedAtMs
  }

  startTimer(delayMs: number, callback: () => void): Timer {
    const deadline: Deadline<() => void> = this.#timers.add(
      this.#nowMs + Math.max(0, delayMs),
      callback,
    )
    return { cancel: () => this.#timers.remove(deadline) }
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback)
  }

  afterTurn(callback: () => void): void {
    this.#deferred.push(callback)
  }

  /** Runs what was deferred, what that defers in turn included. */
  runDeferred(): void {
    while (this.#deferred.length > 0) {
      const batch = this.#deferred
      this.#deferred = []
      for (const callback of batch) callback()
    }
  }

  /** When the next timer fires. */
  get nextTimerMs(): number | undefined {
    return this.#timers.peek()?.atMs
  }

  /** Moves time on by `durationMs`, firing each timer at its own moment. */
  advance(durationMs: number): void {
    const endMs = this.#nowMs + durationMs
    this.runDeferred()
    for (;;) {
      const next = this.#timers.peek()
      if (next === undefined || next.atMs > endMs) break
      this.#timers.remove(next)
      this.#nowMs = next.atMs
      next.value()
      this.runDeferred()
    }
    this.#nowMs = endMs
  }
}
