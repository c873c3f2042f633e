// Durations as the configuration writes them, which is as Go does: one or more numbers with units, such as "1h30m",
// "1.5s" or "250ms"; "0" needs no unit.

const DURATION = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g
const ZERO = /^[+-]?0$/

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3, // U+00B5, the micro sign
  μs: 1e-3, // U+03BC, the Greek letter
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}

/** 2^63 nanoseconds, about 292 years: the longest that Go knows. */
const LONGEST_MS = 2 ** 63 / 1e6

/** Milliseconds of a duration, possibly negative; undefined for what is not one. */
export function readDuration(text: string): number | undefined {
  if (ZERO.test(text)) return 0
  if (!DURATION.test(text)) return undefined
  let milliseconds = 0
  for (const [, amount, unit = ''] of text.matchAll(PART)) {
    milliseconds += Number(amount) * (UNIT_MS[unit] ?? NaN)
  }
  if (!(milliseconds < LONGEST_MS)) return undefined
  return text.startsWith('-') ? -milliseconds : milliseconds
}
