// The durable verbs of a broker: streams, publishing with receipts, consumers, transactions.
import { FanfareError, toMilliseconds, type Duration } from '../base/index.js'
import type { AppendOptions, Stream as EngineStream } from '../engine/index.js'
import { patternsOverlap, type TopicHandle } from '../topic/index.js'
import { BrokerStream } from './broker-stream.js'
import { toMemberTerms, type ConsumeOptions } from './consume-options.js'
import { OpenConsumption, type ConsumeHandler, type Consumption } from './consumption.js'
import type { Selection } from './catalog-index.js'
import type { DurableHost } from './durable-host.js'
import { DurablePublisher, type Receipt, type ReceiptTerms } from './durable-publisher.js'
import type { LiveMessage } from './live-message.js'
import { attributesOf } from './message-reading.js'
import { openConsumer } from './open-consumer.js'
import { optionInvalid, refuseUnknownOptions } from './option-checks.js'
import type { Parameterized } from './publications.js'
import { toPublishTerms, type PublishOptions, type PublishTerms } from './publish-options.js'
import { PublishQueue } from './publish-queue.js'
import type { Sources } from './source.js'
import { toStreamSettings, verified, type StreamOptions } from './stream-options.js'
import { OpenTransaction, type Transaction } from './transaction.js'
import { waitFor } from './waiting.js'
import { assertQueued, assertWorkQueue } from './work-queue.js'

export interface TransactionOptions {
  /** Longest wait for the commit; default '30s'. */
  readonly timeout?: Duration
  /** Aborts what is not committed; once the commit has begun, whether it is stored is unknown. */
  readonly signal?: AbortSignal
}

const TRANSACTION_OPTIONS: ReadonlySet<string> = new Set<keyof TransactionOptions>([
  'timeout',
  'signal',
])

const REMEMBERED_TOPICS = 10_000

const DEFAULT_COMMIT_TIMEOUT: Duration = '30s'

export class DurableVerbs {
  readonly #host: DurableHost
  readonly #publisher: DurablePublisher
  readonly #queue: PublishQueue
  readonly #consumptions = new Set<Consumption>()
  /** Topics of commands whose stream is a work queue. */
  readonly #queuedTopics = new Set<string>()
  #isDraining = false

  constructor(host: DurableHost) {
    this.#host = host
    this.#publisher = new DurablePublisher(host.durable, host.clock)
    this.#queue = new PublishQueue(this.#publisher)
  }

