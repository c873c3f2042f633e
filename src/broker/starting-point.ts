// Where reading a stream, or a consumer, begins: as people write it, and as the contract has it.
import { FanfareError, toMilliseconds, type Duration } from '../base/index.js'
import type { StartPoint } from '../engine/index.js'
import { optionInvalid, wholeNumber } from './option-checks.js'

/**
 * 'first': the oldest message; 'last': the newest; 'new': what comes from now on; 'last-per-topic': the newest of each topic;
 * a number: that sequence; a Date or '1h ago': the first message stored from then on.
 */
export type StartingPoint =
  'first' | 'last' | 'new' | 'last-per-topic' | number | Date | `${Extract<Duration, string>} ago`

const PLACES = ['first', 'last', 'new', 'last-per-topic'] as const
const AGO = / ago$/

/** Whether the same words mean another moment at the next call. */
export function isRelative(from: StartingPoint | undefined): boolean {
  return typeof from === 'string' && AGO.test(from)
}

/** Throws OPTION_INVALID. */
export function toStartPoint(from: StartingPoint, nowMs: number): StartPoint {
  if (typeof from === 'number') {
    return { at: 'sequence', sequence: wholeNumber('from', from, 1) }
  }
  if (from instanceof Date) {
    const timeMs = from.getTime()
    if (Number.isNaN(timeMs)) throw optionInvalid('from', from, 'a valid Date')
    return { at: 'time', timeMs }
  }
  if (isRelative(from)) {
    return { at: 'time', timeMs: Math.floor(nowMs - readDuration(from)) }
  }
  const at = PLACES.find((place) => place === from)
  if (at === undefined) throw badPoint(from)
  return { at }
}

/** The same in the words of the options; a relative one has become a moment. */
export function toStartingPoint(start: StartPoint): StartingPoint {
  if (start.at === 'sequence') return start.sequence
  return start.at === 'time' ? new Date(start.timeMs) : start.at
}

function readDuration(from: string): number {
  try {
    return toMilliseconds(from.replace(AGO, '') as Duration)
  } catch (error) {
    throw FanfareError.is(error) ? badPoint(from) : error
  }
}

function badPoint(from: unknown): FanfareError {
  return optionInvalid(
    'from',
    from,
    `'first', 'last', 'new', 'last-per-topic', a sequence, a Date or such as '1h ago'`,
  )
}
