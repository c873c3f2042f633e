// What a publisher may expect of a stream, so that of several writers one wins.
import type { FanfareError } from '../base/index.js'
import type { AppendOptions } from '../engine/index.js'
import type { Log } from '../log/index.js'
import type { TopicHandle } from '../topic/index.js'
import { expectationError } from './stream-errors.js'
import type { Ahead } from './stream-limits.js'

export class Expectations {
  readonly #log: Log
  /** The last accepted sequence of topics that were published to since everything was last committed. */
  readonly #tails = new Map<TopicHandle, number>()

  constructor(log: Log) {
    this.#log = log
  }

  accepted(address: TopicHandle, sequence: number): void {
    this.#tails.set(address, sequence)
  }

  /** The log's index says the same, or what it does not was lost. */
  forgetAccepted(): void {
    this.#tails.clear()
  }

  /** The expectation that does not hold, or undefined; `ahead` is what goes before in the same transaction. */
  findFailed(address: TopicHandle, options: AppendOptions, ahead: Ahead): FanfareError | undefined {
    const { expectedStream, expectedLastSequence, expectedLastTopicSequence } = options
    if (expectedStream !== undefined && expectedStream !== this.#log.name) {
      return expectationError('stream', expectedStream, this.#log.name)
    }
    const last = this.#log.acceptedSequence + ahead.messages
    if (expectedLastSequence !== undefined && expectedLastSequence !== last) {
      return expectationError('last sequence', expectedLastSequence, last)
    }
    if (expectedLastTopicSequence === undefined) return undefined
    const lastOfTopic = ahead.tails.get(address) ?? this.#lastOf(address)
    return expectedLastTopicSequence === lastOfTopic
      ? undefined
      : expectationError(`last sequence of ${address.name}`, expectedLastTopicSequence, lastOfTopic)
  }

  #lastOf(address: TopicHandle): number {
    return this.#tails.get(address) ?? this.#log.keys.find(address.bytes)?.lastSequence ?? 0
  }
}
