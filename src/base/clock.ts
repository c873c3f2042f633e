// Time, so that tests can replace it: everything that waits or dates a thing asks a Clock, and nobody else.

/** Node fires timers of more than 2^31 - 1 ms (24.8 days) at once; longer delays are cut into hops of this length. */
const LONGEST_TIMER_MS = 2_147_483_647

export interface Timer {
  /** Forgets the timer; safe after it has fired and more than once. */
  cancel(): void
}

export interface TimerOptions {
  /** Whether a pending timer keeps the process alive; default false. */
  readonly keepsProcessAlive?: boolean
}

export interface Clock {
  /** Milliseconds since 1970, whole. */
  nowMs(): number
  /** Milliseconds since some fixed moment, with fraction, never going back: for measuring. */
  elapsedMs(): number
  /** Calls `callback` once, not before `delayMs` from now. */
  startTimer(delayMs: number, callback: () => void, options?: TimerOptions): Timer
  /** Calls `callback` soon, after the work at hand and after input that is already waiting. */
  defer(callback: () => void): void
  /** Calls `callback` when the code that runs now has returned, before anything else is read. */
  afterTurn(callback: () => void): void
}

class SystemTimer implements Timer {
  #handle: ReturnType<typeof setTimeout>

  constructor(delayMs: number, callback: () => void, keepsProcessAlive: boolean) {
    const hop = (remainingMs: number): ReturnType<typeof setTimeout> => {
      const stepMs = Math.min(remainingMs, LONGEST_TIMER_MS)
      const handle = setTimeout(() => {
        if (remainingMs > stepMs) this.#handle = hop(remainingMs - stepMs)
        else callback()
      }, stepMs)
      // In a browser a timer is a number and has nothing to unref.
      if (!keepsProcessAlive && typeof handle === 'object') handle.unref()
      return handle
    }
    this.#handle = hop(Math.max(0, delayMs))
  }

  cancel(): void {
    clearTimeout(this.#handle)
  }
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  elapsedMs: () => performance.now(),
  startTimer: (delayMs, callback, options) =>
    new SystemTimer(delayMs, callback, options?.keepsProcessAlive ?? false),
  defer: (callback) => {
    if (typeof setImmediate === 'function') setImmediate(callback)
    else setTimeout(callback, 0)
  },
  afterTurn: (callback) => queueMicrotask(callback),
}
