// Consumers on the contract: durable cursors over a stream, shared by the members that join them.
//
// LAW
// Credit      A member is handed as many messages as it granted, never more. `deliver` may be called within `grant`.
// Tokens      Each hand-out has a token, 1, 2, 3 … of the consumer. It is good until its message is settled, its wait is over or its
//             member has left; afterwards a verdict on it is stale: it changes nothing and says so.
// Attempts    An attempt is written before the hand-out, so that a message that kills the process is counted.
// Settling    acknowledge, reject and the last failed attempt settle a message: it is never handed out again. release and
//             retry give it back. A message that is settled by failing is first kept as a dead letter, in the same
//             commit; if that cannot be, it stays unsettled and is not handed out again.
// Key order   With order 'key' a message is handed out when all before it of its key are settled; a key is with one member at
//             a time. The key is the header 'ce-partitionkey', over all topics of the consumer; a message without one is in order
//             with nothing.
// Filters     A message that `where` does not match is passed over: not handed out, not counted, settled as far as the floor is concerned.
//             A body that is not JSON matches no condition on data. A start point is found by topic; what is read from it is filtered.
// Keeping     What is settled, attempts, delays of retries, pauses and parked keys survive a restart and the end of the process; of what
//             was not noted durably, a loss of power may take back the last moments, which means redelivery and never loss.
import type { FanfareError } from '../base/index.js'
import type { FilterPattern } from '../filter/index.js'
import type { StartPoint, StoredMessage } from './stored-message.js'

export type AcknowledgePolicy = 'explicit' | 'all' | 'none'

/** How failed messages are kept. */
export interface DeadLetterSettings {
  /** The stream that takes them; made when first needed. */
  readonly stream: string
  /** With order 'key': whether what follows a dead letter under its key is parked behind it, or goes on. */
  readonly followers: 'park' | 'continue'
}

export interface ConsumerSettings {
  readonly name: string
  /** Durable consumers survive a restart and their members; others end `inactiveMs` after the last member left. */
  readonly isDurable: boolean
  readonly start: StartPoint
  /** Patterns, one of which must match; empty: every topic of the stream. */
  readonly topics: readonly string[]
  /** What must match besides, in its canonical form once it is kept; absent: everything does. */
  readonly where?: FilterPattern
  readonly acknowledge: AcknowledgePolicy
  /** How long a hand-out may stay unsettled. */
  readonly ackWaitMs: number
  /** Hand-outs before a message is given up; absent: without end. */
  readonly maxDeliveries?: number
  /** Waits before the second, third … attempt; the last one repeats. Empty: at once after a failure, `ackWaitMs` after silence. */
  readonly backoffMs: readonly number[]
  /** Unsettled hand-outs at a time, over all members. */
  readonly maxInFlight: number
  /** 'key': messages of one key strictly one after another. 'stream': handed out in stream order, retries whenever due. */
  readonly order: 'stream' | 'key'
  /** With order 'key': how many messages may be passed over because their keys are busy. */
  readonly lookAhead: number
  /** Absent: a message that is given up is dropped, with an event. */
  readonly deadLetter?: DeadLetterSettings
  /** A message older than this is given up before it is handed out. */
  readonly maxMessageAgeMs?: number
  /** 'original': with the pauses between messages as they were published. */
  readonly replay: 'instant' | 'original'
  /** Hands out headers without bodies. */
  readonly headersOnly: boolean
  /** For consumers that are not durable. */
  readonly inactiveMs: number
  readonly description?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** A message as it is handed to a member. */
export interface HandOut {
  readonly message: StoredMessage
  readonly token: number
  /** 1 for the first hand-out of a message. */
  readonly deliveryCount: number
  /** Matching messages of the stream that were never handed out. */
  readonly pending: number
}

export interface ConsumerReceiver {
  /** Takes a message, which is valid during the call only, as is the hand-out itself. */
  deliver(handOut: HandOut, consumer: Consumer): void
  /** The hand-out is over without a verdict: its wait has passed, or the consumer ended. */
  expired?(token: number): void
  /** The consumer was deleted, or its stream. */
  ended(reason: FanfareError): void
}

export interface ConsumerMember {
  /** Allows `messages` more hand-outs. */
  grant(messages: number): void
  /** Takes back what was granted and not used. */
  revoke(): void
  /** Leaves; what is in flight with this member is given back at once. */
  leave(): void
}

/** Told when a verdict is as safe as was asked. `stale`: the token was no longer good, and nothing changed. */
export type VerdictDone = (error?: FanfareError) => void

export interface ConsumerInfo {
  readonly settings: ConsumerSettings
  /** Every matching message up to here is settled. */
  readonly floorSequence: number
  /** The last sequence handed out, and the last token. */
  readonly deliveredSequence: number
  readonly lastToken: number
  readonly inFlight: number
  readonly redelivering: number
  /** Matching messages that were never handed out. */
  readonly pending: number
  readonly members: number
  readonly isPaused: boolean
  /** With order 'key': the key that keeps the consumer from looking further. */
  readonly stalledBy?: string
  /** Messages that could not be kept as dead letters and wait for it. */
  readonly unsettled: number
}

export interface Consumer {
  readonly name: string
  readonly settings: ConsumerSettings
  readonly streamName: string
  readonly isDeleted: boolean
  info(): Promise<ConsumerInfo>

  join(receiver: ConsumerReceiver): ConsumerMember

  /**
   * Settles a hand-out. With `done` the verdict is as safe as the stream before it is called; without, it goes with the next
   * commit and its loss means a redelivery. Returns false for a stale token.
   */
  acknowledge(token: number, done?: VerdictDone): boolean
  /** Gives it back, to be handed out again at once; the attempt does not count. */
  release(token: number): boolean
  /** Gives it back, to be handed out again after `delayMs`; default: what the backoff says. The last attempt is a dead letter. */
  retry(token: number, delayMs?: number, error?: string): boolean
  /** Gives it up: a dead letter 'rejected', or 'undecodable', with this reason. */
  reject(token: number, reason: string, isUndecodable?: boolean): boolean
  /** Begins the wait anew. */
  extend(token: number): boolean

  /** Hands nothing out until `untilMs`, or until `resume`. */
  pause(untilMs?: number): Promise<void>
  resume(): Promise<void>
}
