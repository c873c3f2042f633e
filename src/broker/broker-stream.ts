// A stream as people hold it: a durable log that captures topics.
import { FanfareError, toMilliseconds, type Duration } from '../base/index.js'
import type { Consumer, Stream as EngineStream, TopicState } from '../engine/index.js'
import {
  changedConsumerSettings,
  CONSUMER_OPTIONS,
  NEW_CONSUMER_OPTIONS,
  type ConsumerOptions,
  type NewConsumerOptions,
} from './consume-options.js'
import { toConsumerStatus, type ConsumerStatus } from './consumer-status.js'
import type { Catalog } from './declared.js'
import type { DurableHost } from './durable-host.js'
import { openConsumer } from './open-consumer.js'
import { refuseUnknownOptions, wholeNumber, withoutUndefined } from './option-checks.js'
import type { Parameterized } from './publications.js'
import { patternOf, type Sources, type TopicSource } from './source.js'
import { ReadMessage, type StoredMessage, type StoredMessageOf } from './stored-message.js'
import { StreamDeadLetters } from './stream-dead-letters.js'
import {
  changedSettings,
  toPatterns,
  toStreamOptions,
  type StreamChanges,
  type StreamOptions,
} from './stream-options.js'
import { readStream, type ReadOptions } from './stream-reading.js'
import type { OptionsFor, Sendable, Target } from './target.js'
import type { ContentOptions } from './where.js'

export interface StreamInfo {
  readonly name: string
  /** What it was made with, defaults filled in. */
  readonly options: StreamOptions
  readonly messages: number
  /** As stored. */
  readonly bytes: number
  /** One more than `lastSequence` when there is no message. */
  readonly firstSequence: number
  /** The last that was given, whether its message is still there or not; 0: none. */
  readonly lastSequence: number
  readonly firstTime: Date | undefined
  readonly lastTime: Date | undefined
  /** Sequences between first and last whose messages are gone. */
  readonly removed: number
  /** Topics that have messages. */
  readonly topics: number
  readonly consumers: number
  /** Why nothing can be published, if so. */
  readonly frozen: FanfareError | undefined
}

export interface PurgeOptions {
  /** Only messages of this definition, topic or pattern. */
  readonly topic?: TopicSource
  /** Only sequences below this one. */
  readonly before?: number
  /** Leaves this many of the newest that would go. */
  readonly keep?: number
}

const PURGE_OPTIONS: ReadonlySet<string> = new Set<keyof PurgeOptions>(['topic', 'before', 'keep'])

/** `C` is the type of the broker's catalog. */
export class BrokerStream<C extends Catalog | undefined = undefined> {
  /** Messages of this stream that its consumers gave up. */
  readonly deadLetters: StreamDeadLetters
  readonly #host: DurableHost
  #stream: EngineStream

  /** @internal */
  constructor(host: DurableHost, stream: EngineStream) {
    this.#host = host
    this.#stream = stream
    this.deadLetters = new StreamDeadLetters(host, host.durable.deadLetters(stream))
  }

  get name(): string {
    return this.#stream.name
  }

