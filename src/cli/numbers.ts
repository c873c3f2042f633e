// Numbers, sizes, durations and moments on the command line.
import { FanfareError, toMilliseconds, type Duration } from '../base/index.js'
import type { StartingPoint } from '../broker/index.js'

export function toCount(option: string): (text: string) => number {
  return toWholeNumber(option, 1)
}

export function toWholeNumber(option: string, least: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value
    throw new FanfareError(
      'OPTION_INVALID',
      `${option} must be a whole number from ${least}, not ${text}`,
    )
  }
}

export function toMs(option: string): (text: string) => number {
  return (text) => {
    try {
      return toMilliseconds(text as Duration)
    } catch (error) {
      throw new FanfareError('OPTION_INVALID', `${option}: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }
}

const UNITS = ['', 'K', 'M', 'G', 'T']

/** Bytes: `1048576`, `1024K`, `1MB`, `1GiB`; a unit is 1,024 of the one before. */
export function toBytes(option: string): (text: string) => number {
  return (text) => {
    const match = /^(\d+)([KMGT]?)(?:I?B)?$/.exec(text.toUpperCase())
    const value = match === null ? NaN : Number(match[1]) * 1_024 ** UNITS.indexOf(match[2]!)
    if (Number.isSafeInteger(value) && value >= 1) return value
    throw new FanfareError(
      'OPTION_INVALID',
      `${option} must be a number of bytes such as 1048576, 512K or 1GB, not ${text}`,
    )
  }
}

/** `first`, `last`, `new`, `last-per-topic`, a sequence, a date, or such as `1h ago`; checked where it is used. */
export function toStart(text: string): StartingPoint {
  if (/^\d+$/.test(text)) return Number(text)
  if (/^\d{4}-\d{2}-\d{2}/.test(text)) return new Date(text)
  return text as StartingPoint
}
