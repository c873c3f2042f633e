// A consumer whose acknowledgements can get lost; everything else is the real one's.
import type {
  Consumer,
  ConsumerInfo,
  ConsumerMember,
  ConsumerReceiver,
  ConsumerSettings,
  VerdictDone,
} from '../engine/index.js'
import type { Faults } from './faults.js'

export class TestConsumer implements Consumer {
  readonly #consumer: Consumer
  readonly #faults: Faults

  constructor(consumer: Consumer, faults: Faults) {
    this.#consumer = consumer
    this.#faults = faults
  }

  /** The engine's own. */
  static real(consumer: Consumer): Consumer {
    return consumer instanceof TestConsumer ? consumer.#consumer : consumer
  }

  get name(): string {
    return this.#consumer.name
  }

  get settings(): ConsumerSettings {
    return this.#consumer.settings
  }

  get streamName(): string {
    return this.#consumer.streamName
  }

  get isDeleted(): boolean {
    return this.#consumer.isDeleted
  }

  info(): Promise<ConsumerInfo> {
    return this.#consumer.info()
  }

  join(receiver: ConsumerReceiver): ConsumerMember {
    return this.#consumer.join(receiver)
  }

  acknowledge(token: number, done?: VerdictDone): boolean {
    // Who sent it cannot know, and is told nothing.
    if (this.#faults.losesAcknowledgement(this.name)) return true
    return this.#consumer.acknowledge(token, done)
  }

  release(token: number): boolean {
    return this.#consumer.release(token)
  }

  retry(token: number, delayMs?: number, error?: string): boolean {
    return this.#consumer.retry(token, delayMs, error)
  }

  reject(token: number, reason: string, isUndecodable?: boolean): boolean {
    return this.#consumer.reject(token, reason, isUndecodable)
  }

  extend(token: number): boolean {
    return this.#consumer.extend(token)
  }

  pause(untilMs?: number): Promise<void> {
    return this.#consumer.pause(untilMs)
  }

  resume(): Promise<void> {
    return this.#consumer.resume()
  }
}