  async info(): Promise<StreamInfo> {
    const { firstTimeMs, lastTimeMs, ...state } = await this.#stream.state()
    const isEmpty = state.messages === 0
    return {
      name: this.name,
      options: toStreamOptions(this.#stream.settings),
      ...state,
      firstTime: isEmpty ? undefined : new Date(firstTimeMs),
      lastTime: isEmpty ? undefined : new Date(lastTimeMs),
    }
  }

  /**
   * The messages there are, for `for await`; with `follow` also those that come.
   *
   * @example for await (const message of orders.read({ from: '1h ago', topics: Placed })) console.log(message.data.id)
   */
  read<const S extends Sources | undefined = undefined>(
    options: ReadOptions<S, C> = {},
  ): AsyncIterableIterator<StoredMessageOf<S, C>> {
    const messages = readStream(this.#host, this.#stream, options as ReadOptions)
    return messages as unknown as AsyncIterableIterator<StoredMessageOf<S, C>>
  }

  /** One message, or undefined when it is not there. */
  async get(sequence: number): Promise<StoredMessage | undefined> {
    const message = await this.#stream.get(wholeNumber('sequence', sequence, 1))
    if (message === undefined) return undefined
    const definition = this.#host.findDefinition(message.handle.name)
    const found = new ReadMessage(this.name, message, this.#host.context, definition)
    await found.check()
    return found
  }

  /**
   * The newest message of a topic.
   *
   * @example const price = await prices.last(Price, { params: { symbol: 'AAPL' } })
   */
  async last<const T extends Target>(
    target: T & Sendable<T, C, 'publish'>,
    ...[options]: OptionsFor<T, object>
  ): Promise<StoredMessageOf<T, C> | undefined> {
    const { topic, definition } = this.#host.publicationOf(
      target,
      options as Parameterized | undefined,
    )
    const message = await this.#stream.lastOf(topic)
    if (message === undefined) return undefined
    const found = new ReadMessage(this.name, message, this.#host.context, definition)
    await found.check()
    return found as unknown as StoredMessageOf<T, C>
  }

  /** The topics that hold messages, of those that the pattern matches; default: all. */
  async topics(pattern?: TopicSource): Promise<TopicState[]> {
    return this.#stream.topics(pattern === undefined ? undefined : patternOf(pattern))
  }

  /** Removes messages for good, by default all; resolves with how many. */
  async purge(options: PurgeOptions = {}): Promise<number> {
    refuseUnknownOptions('stream.purge', options, PURGE_OPTIONS)
    const { topic, before, keep } = options
    return this.#stream.purge(
      withoutUndefined({
        topic: topic === undefined ? undefined : patternOf(topic),
        before: before === undefined ? undefined : wholeNumber('before', before, 1),
        keep: keep === undefined ? undefined : wholeNumber('keep', keep, 0),
      }),
    )
  }

  /** Removes one message for good; false when it was not there. */
  async remove(sequence: number): Promise<boolean> {
    return this.#stream.remove(wholeNumber('sequence', sequence, 1))
  }

  /** Changes options; what is not named stays. Rejects with UNSUPPORTED for durability and retention. */
  async update(changes: StreamChanges): Promise<void> {
    const settings = changedSettings(this.#stream.settings, changes, 'stream.update')
    this.#stream = await this.#host.durable.updateStream(settings)
  }

  /** Removes the stream, its messages and its consumers for good; false when it was gone already. */
  async delete(): Promise<boolean> {
    return this.#host.durable.deleteStream(this.name)
  }

  async consumers(): Promise<ConsumerStatus[]> {
    const consumers = await this.#stream.consumers()
    const infos = await Promise.all(consumers.map((consumer) => consumer.info()))
    return infos.map((info) => toConsumerStatus(this.name, info))
  }

  /**
   * Makes a consumer before anybody consumes, so that nothing is missed meanwhile; or verifies that the one there is was made
   * with these options (CONSUMER_DIFFERS otherwise). `broker.consume` with the same topics and options then takes it up.
   */
  async createConsumer(name: string, options: NewConsumerOptions = {}): Promise<ConsumerStatus> {
    refuseUnknownOptions('stream.createConsumer', options, NEW_CONSUMER_OPTIONS)
    const { topics } = options
    const patterns = topics === undefined ? [] : toPatterns(topics)
    const { clock } = this.#host
    const consumer = await openConsumer(this.#stream, name, patterns, options, clock)
    return toConsumerStatus(this.name, await consumer.info())
  }

  /** Hands out nothing to any member, for this long or until `resumeConsumer`; also over a restart. Rejects with CONSUMER_NOT_FOUND. */
  async pauseConsumer(name: string, duration?: Duration): Promise<void> {
    const consumer = await this.#findConsumer(name)
    if (duration === undefined) await consumer.pause()
    else await consumer.pause(this.#host.clock.nowMs() + Math.ceil(toMilliseconds(duration)))
  }

  /** Rejects with CONSUMER_NOT_FOUND. */
  async resumeConsumer(name: string): Promise<void> {
    await (await this.#findConsumer(name)).resume()
  }

  /** Changes options of a consumer; what is not named stays. Rejects with CONSUMER_NOT_FOUND. */
  async updateConsumer(name: string, changes: ConsumerOptions & ContentOptions): Promise<void> {
    refuseUnknownOptions('stream.updateConsumer', changes, CONSUMER_OPTIONS)
    const consumer = await this.#findConsumer(name)
    const settings = changedConsumerSettings(consumer.settings, changes, this.name)
    await this.#stream.updateConsumer(settings)
  }

  /** Removes a consumer and its place for good; false when there is none of that name. */
  async deleteConsumer(name: string): Promise<boolean> {
    return this.#stream.deleteConsumer(name)
  }

  async #findConsumer(name: string): Promise<Consumer> {
    const consumer = await this.#stream.findConsumer(name)
    if (consumer !== undefined) return consumer
    throw new FanfareError(
      'CONSUMER_NOT_FOUND',
      `stream '${this.name}' has no consumer '${name}'`,
      { details: { stream: this.name, consumer: name } },
    )
  }
}
