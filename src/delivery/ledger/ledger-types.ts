// What a consumer's ledger is told and tells.
import type { DeadLetterReason } from '../../engine/index.js'

/** What of `ConsumerSettings` the ledger obeys. */
export interface LedgerOptions {
  /** 'none': what is taken is settled. 'all' is used with order 'stream' only. */
  readonly acknowledge: 'explicit' | 'all' | 'none'
  readonly ackWaitMs: number
  /** Hand-outs before a message is given up; undefined: without end. */
  readonly maxDeliveries: number | undefined
  /** With a list, the ack wait of attempt n is `backoffMs[n - 1]` too. */
  readonly backoffMs: readonly number[]
  readonly maxInFlight: number
  readonly order: 'stream' | 'key'
  readonly lookAhead: number
  readonly followers: 'park' | 'continue'
}

/** One hand-out; the same object each time. */
export interface LedgerHandOut {
  /** The message's sequence, or the negated sequence of a dead letter that is handed out again. */
  readonly id: number
  readonly token: number
  /** Hand-outs that count, this one included. */
  readonly deliveryCount: number
  /** Whether it came back from an earlier hand-out. */
  readonly isRedelivery: boolean
}

/** A message that was given up and whose dead letter is not written yet. */
export interface LedgerFailure {
  readonly id: number
  readonly deliveryCount: number
  readonly reason: DeadLetterReason
  readonly error: string
  readonly key: string | undefined
}

/** A message that is in flight, or was when it was settled. */
export interface LedgerSettlement {
  readonly id: number
  readonly deliveryCount: number
  readonly key: string | undefined
}
