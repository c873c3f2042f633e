// The API people use: one object with one verb for each thing one does with messages, the same over every engine.
//
// Handlers run when the engine delivers: an idle handler inside this process is called before `emit` returns; what it
// emits meanwhile follows after the current message has reached everybody.
import { Alarms, FanfareError, toMilliseconds, type Clock, type Duration } from '../base/index.js'
import type { Codec } from '../codec/index.js'
import type { Engine } from '../engine/index.js'
import { assertTopic } from '../topic/index.js'
import { printTrouble, type BrokerEvent } from './broker-event.js'
import type {
  AnyDefinition,
  CommandDefinition,
  Definition,
  EventDefinition,
  MessageKind,
  QueryDefinition,
} from './definition.js'
import {
  LiveMessage,
  Publication,
  type MessageContext,
  type PublishedAttributes,
} from './live-message.js'
import {
  LiveSubscription,
  type LiveSubscriptionOptions,
  type Subscription,
} from './live-subscription.js'
import { MessageHeaders, type HeadersInput } from './message-headers.js'
import type { Message } from './message.js'
import { MessageStream } from './message-stream.js'
import { validate } from './received-message.js'
import { answering, refuse, requestOne, type RequestContext } from './requests.js'
import { assertDefinition, Catalog, type MessageOf, type Source } from './source.js'
import type { StandardSchema } from './standard-schema.js'
import type { ParametersOf } from './topic-template.js'

/** What is sent to a target: the schema's input; anything to a plain topic. */
export type InputOf<T> =
  T extends Definition<MessageKind, string, infer Input, unknown> ? Input : unknown

/** What is answered to a request. */
export type ReplyOf<T> = T extends {
  readonly reply: StandardSchema<unknown, infer Reply> | undefined
}
  ? Reply
  : unknown

type ParametersOption<T> =
  T extends Definition<MessageKind, infer Template, unknown, unknown>
    ? keyof ParametersOf<Template> extends never
      ? { readonly params?: undefined }
      : { readonly params: { readonly [K in keyof ParametersOf<Template>]: string | number } }
    : { readonly params?: undefined }

/** Required where the topic has parameters. */
type OptionsFor<T, Options> =
  ParametersOption<T> extends { readonly params: object }
    ? [options: Options & ParametersOption<T>]
    : [options?: Options & ParametersOption<T>]

export interface EmitOptions {
  /** Default: made up when needed. */
  readonly id?: string
  /** What order is kept by. */
  readonly key?: string
  readonly headers?: HeadersInput
}

export interface RequestOptions extends EmitOptions {
  /** Longest wait for the answer; default '5s'. */
  readonly timeout?: Duration
  readonly signal?: AbortSignal
}

type PublishedOptions = EmitOptions & {
  readonly params?: Readonly<Record<string, string | number>> | undefined
}

export interface CloseOptions {
  /** Longest wait for handlers at work; default '30s'. */
  readonly drain?: Duration
}

export interface BrokerParts {
  readonly engine: Engine
  readonly clock: Clock
  readonly codec: Codec
  readonly catalog?: readonly AnyDefinition[] | undefined
  readonly onEvent?: ((event: BrokerEvent) => void) | undefined
}

const DEFAULT_REQUEST_TIMEOUT: Duration = '5s'
const DEFAULT_DRAIN: Duration = '30s'

/** Topics of one definition are kept up to this many, then all are looked up anew. */
const KEPT_TOPICS = 10_000

export class Broker implements AsyncDisposable {
  readonly engine: Engine
  /** @internal */
  readonly context: MessageContext
  readonly #alarms: Alarms
  readonly #catalog: Catalog
  readonly #onEvent: (event: BrokerEvent) => void
  readonly #subscriptions = new Set<LiveSubscription>()
  readonly #streams = new Set<MessageStream<Message>>()
  readonly #byTopic = new Map<string, Publication>()
  readonly #byDefinition = new Map<AnyDefinition, Map<string, Publication>>()
  #lastTarget: AnyDefinition | string | undefined
  #lastPublication: Publication | undefined
  readonly #requestsUnderWay = new Set<(reason: FanfareError) => void>()
  readonly #requests: RequestContext
  #closing: Promise<void> | undefined

