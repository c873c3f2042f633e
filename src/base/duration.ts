// Durations as people write them: '250ms', '2s', '5m', '1h', '7d', or a number of milliseconds.
import { FanfareError } from './errors.js'

export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds of a duration. Throws DURATION_INVALID for what is not one, negative ones included. */
export function toMilliseconds(duration: Duration): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(duration))
  const milliseconds = match
    ? Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]
    : typeof duration === 'number'
      ? duration
      : NaN
  if (!Number.isFinite(milliseconds) || milliseconds < 0) {
    throw new FanfareError(
      'DURATION_INVALID',
      `not a duration: ${typeof duration === 'string' ? JSON.stringify(duration) : String(duration)}; write a number of milliseconds or '250ms', '2s', '5m', '1h', '7d'`,
      { details: { duration } },
    )
  }
  return milliseconds
}
