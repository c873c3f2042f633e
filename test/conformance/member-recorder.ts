// A member of a consumer that records what it is handed, and notices when it is handed more than it granted.
import { AssertionError } from 'node:assert/strict'
import type { FanfareError } from '../../src/base/index.js'
import type { Consumer, ConsumerMember, ConsumerReceiver, HandOut } from '../../src/engine/index.js'
import { keepMessage, type KeptMessage } from './kept-message.js'
import { Arrivals } from './stage.js'

export interface Delivery extends KeptMessage {
  readonly token: number
  readonly deliveryCount: number
  readonly pending: number
}

/** Called during the hand-out, after it was recorded. */
export type DuringHandOut = (delivery: Delivery, recorder: MemberRecorder) => void

export class MemberRecorder extends Arrivals<Delivery> implements ConsumerReceiver {
  readonly consumer: Consumer
  readonly expirations = new Arrivals<number>()
  readonly endings = new Arrivals<FanfareError>()
  /** What the engine did against the law, for the end of the case. */
  readonly faults: string[] = []
  readonly #during: DuringHandOut | undefined
  readonly #member: ConsumerMember
  #granted = 0

  constructor(consumer: Consumer, during?: DuringHandOut) {
    super()
    this.consumer = consumer
    this.#during = during
    this.#member = consumer.join(this)
  }

  grant(messages: number): void {
    this.#granted += messages
    this.#member.grant(messages)
  }

  revoke(): void {
    this.#member.revoke()
    this.#granted = this.items.length
  }

  leave(): void {
    this.#member.leave()
    this.#granted = this.items.length
  }

  deliver({ message, token, deliveryCount, pending }: HandOut): void {
    if (this.items.length >= this.#granted) {
      this.faults.push(`message ${message.sequence} was handed out beyond the credit`)
    }
    if (this.tokens.includes(token)) this.faults.push(`token ${token} was given twice`)
    const delivery = { ...keepMessage(message), token, deliveryCount, pending }
    this.add(delivery)
    try {
      this.#during?.(delivery, this)
    } catch (error) {
      // The engine keeps a member's error from everybody else, the test runner included.
      if (error instanceof AssertionError) this.faults.push(error.message)
      throw error
    }
  }

  expired(token: number): void {
    this.expirations.add(token)
  }

  ended(reason: FanfareError): void {
    this.endings.add(reason)
  }

  get tokens(): number[] {
    return this.items.map(({ token }) => token)
  }

  get bodies(): string[] {
    return this.items.map(({ body }) => body)
  }

  get sequences(): number[] {
    return this.items.map(({ sequence }) => sequence)
  }

  get deliveryCounts(): number[] {
    return this.items.map(({ deliveryCount }) => deliveryCount)
  }
}

/** Acknowledges at once. */
export const acknowledging: DuringHandOut = ({ token }, { consumer }) => {
  consumer.acknowledge(token)
}

/** Resolves when the verdict is as safe as the stream; rejects with the error of a refused one. */
export function acknowledgeSafely(consumer: Consumer, token: number): Promise<void> {
  return new Promise((resolve, reject) => {
    consumer.acknowledge(token, (error) => {
      if (error === undefined) resolve()
      else reject(error)
    })
  })
}