  constructor(parts: BrokerParts) {
    this.engine = parts.engine
    this.context = { clock: parts.clock, codec: parts.codec }
    // A request that waits for its answer keeps the process alive; an idle broker does not.
    this.#alarms = new Alarms(parts.clock, { keepsProcessAlive: true })
    this.#catalog = new Catalog(parts.catalog)
    this.#onEvent = parts.onEvent ?? printTrouble
    this.#requests = {
      engine: this.engine,
      alarms: this.#alarms,
      context: this.context,
      underWay: this.#requestsUnderWay,
    }
    this.engine.onEvent((event) => this.report(event))
  }

  get isClosed(): boolean {
    return this.#closing !== undefined
  }

  /**
   * Sends an event to whoever is subscribed now: at most once, nothing to await. Throws for a wrong call (CLOSED,
   * TOPIC_INVALID, UNDECLARED_TOPIC); what fails on the way becomes an `emit-failed` event.
   *
   * @example broker.emit(Price, { bid: 187.2 }, { params: { symbol: 'AAPL' } })
   */
  emit<T extends EventDefinition | string>(
    target: T,
    data: InputOf<T>,
    ...options: OptionsFor<T, EmitOptions>
  ): void
  // The plain form, as a rest parameter would cost an array and an iterator for each message.
  emit(target: AnyDefinition | string, data: unknown, options?: PublishedOptions): void {
    const publication = this.#publicationOf(target, options)
    try {
      this.engine.publish(publication.topic, toMessage(publication, data, options))
    } catch (error) {
      if (!FanfareError.is(error) || error.code === 'CLOSED') throw error
      this.report({ type: 'emit-failed', topic: publication.topic.name, error })
    }
  }

  /**
   * Calls `handler` with every message of the source from now on. A handler that throws is reported as a
   * `handler-failed` event and disturbs nobody else.
   *
   * @example broker.subscribe('order.*', (message) => console.log(message.data))
   */
  subscribe<const S extends Source>(
    source: S,
    handler: (message: MessageOf<S>) => unknown,
    options: LiveSubscriptionOptions = {},
  ): Subscription {
    return this.#open(source, handler as (message: Message) => unknown, options)
  }

  /**
   * The messages of the source from now on, for `for await`. Ends when the broker closes; leaving the loop unsubscribes.
   *
   * @example for await (const { data } of broker.messages(Price)) draw(data.bid)
   */
  messages<const S extends Source>(
    source: S,
    options: Omit<LiveSubscriptionOptions, 'concurrency'> = {},
  ): AsyncIterableIterator<MessageOf<S>> & AsyncDisposable {
    const { signal, ...rest } = options
    const stream = new MessageStream<Message>((handler) => {
      const subscription = this.#open(source, handler, rest)
      return async () => {
        this.#streams.delete(stream)
        await subscription.close()
      }
    }, signal)
    this.#streams.add(stream)
    return stream as unknown as AsyncIterableIterator<MessageOf<S>> & AsyncDisposable
  }

  /**
   * Asks, and resolves with the first answer's data. Rejects with NO_RESPONDERS at once when nobody listens, TIMEOUT,
   * REPLY_FAILED when the responder failed, QUEUE_OVERFLOW when it has too much to do, CLOSED when the broker closes first,
   * or the signal's reason.
   *
   * @example const user = await broker.request(GetUser, { id: 7 }, { timeout: '2s' })
   */
  async request<T extends QueryDefinition | CommandDefinition | string>(
    target: T,
    data: InputOf<T>,
    ...[options]: OptionsFor<T, RequestOptions>
  ): Promise<ReplyOf<T>> {
    const publication = this.#publicationOf(target, options)
    const message = toMessage(publication, data, options)
    const answer = await requestOne(
      this.#requests,
      publication.topic,
      message,
      replyDefinitionOf(target),
      {
        timeoutMs: toMilliseconds(options?.timeout ?? DEFAULT_REQUEST_TIMEOUT),
        signal: options?.signal,
      },
    )
    return answer as ReplyOf<T>
  }

  /**
   * Answers requests with what `handler` returns. Responders of one group share the requests; the default group is
   * 'responders', so that several processes may respond to one topic and each request is answered once.
   *
   * @example broker.respond(GetUser, ({ data }) => users.get(data.id))
   */
  respond<const S extends QueryDefinition | CommandDefinition | string>(
    source: S,
    handler: (message: MessageOf<S>) => ReplyOf<S> | Promise<ReplyOf<S>>,
    options: LiveSubscriptionOptions = {},
  ): Subscription {
    const respond = answering(
      this.#requests,
      replyDefinitionOf(source),
      handler as (message: Message) => unknown,
    )
    // Overload is told to the caller (QUEUE_OVERFLOW) rather than hidden by dropping the oldest request.
    return this.#open(
      source,
      respond,
      {
        group: 'responders',
        concurrency: DEFAULT_RESPONDER_CONCURRENCY,
        overflow: 'reject',
        ...options,
      },
      (replyTo, error) => refuse(this.#requests, replyTo, error),
    )
  }

  /** Resolves when what was emitted has left this process and no subscription that makes publishers wait is full. */
  async flush(): Promise<void> {
    this.#assertOpen()
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.whenRoom()))
    await this.engine.flush()
  }

  /** Takes no further messages, waits for handlers at work as long as `drain` says, and closes the engine. Idempotent. */
  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(toMilliseconds(options.drain ?? DEFAULT_DRAIN))
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @internal */
  report(event: BrokerEvent): void {
    try {
      this.#onEvent(event)
    } catch (error) {
      printTrouble({ type: 'handler-failed', pattern: 'onEvent', topic: event.type, error })
    }
  }

  /** @internal */
  findDefinition(topic: string): AnyDefinition | undefined {
    return this.#catalog.findDefinition(topic)
  }

  /** @internal */
  forget(subscription: LiveSubscription): void {
    this.#subscriptions.delete(subscription)
  }

  #open(
    source: Source,
    handler: (message: Message) => unknown,
    options: LiveSubscriptionOptions,
    refused?: (replyTo: string, error: FanfareError) => void,
  ): LiveSubscription {
    this.#assertOpen()
    if (typeof handler !== 'function') {
      throw new FanfareError(
        'OPTION_INVALID',
        `the handler must be a function, not ${typeof handler}`,
      )
    }
    options.signal?.throwIfAborted()
    const { pattern, definition } = this.#catalog.resolve(source)
    const subscription = new LiveSubscription(this, pattern, definition, handler, options, refused)
    this.#subscriptions.add(subscription)
    return subscription
  }

  /** What is known of a target, from the last call, from an earlier one, or looked up and checked. */
  #publicationOf(
    target: AnyDefinition | string,
    options: PublishedOptions | undefined,
  ): Publication {
    this.#assertOpen()
    const last = this.#lastPublication
    if (target === this.#lastTarget && last !== undefined && options?.params === undefined) {
      return last
    }
    const isTopic = typeof target === 'string'
    const publication = isTopic
      ? (this.#byTopic.get(target) ?? this.#addPublication(this.#byTopic, target, undefined))
      : this.#publicationThrough(target, options)
    if (options?.params === undefined) {
      this.#lastTarget = target
      this.#lastPublication = publication
    }
    return publication
  }

  #publicationThrough(
    definition: AnyDefinition,
    options: PublishedOptions | undefined,
  ): Publication {
    assertDefinition(definition)
    let publications = this.#byDefinition.get(definition)
    if (publications === undefined) {
      publications = new Map()
      this.#byDefinition.set(definition, publications)
    }
    const name = definition.template.fill(options?.params)
    return publications.get(name) ?? this.#addPublication(publications, name, definition)
  }

  #addPublication(
    publications: Map<string, Publication>,
    name: string,
    definition: AnyDefinition | undefined,
  ): Publication {
    assertTopic(name)
    this.#catalog.resolve(name)
    if (publications.size >= KEPT_TOPICS) publications.clear()
    const publication = new Publication(this.engine.topic(name), definition, this.context)
    publications.set(name, publication)
    return publication
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new FanfareError('CLOSED', 'the broker is closed')
  }

  async #close(drainMs: number): Promise<void> {
    for (const stream of this.#streams) stream.end()
    const drained = Promise.all(
      [...this.#subscriptions].map((subscription) => subscription.drain()),
    )
    await this.#withinMs(drainMs, drained)
    for (const end of [...this.#requestsUnderWay]) {
      end(new FanfareError('CLOSED', 'the broker was closed before the answer came'))
    }
    await this.engine.close({ drainMs })
    this.#alarms.close()
  }

  async #withinMs(limitMs: number, work: Promise<unknown>): Promise<void> {
    await Promise.race([work, this.#sleep(limitMs)])
  }

  #sleep(durationMs: number): Promise<void> {
    return new Promise((resolve) => this.#alarms.set(durationMs, resolve))
  }
}

/** A responder usually waits for something; one request at a time would make a queue of every process. */
const DEFAULT_RESPONDER_CONCURRENCY = 256

function toMessage(
  publication: Publication,
  input: unknown,
  attributes: PublishedAttributes | undefined,
): LiveMessage {
  const { definition, topic } = publication
  const data = definition?.schema === undefined ? input : validate(definition, input, topic.name)
  // Wrong headers are found here, so that they fail alike inside one process and over a network.
  if (attributes?.headers !== undefined) {
    const headers = MessageHeaders.from(attributes.headers)
    return new LiveMessage(publication, input, data, { ...attributes, headers })
  }
  return new LiveMessage(publication, input, data, attributes)
}

function replyDefinitionOf(
  target: QueryDefinition | CommandDefinition | string,
): Pick<AnyDefinition, 'schema'> | undefined {
  return typeof target === 'string' ? undefined : { schema: target.reply }
}