  async stream(name: string, options: StreamOptions | undefined): Promise<BrokerStream> {
    const { durable } = this.#host
    if (options === undefined) return new BrokerStream(this.#host, await this.#find(name))
    const settings = toStreamSettings(name, options, durable.strongest)
    return new BrokerStream(this.#host, await verified(name, durable.createStream(settings)))
  }

  async streams(): Promise<BrokerStream[]> {
    const streams = await this.#host.durable.streams()
    return streams
      .map((stream) => new BrokerStream(this.#host, stream))
      .sort((left, right) => (left.name < right.name ? -1 : 1))
  }

  /** Throws for wrong terms; what the engine refuses rejects. */
  publish(
    topic: TopicHandle,
    message: LiveMessage,
    append: AppendOptions | undefined,
    terms: ReceiptTerms | undefined,
  ): Promise<Receipt> {
    return this.#queue.publish(topic, message, append, terms)
  }

  /** Rejects with KIND_MISMATCH when the stream that captures a command is no work queue; looked at once for each topic. */
  async assertQueued(topic: string): Promise<void> {
    if (this.#queuedTopics.has(topic)) return
    await assertQueued(this.#host.durable, topic)
    if (this.#queuedTopics.size >= REMEMBERED_TOPICS) this.#queuedTopics.clear()
    this.#queuedTopics.add(topic)
  }

  /** What a publish asks of its stream. Throws OPTION_INVALID, DURATION_INVALID, HEADER_INVALID. */
  termsOf(options: (PublishOptions & Parameterized) | undefined): PublishTerms {
    return toPublishTerms(options, this.#host.clock)
  }

  /** Publishes what was encoded before its terms could be known. */
  publishDraft(
    topic: TopicHandle,
    draft: LiveMessage,
    options: (PublishOptions & Parameterized) | undefined,
  ): Promise<Receipt> {
    const { append, attributes } = this.termsOf(options)
    const message = draft.withAttributes(attributesOf(attributes, this.#host.context))
    return this.publish(topic, message, append, options)
  }

  async consume(
    name: string,
    source: Sources,
    handler: ConsumeHandler,
    options: ConsumeOptions,
  ): Promise<Consumption> {
    if (typeof handler !== 'function') throw optionInvalid('the handler', handler, 'a function')
    const terms = toMemberTerms(options)
    options.signal?.throwIfAborted()
    const selection = this.#host.select('consume', source)
    const stream = await this.#streamOf(selection, options.stream)
    const { definition } = selection
    assertWorkQueue(definition === undefined ? selection.definitions : [definition], stream)
    const { clock } = this.#host
    const consumer = await openConsumer(stream, name, selection.patterns, options, clock)
    options.signal?.throwIfAborted()
    if (this.#isDraining) throw new FanfareError('CLOSED', 'the broker is closed')
    const consumption = new OpenConsumption(this.#host, {
      consumer,
      terms,
      selection,
      handler,
      signal: options.signal,
      closed: (closed) => this.#consumptions.delete(closed),
    })
    this.#consumptions.add(consumption)
    return consumption
  }

  async transaction(
    fill: (tx: Transaction) => unknown,
    options: TransactionOptions,
  ): Promise<Receipt[]> {
    refuseUnknownOptions('transaction', options, TRANSACTION_OPTIONS)
    const { signal, timeout = DEFAULT_COMMIT_TIMEOUT } = options
    const { alarms } = this.#host
    const timeoutMs = toMilliseconds(timeout)
    signal?.throwIfAborted()
    const tx = new OpenTransaction(this.#host)
    try {
      await waitFor(alarms, fill(tx), { signal })
      signal?.throwIfAborted()
    } catch (error) {
      tx.abort()
      throw error
    }
    const timedOut = (): FanfareError => commitTimedOut(timeoutMs)
    return (await waitFor(alarms, tx.commit(), { timeoutMs, signal, timedOut }))!
  }

  /** The consumers whose handlers are at work here. */
  atWork(): string[] {
    return [...this.#consumptions].filter(({ running }) => running > 0).map(({ name }) => name)
  }

  /** Ends the consumers, waiting for their handlers as long as `drainMs` says; then takes no more publishes. */
  async drain(drainMs: number): Promise<void> {
    this.#isDraining = true
    await Promise.all([...this.#consumptions].map((each) => each.close({ drain: drainMs })))
    await this.#queue.whenSent()
    this.#publisher.close()
  }

  /** The engine is closed. */
  abandon(): void {
    this.#publisher.abandon()
  }

  async #find(name: string): Promise<EngineStream> {
    const stream = await this.#host.durable.findStream(name)
    if (stream !== undefined) return stream
    throw new FanfareError(
      'STREAM_NOT_FOUND',
      `there is no stream '${name}'; make it: broker.stream('${name}', { topics: [ … ] })`,
      { details: { stream: name } },
    )
  }

  /** The stream that captures what a selection matches. */
  async #streamOf({ patterns, text }: Selection, name: string | undefined): Promise<EngineStream> {
    if (name !== undefined) return this.#find(name)
    const streams = await this.#host.durable.streams()
    const [found, other] = streams.filter(({ settings }) =>
      settings.topics.some((topic) => patterns.some((pattern) => patternsOverlap(topic, pattern))),
    )
    if (found === undefined) throw noStream(text)
    if (other === undefined) return found
    throw new FanfareError(
      'OPTION_INVALID',
      `'${text}' is captured by more than one stream, '${found.name}' and '${other.name}': name one by the option stream`,
      { details: { pattern: text, streams: [found.name, other.name] } },
    )
  }
}

function noStream(pattern: string): FanfareError {
  return new FanfareError(
    'NO_STREAM',
    `no stream captures '${pattern}'; make one: await broker.stream('name', { topics: ['${pattern}'] })`,
    { details: { topic: pattern } },
  )
}

function commitTimedOut(limitMs: number): FanfareError {
  return new FanfareError(
    'TIMEOUT',
    `the transaction was not committed within ${limitMs} ms; whether it will be is unknown`,
    { retryable: true, details: { timeoutMs: limitMs } },
  )
}
