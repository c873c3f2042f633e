// One SUB of one connection: takes what the engine delivers and writes it to the connection's outbox.
import type { EngineMessage, Receiver, Subscription } from '../engine/index.js'
import { LineMemo } from './outbox.js'

/** The connection that a subscription belongs to. */
export interface SubscriptionOwner {
  readonly id: number
  /** Whether it wants to see what it publishes itself. */
  readonly wantsEcho: boolean
  readonly isOverMark: boolean
  /** Told when a message of its own is passed over. */
  passedOver(): void
  send(subscription: ClientSubscription, message: EngineMessage): void
  endSubscription(subscription: ClientSubscription): void
}

const encoder = new TextEncoder()

export class ClientSubscription implements Receiver {
  readonly session: SubscriptionOwner
  readonly sid: string
  readonly subject: string
  readonly queue: string
  readonly memo: LineMemo
  /** Messages delivered so far. */
  delivered = 0
  /** Ends when this many have been delivered (UNSUB with a maximum). */
  maxMessages = Infinity
  /** Topics that the pattern matches but the user may not see; undefined when there are none. */
  isHidden: ((topic: string) => boolean) | undefined
  /** What the engine returned; set right after subscribing. */
  engineSubscription: Subscription | undefined

  constructor(session: SubscriptionOwner, subject: string, queue: string, sid: string) {
    this.session = session
    this.subject = subject
    this.queue = queue
    this.sid = sid
    this.memo = new LineMemo(encoder.encode(sid))
  }

  deliver(message: EngineMessage): boolean {
    const session = this.session
    if (message.origin === session && !session.wantsEcho) {
      session.passedOver()
      return true
    }
    if (this.isHidden !== undefined && this.isHidden(message.handle.name)) return true
    this.delivered += 1
    session.send(this, message)
    if (this.delivered >= this.maxMessages) session.endSubscription(this)
    return !session.isOverMark
  }
}
