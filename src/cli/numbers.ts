// Numbers and durations on the command line.
import { FanfareError, toMilliseconds, type Duration } from '../base/index.js'

export function toCount(option: string): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= 1) return value
    throw new FanfareError('OPTION_INVALID', `${option} must be a whole number from 1, not ${text}`)
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
