// What can be known of a durable consumer, in the words of the API.
import type { ConsumerInfo } from '../engine/index.js'
import { toConsumerOptions, type NewConsumerOptions } from './consume-options.js'

export interface ConsumerStatus {
  readonly name: string
  /** The name of its stream. */
  readonly stream: string
  /** Patterns, one of which a message's topic matches. */
  readonly topics: readonly string[]
  /** What it was made with, defaults filled in. */
  readonly options: NewConsumerOptions
  /** Matching messages that were never handed out. */
  readonly pending: number
  /** Handed out without a verdict so far, over all members. */
  readonly inFlight: number
  /** Messages that wait for another attempt, or are at it. */
  readonly redelivering: number
  /** Messages that were given up and could not be kept as dead letters yet. */
  readonly unsettled: number
  readonly members: number
  readonly isPaused: boolean
  /** With order 'key': the key that keeps the consumer from looking further. */
  readonly stalledBy: string | undefined
  /** Every matching message up to here is settled. */
  readonly settledThrough: number
  /** The last sequence that was handed out. */
  readonly lastHandedOut: number
}

export function toConsumerStatus(stream: string, info: ConsumerInfo): ConsumerStatus {
  const { settings, pending, inFlight, redelivering, unsettled, members, isPaused } = info
  return {
    name: settings.name,
    stream,
    topics: settings.topics,
    options: toConsumerOptions(settings),
    pending,
    inFlight,
    redelivering,
    unsettled,
    members,
    isPaused,
    stalledBy: info.stalledBy,
    settledThrough: info.floorSequence,
    lastHandedOut: info.deliveredSequence,
  }
}
