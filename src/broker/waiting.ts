// Waits that end: with what was waited for, with a time-out, or with a signal; whichever comes first undoes the others.
import type { Alarm, Alarms } from '../base/index.js'

export interface WaitTerms {
  /** Longest wait; undefined: no limit. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** What the wait rejects with when it is over; without it the wait resolves then, with undefined. */
  readonly timedOut?: () => Error
}

/** Waits for `work`, which goes on by itself when the wait is over before. Rejects with the signal's reason. */
export async function waitFor<T>(
  alarms: Alarms,
  work: T | Promise<T>,
  { timeoutMs, signal, timedOut }: WaitTerms,
): Promise<T | undefined> {
  let alarm: Alarm | undefined
  let aborted: (() => void) | undefined
  const over = new Promise<undefined>((resolve, reject) => {
    aborted = () => reject(signal!.reason as Error)
    if (signal?.aborted === true) return aborted()
    signal?.addEventListener('abort', aborted, { once: true })
    if (timeoutMs === undefined) return
    alarm = alarms.set(timeoutMs, () =>
      timedOut === undefined ? resolve(undefined) : reject(timedOut()),
    )
  })
  try {
    return await Promise.race([work, over])
  } finally {
    alarms.cancel(alarm)
    if (aborted !== undefined) signal?.removeEventListener('abort', aborted)
  }
}
