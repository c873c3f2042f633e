// Many deadlines on one timer: ten thousand connections with a ping interval each cost one pending timer, not ten thousand.
import type { Clock, Timer, TimerOptions } from './clock.js'
import { DeadlineHeap, type Deadline } from './deadline-heap.js'

export type Alarm = Deadline<() => void>

export class Alarms {
  readonly #clock: Clock
  readonly #options: TimerOptions
  readonly #heap = new DeadlineHeap<() => void>()
  #timer: Timer | undefined
  #timerAtMs = Infinity

  /** `options` hold for the one timer: whether pending alarms keep the process alive; default: they do not. */
  constructor(clock: Clock, options: TimerOptions = {}) {
    this.#clock = clock
    this.#options = options
  }

  get size(): number {
    return this.#heap.size
  }

  /** Calls `callback` once, `delayMs` from now. */
  set(delayMs: number, callback: () => void): Alarm {
    const alarm = this.#heap.add(this.#clock.elapsedMs() + delayMs, callback)
    if (alarm.atMs < this.#timerAtMs) this.#arm(alarm.atMs)
    return alarm
  }

  /** Forgets the alarm; safe when it has rung, and for `undefined`. */
  cancel(alarm: Alarm | undefined): void {
    if (alarm !== undefined) this.#heap.remove(alarm)
    if (this.#heap.size === 0) this.#disarm()
  }

  close(): void {
    for (let next = this.#heap.peek(); next !== undefined; next = this.#heap.peek()) {
      this.#heap.remove(next)
    }
    this.#disarm()
  }

  #arm(atMs: number): void {
    this.#timer?.cancel()
    this.#timerAtMs = atMs
    this.#timer = this.#clock.startTimer(
      atMs - this.#clock.elapsedMs(),
      () => this.#ring(),
      this.#options,
    )
  }

  #disarm(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#timerAtMs = Infinity
  }

  #ring(): void {
    // A system timer may fire a fraction of a millisecond early.
    const nowMs = Math.max(this.#clock.elapsedMs(), this.#timerAtMs)
    this.#disarm()
    for (let due = this.#heap.takeDue(nowMs); due !== undefined; due = this.#heap.takeDue(nowMs)) {
      due.value()
    }
    const next = this.#heap.peek()
    // An alarm set by a callback may have armed a later moment than the next one that waits.
    if (next !== undefined && next.atMs < this.#timerAtMs) this.#arm(next.atMs)
  }
}
