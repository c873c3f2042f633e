// The API people use: one object with one verb for each thing one does with messages, the same over every engine.
//
// Handlers run when the engine delivers: an idle handler inside this process is called before `emit` returns; what it
// emits meanwhile follows after the current message has reached everybody.
import {
  Alarms,
  FanfareError,
  toMilliseconds,
  type Duration,
  type ErrorCode,
} from '../base/index.js'
import type { Durable, Engine, EngineMessage } from '../engine/index.js'
import { matchesPattern, type TopicHandle } from '../topic/index.js'
import { answering, refuse } from './answers.js'
import type { AnswerHost, ReplyDefinition } from './request-terms.js'
import { printTrouble, type BrokerEvent } from './broker-event.js'
import type { BrokerStream } from './broker-stream.js'
import type { ConsumeOptions, Delivery } from './consume-options.js'
import { CatalogIndex, type Selection } from './catalog-index.js'
import type { ConsumedMessageOf } from './consumed-message.js'
import type { Consumption } from './consumption.js'
import type { Catalog } from './declared.js'
import type { AnyDefinition } from './definition.js'
import type { DurableHost } from './durable-host.js'
import type { Receipt } from './durable-publisher.js'
import type { DurableVerbs, TransactionOptions } from './durable-verbs.js'
import type { toLiveFilter } from './live-filter.js'
import { LiveMessage, type Publication } from './live-message.js'
import {
  makeMessageContext,
  withCause,
  type MessageContext,
  type MessageParts,
} from './message-context.js'
import {
  LiveSubscription,
  type Feed,
  type LiveSubscriptionOptions,
  type Subscription,
  type LiveFilter,
} from './live-subscription.js'
import { assertKind, type Verb } from './message-kinds.js'
import type { Message } from './message.js'
import { MessageStream } from './message-stream.js'
import { optionInvalid, refuseUnknownOptions } from './option-checks.js'
import { Publications, toMessage, toMessageInTurn, type Parameterized } from './publications.js'
import type { PublishOptions, PublishTerms } from './publish-options.js'
import { loadedParts } from './load-parts.js'
import { messageReading } from './message-reading.js'
import {
  toRequestManyTerms,
  toRequestTerms,
  type Answer,
  type RequestContext,
  type RequestManyOptions,
  type RequestOptions,
} from './request-terms.js'
import { requestOne } from './requests.js'
import type { RespondOptions, ResponderTerms, Service, ServiceOptions } from './service.js'
import { findServices, type Services } from './services.js'
import {
  patternOf,
  type MessageOf,
  type RequestOf,
  type Sources,
  type TopicSource,
} from './source.js'
import type { StreamOptions } from './stream-options.js'
import { isSelective, type SubscribeOptions } from './subscribe-options.js'
import type {
  EmitOptions,
  InputOf,
  OptionsFor,
  PayloadOf,
  Receivable,
  ReplyInputOf,
  ReplyOf,
  Sendable,
  Target,
} from './target.js'
import type { Transaction, TransactionOf } from './transaction.js'
import { TypeIndex, typeTopic } from './type-index.js'
import { waitFor } from './waiting.js'
import type { ContentOptions } from './where.js'

type PublishedOptions = EmitOptions & Parameterized

export interface CloseOptions {
  /** Longest wait for handlers at work; default '30s'. */
  readonly drain?: Duration
}

export interface FlushOptions {
  /** Longest wait; default '30s'. */
  readonly timeout?: Duration
  readonly signal?: AbortSignal
}

export interface BrokerParts<
  C extends Catalog | undefined = Catalog | undefined,
> extends MessageParts {
  readonly engine: Engine
  readonly catalog?: C | undefined
  /** Absent: `prepare` loads it. */
  readonly toLiveFilter?: typeof toLiveFilter
  readonly onEvent?: ((event: BrokerEvent) => void) | undefined
}

/** What is wrong with each message of its kind, and not with one. */
const WRONG_CALLS: ReadonlySet<string> = new Set<ErrorCode>(['CLOSED', 'ASYNC_SCHEMA'])

const DEFAULT_DRAIN: Duration = '30s'
const DEFAULT_FLUSH_TIMEOUT: Duration = '30s'
const FLUSH_OPTIONS: ReadonlySet<string> = new Set<keyof FlushOptions>(['timeout', 'signal'])

/** `C` is the type of its catalog: `Broker<typeof catalog>`. A function that takes `Broker` takes any. */
export class Broker<C extends Catalog | undefined = undefined> implements AsyncDisposable {
  readonly engine: Engine
  /** @internal */
  readonly context: MessageContext
  readonly #alarms: Alarms
  readonly #catalog: CatalogIndex
  #toLiveFilter: typeof toLiveFilter | undefined
  readonly #onEvent: (event: BrokerEvent) => void
  readonly #subscriptions = new Set<LiveSubscription>()
  readonly #streams = new Set<MessageStream<Message>>()
  readonly #publications: Publications
  readonly #requestsUnderWay = new Set<(reason: FanfareError) => void>()
  readonly #requests: RequestContext
  /** Loaded when first needed: a broker of live messages carries none of it. */
  #verbs: DurableVerbs | undefined
  #loadingVerbs: Promise<DurableVerbs> | undefined
  /** Made when somebody first subscribes by type. */
  #typeIndex: TypeIndex | undefined
  #publishesWaiting = 0
  #closing: Promise<void> | undefined

  constructor(parts: BrokerParts<C>) {
    this.engine = parts.engine
    this.context = makeMessageContext(parts)
    this.#toLiveFilter = parts.toLiveFilter
    // A request that waits for its answer keeps the process alive; an idle broker does not.
    this.#alarms = new Alarms(parts.clock, { keepsProcessAlive: true })
    this.#catalog = new CatalogIndex(parts.catalog)
    this.#publications = new Publications(this.engine, this.context, this.#catalog)
    this.#onEvent = parts.onEvent ?? printTrouble
    this.#requests = {
      engine: this.engine,
      alarms: this.#alarms,
      context: this.context,
      underWay: this.#requestsUnderWay,
    }
    this.engine.onEvent((event) => this.report(event))
  }

  /** @internal Loads what must be at hand when a subscription filters. */
  async prepare(): Promise<this> {
    this.#toLiveFilter ??= (await import('./live-filter.js')).toLiveFilter
    return this
  }

  get isClosed(): boolean {
    return this.#closing !== undefined
  }

  /**
   * Sends an event to whoever is subscribed now: at most once, nothing to await. Throws for a wrong call (CLOSED,
   * TOPIC_INVALID, UNDECLARED_TOPIC, KIND_MISMATCH, ASYNC_SCHEMA); what fails on the way becomes an `emit-failed` event.
   *
   * @example broker.emit(Price, { bid: 187.2 }, { params: { symbol: 'AAPL' } })
   */
  emit<const T extends Target>(
    target: T & Sendable<T, C, 'emit'>,
    data: InputOf<T, C>,
    ...options: OptionsFor<T, EmitOptions>
  ): void
  // The plain form, as a rest parameter would cost an array and an iterator for each message.
  emit(target: AnyDefinition | string, data: unknown, options?: PublishedOptions): void {
    const publication = this.#publicationOf(target, options)
    if (!publication.isEmittable) assertKind('emit', publication.definition)
    try {
      this.engine.publish(publication.topic, toMessage(publication, data, options))
    } catch (error) {
      if (!FanfareError.is(error) || WRONG_CALLS.has(error.code)) throw error
      this.report({ type: 'emit-failed', topic: publication.topic.name, error })
    }
  }

  /**
   * Calls `handler` with every message of the source from now on. A handler that throws is reported as a
   * `handler-failed` event and disturbs nobody else.
   *
   * @example broker.subscribe('order.*', (message) => console.log(message.data))
   */
  subscribe<const S extends Sources>(
    source: S & Receivable<S, C, 'subscribe'>,
    handler: (message: MessageOf<S, C>) => unknown,
    options: SubscribeOptions<PayloadOf<S, C, 'event'>, MessageOf<S, C>> = {},
  ): Subscription {
    return this.#open(
      this.#select('subscribe', source),
      handler as (message: Message) => unknown,
      options,
    )
  }

  /**
   * The messages of the source from now on, for `for await`. Ends when the broker closes; leaving the loop unsubscribes.
   *
   * @example for await (const { data } of broker.messages(Price)) draw(data.bid)
   */
  messages<const S extends Sources>(
    source: S & Receivable<S, C, 'subscribe'>,
    options: Omit<SubscribeOptions<PayloadOf<S, C, 'event'>, MessageOf<S, C>>, 'concurrency'> = {},
  ): AsyncIterableIterator<MessageOf<S, C>> & AsyncDisposable {
    const { signal, ...rest } = options
    const selection = this.#select('subscribe', source)
    const stream = new MessageStream<Message>((handler) => {
      const subscription = this.#open(selection, handler, rest)
      // Its handler ends when the loop asks, whatever goes on meanwhile.
      subscription.isPulled = true
      return async () => {
        this.#streams.delete(stream)
        await subscription.close()
      }
    }, signal)
    this.#streams.add(stream)
    return stream as unknown as AsyncIterableIterator<MessageOf<S, C>> & AsyncDisposable
  }

  /**
   * Asks, and resolves with the first answer's data. Rejects with NO_RESPONDERS at once when nobody listens, TIMEOUT,
   * REPLY_FAILED when the responder failed, QUEUE_OVERFLOW when it has too much to do, CLOSED when the broker closes first,
   * or the signal's reason.
   *
   * @example const user = await broker.request(GetUser, { id: 7 }, { timeout: '2s' })
   */
  async request<const T extends Target>(
    target: T & Sendable<T, C, 'request'>,
    data: InputOf<T, C>,
    ...[options]: OptionsFor<T, RequestOptions>
  ): Promise<ReplyOf<T, C>> {
    const publication = this.#publicationOf(target, options)
    const { definition } = publication
    assertKind('request', definition)
    options?.signal?.throwIfAborted()
    const message = await toMessageInTurn(publication, data, options)
    this.#assertOpen()
    const answer = await requestOne(
      this.#requests,
      publication.topic,
      message,
      replyDefinitionOf(definition),
      toRequestTerms(options),
    )
    return answer as ReplyOf<T, C>
  }

  /**
   * Asks, and yields every answer that comes: of several responders that share no group, or of one that answers several times.
   * Ends by `max`, `stall` or `timeout`, whichever is first; a failed answer has an `error` and ends nothing. The loop rejects
   * with NO_RESPONDERS, CLOSED, or the signal's reason.
   *
   * @example for await (const { data } of broker.requestMany(GetLoad, undefined, { stall: '100ms' })) loads.push(data)
   */
  requestMany<const T extends Target>(
    target: T & Sendable<T, C, 'request'>,
    data: InputOf<T, C>,
    ...[options]: OptionsFor<T, RequestManyOptions>
  ): AsyncGenerator<Answer<ReplyOf<T, C>>, void, undefined> {
    const publication = this.#publicationOf(target, options)
    const { topic, definition } = publication
    assertKind('request', definition)
    const terms = toRequestManyTerms(options)
    const message = toMessageInTurn(publication, data, options)
    const answers = loadedParts().requestMany(
      this.#requests,
      topic,
      message,
      replyDefinitionOf(definition),
      terms,
    )
    return answers as AsyncGenerator<Answer<ReplyOf<T, C>>, void, undefined>
  }

  /**
   * Answers requests with what `handler` returns. Responders of one group share the requests; the default group is
   * 'responders', so that several processes may respond to one topic and each request is answered once. A handler that throws
   * makes the request fail with REPLY_FAILED; `throw replyFailed(404, 'no such user')` says more.
   *
   * @example broker.respond(GetUser, ({ data }) => users.get(data.id))
   */
  respond<const S extends AnyDefinition | string>(
    source: S & Receivable<S, C, 'respond'>,
    handler: (message: RequestOf<S, C>) => ReplyInputOf<S, C> | Promise<ReplyInputOf<S, C>>,
    options: RespondOptions = {},
  ): Subscription {
    return this.#respond(this.#requests, source, handler as (message: Message) => unknown, {
      ...options,
      group: options.group ?? 'responders',
    })
  }

  /**
   * Makes this process an instance of a service: responders that can be found and counted by every NATS client and by
   * `nats service ls`. Rejects with NAME_INVALID, OPTION_INVALID.
   *
   * @example const users = await broker.service({ name: 'users', version: '1.0.0' })
   */
  async service(options: ServiceOptions): Promise<Service<C>> {
    this.#assertOpen()
    const { OpenService } = loadedParts()
    const service = new OpenService(
      {
        answers: this.#requests,
        respond: (host, source, handler, terms) => this.#respond(host, source, handler, terms),
      },
      options,
    )
    await this.engine.flush()
    return service as unknown as Service<C>
  }

  /** Finds services, asks what they offer, and what they have done. */
  get services(): Services {
    return findServices(this.#requests)
  }

  /**
   * A stream: made with these options, or verified to have been made with them (STREAM_DIFFERS otherwise). Without options, one
   * that is there (STREAM_NOT_FOUND otherwise). Rejects with TOPICS_OVERLAP when another stream captures one of its topics.
   *
   * @example const orders = await broker.stream('orders', { topics: ['order.>'], maxAge: '7d' })
   */
  async stream(name: string, options?: StreamOptions): Promise<BrokerStream<C>> {
    this.#assertOpen()
    return (await this.#loadVerbs()).stream(name, options) as Promise<BrokerStream<C>>
  }

  /** Every stream, those that hold dead letters included, by name. */
  async streams(): Promise<BrokerStream<C>[]> {
    this.#assertOpen()
    return (await this.#loadVerbs()).streams() as Promise<BrokerStream<C>[]>
  }

  /**
   * Stores a message, and sends it to whoever is subscribed now. Resolves when it is as safe as its stream's durability says;
   * never waits for handlers. Rejects with NO_STREAM, VALIDATION_FAILED, EXPECTATION_FAILED, STREAM_FULL, STREAM_FROZEN,
   * DISK_FULL, TIMEOUT, CLOSED, or the signal's reason.
   *
   * @example const { sequence } = await broker.publish(Placed, { id: 1 }, { key: 'customer-7', id: 'order-1' })
   */
  publish<const T extends Target>(
    target: T & Sendable<T, C, 'publish'>,
    data: InputOf<T, C>,
    ...options: OptionsFor<T, PublishOptions>
  ): Promise<Receipt>
  // The plain form, as in `emit`.
  publish(
    target: AnyDefinition | string,
    data: unknown,
    options?: PublishOptions & Parameterized,
  ): Promise<Receipt> {
    try {
      const publication = this.#publications.of(target, options)
      const { topic, definition } = publication
      assertKind('publish', definition)
      // They are not known before the verbs are loaded, and added to the message then.
      const terms = this.#verbs?.termsOf(options)
      const ready = toMessageInTurn(publication, data, terms?.attributes)
      const message =
        definition?.kind === 'command' ? publication.inTurn(this.#whenQueued(ready, topic)) : ready
      if (!(message instanceof LiveMessage)) {
        return this.#publishWhenReady(message, topic, terms, options)
      }
      return this.#send(topic, message, terms, options)
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  /**
   * Calls `handler` with every message of the source that its stream has and will have. The consumer keeps its place under
   * `name`, over restarts; members of one name share the messages. A handler that returns acknowledges, one that throws has
   * the message handed out again; after the last attempt it is a dead letter. Rejects with NO_STREAM, CONSUMER_DIFFERS.
   *
   * @example await broker.consume('billing', Placed, ({ data }) => charge(data), { concurrency: 16, order: 'key' })
   */
  async consume<const S extends Sources, D extends Delivery = 'at-least-once'>(
    name: string,
    source: S & Receivable<S, C, 'consume'>,
    handler: (message: ConsumedMessageOf<S, C>, tx: TransactionOf<D, C>) => unknown,
    options: ConsumeOptions<D> & ContentOptions<PayloadOf<S, C, 'event' | 'command'>> = {},
  ): Promise<Consumption> {
    this.#assertOpen()
    return (await this.#loadVerbs()).consume(
      name,
      source,
      handler,
      options as ConsumeOptions & ContentOptions,
    )
  }

  /**
   * Stores everything that `fill` publishes, or nothing when it throws or something is refused. Resolves with the receipts, in
   * order.
   *
   * @example await broker.transaction((tx) => { tx.publish(Placed, order); tx.publish(Reserved, stock) })
   */
  async transaction(
    fill: (tx: Transaction<C>) => unknown,
    options: TransactionOptions = {},
  ): Promise<Receipt[]> {
    return (await this.#loadVerbs()).transaction(fill as (tx: Transaction) => unknown, options)
  }

  /**
   * Resolves when what was emitted has left this process and no subscription that makes publishers wait is full. Rejects with
   * TIMEOUT, naming them, when one stays full: that of the handler that calls it, for one.
   */
  async flush(options: FlushOptions = {}): Promise<void> {
    this.#assertOpen()
    refuseUnknownOptions('flush', options, FLUSH_OPTIONS)
    const timeoutMs = toMilliseconds(options.timeout ?? DEFAULT_FLUSH_TIMEOUT)
    const flushed = this.#whenRoom().then(() => this.engine.flush())
    const timedOut = (): FanfareError => notFlushed(timeoutMs, this.#subscriptions)
    await waitFor(this.#alarms, flushed, { timeoutMs, signal: options.signal, timedOut })
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
  get isStrict(): boolean {
    return this.#catalog.isStrict
  }

  /** @internal */
  definitionIn(selection: Selection, topic: string): AnyDefinition | undefined {
    return this.#catalog.definitionIn(selection, topic)
  }

  /** @internal The names of the subscriptions and consumers whose handlers are at work or have messages that wait for them. */
  atWork(): string[] {
    const live = [...this.#subscriptions].filter((subscription) => subscription.isAtWork)
    return [...live.map(({ pattern }) => pattern), ...(this.#verbs?.atWork() ?? [])]
  }

  /** @internal A message as the source's subscribers would be given it; undefined when the source does not match it. */
  present(source: TopicSource, message: EngineMessage): Message | undefined {
    const topic = message.handle.name
    if (!matchesPattern(patternOf(source), topic)) return undefined
    const definition = typeof source === 'string' ? this.#catalog.findDefinition(topic) : source
    const { ReceivedMessage } = messageReading()
    return new ReceivedMessage(message, this.context, definition)
  }

  /** @internal Waits for `work`, no longer than `limitMs`. */
  async atMost(limitMs: number, work: Promise<unknown>): Promise<void> {
    await waitFor(this.#alarms, work, { timeoutMs: limitMs })
  }

  /** @internal */
  forget(subscription: LiveSubscription): void {
    this.#subscriptions.delete(subscription)
  }

  #respond(
    host: AnswerHost,
    source: AnyDefinition | string,
    handler: (message: Message) => unknown,
    { group, ...options }: ResponderTerms,
  ): LiveSubscription {
    const selection = this.#select('respond', source)
    const respond = answering(host, replyDefinitionOf(selection.definition), handler)
    // Overload is told to the caller (QUEUE_OVERFLOW) rather than hidden by dropping the oldest request.
    return this.#open(
      selection,
      respond,
      {
        ...(group === false ? {} : { group }),
        concurrency: DEFAULT_RESPONDER_CONCURRENCY,
        overflow: 'reject',
        ...options,
      },
      (replyTo, error) => refuse(host, replyTo, error),
    )
  }

  #send(
    topic: TopicHandle,
    message: LiveMessage,
    terms: PublishTerms | undefined,
    options: PublishOptions | undefined,
  ): Promise<Receipt> {
    if (this.#verbs !== undefined && terms !== undefined && this.#publishesWaiting === 0) {
      return this.#verbs.publish(topic, message, terms.append, options)
    }
    return this.#publishWhenLoaded(topic, message, terms, options && { ...options })
  }

  /** A command goes to a work queue only. */
  async #whenQueued(
    message: LiveMessage | Promise<LiveMessage>,
    topic: TopicHandle,
  ): Promise<LiveMessage> {
    const [ready] = await Promise.all([
      message,
      this.#loadVerbs().then((verbs) => verbs.assertQueued(topic.name)),
    ])
    return ready
  }

  async #publishWhenReady(
    message: Promise<LiveMessage>,
    topic: TopicHandle,
    terms: PublishTerms | undefined,
    options: PublishOptions | undefined,
  ): Promise<Receipt> {
    return this.#send(topic, await message, terms, options)
  }

  /** Those who publish before the verbs are loaded keep their order, as do those who publish while these wait. */
  async #publishWhenLoaded(
    topic: TopicHandle,
    message: LiveMessage,
    terms: PublishTerms | undefined,
    options: PublishOptions | undefined,
  ): Promise<Receipt> {
    // Encoded now: what the caller does with the data afterwards changes nothing.
    message.encode()
    this.#publishesWaiting += 1
    try {
      const verbs = await this.#loadVerbs()
      if (terms !== undefined) return verbs.publish(topic, message, terms.append, options)
      return verbs.publishDraft(topic, message, options)
    } finally {
      this.#publishesWaiting -= 1
    }
  }

  async #whenRoom(): Promise<void> {
    // What a handler has emitted just now is delivered when it returns.
    await Promise.resolve()
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.whenRoom()))
  }

  #loadVerbs(): Promise<DurableVerbs> {
    this.#loadingVerbs ??= this.#openVerbs()
    return this.#loadingVerbs
  }

  async #openVerbs(): Promise<DurableVerbs> {
    const { capabilities } = this.engine
    const durable = await this.engine.openDurable?.()
    if (durable === undefined) {
      throw new FanfareError('UNSUPPORTED', `the ${capabilities.engine} engine has no streams`, {
        details: { engine: capabilities.engine },
      })
    }
    const { DurableVerbs } = await import('./durable-verbs.js')
    return (this.#verbs = new DurableVerbs(this.#hostDurable(durable)))
  }

  #hostDurable(durable: Durable): DurableHost {
    return {
      durable,
      clock: this.context.clock,
      alarms: this.#alarms,
      context: this.context,
      topic: (name) => this.engine.topic(name),
      // Open or not: a handler that ends while the broker drains may still publish.
      publicationOf: (target, options) => this.#publications.of(target, options),
      isStrict: this.#catalog.isStrict,
      select: (verb, sources) => this.#catalog.selectStored(verb, sources),
      definitionIn: (selection, topic) => this.#catalog.definitionIn(selection, topic),
      findDefinition: (topic) => this.#catalog.findDefinition(topic),
      report: (event) => this.report(event),
    }
  }

  /** Throws PATTERN_INVALID, OPTION_INVALID, KIND_MISMATCH, UNDECLARED_TOPIC. */
  #select(verb: Verb, source: Sources): Selection {
    this.#assertOpen()
    return this.#catalog.select(verb, source)
  }

  #filterOf(options: SubscribeOptions): LiveFilter {
    const { engine, filtersGroups } = this.engine.capabilities
    return this.#toLiveFilter!(options, filtersGroups ? undefined : engine)
  }

  #open(
    selection: Selection,
    handler: (message: Message) => unknown,
    options: LiveSubscriptionOptions,
    refused?: (replyTo: string, error: FanfareError) => void,
  ): LiveSubscription {
    if (typeof handler !== 'function') throw optionInvalid('the handler', handler, 'a function')
    options.signal?.throwIfAborted()
    const feed = this.#feedOf(selection)
    const filter = isSelective(options, refused !== undefined) ? this.#filterOf(options) : {}
    const subscription = new LiveSubscription(
      this,
      selection,
      feed,
      withCause(this.context, handler),
      options,
      filter,
      refused,
    )
    this.#subscriptions.add(subscription)
    return subscription
  }

  #feedOf({ patterns, types }: Selection): Feed {
    if (types.length === 0) return { engine: this.engine, patterns }
    if (patterns.length > 0) throw optionInvalid('a list with types', types, 'of types only')
    const { engine, inProcess } = this.engine.capabilities
    if (!inProcess) throw unsupportedTypes(engine)
    this.#typeIndex ??= new TypeIndex(this.engine)
    return { engine: this.#typeIndex, patterns: types.map(typeTopic) }
  }

  #publicationOf(target: AnyDefinition | string, options: Parameterized | undefined): Publication {
    this.#assertOpen()
    return this.#publications.of(target, options)
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new FanfareError('CLOSED', 'the broker is closed')
  }

  async #close(drainMs: number): Promise<void> {
    for (const stream of this.#streams) stream.end()
    // What was published before is accepted first.
    if (this.#loadingVerbs !== undefined) await this.#loadingVerbs.catch(() => undefined)
    const drained = Promise.all([
      this.#verbs?.drain(drainMs),
      ...[...this.#subscriptions].map((subscription) => subscription.drain()),
    ])
    await waitFor(this.#alarms, drained, { timeoutMs: drainMs })
    for (const end of [...this.#requestsUnderWay]) {
      end(new FanfareError('CLOSED', 'the broker was closed before the answer came'))
    }
    await this.engine.close({ drainMs })
    this.#verbs?.abandon()
    this.#alarms.close()
  }
}

/** A responder usually waits for something; one request at a time would make a queue of every process. */
const DEFAULT_RESPONDER_CONCURRENCY = 256

function replyDefinitionOf(definition: AnyDefinition | undefined): ReplyDefinition {
  if (definition === undefined || !('reply' in definition)) return undefined
  const { reply: schema, validate, codec } = definition
  return { schema, validate, codec }
}

function unsupportedTypes(engine: string): FanfareError {
  return new FanfareError(
    'UNSUPPORTED',
    `the ${engine} engine knows topics and no types: it would send every message here; open the broker with a catalog, which says the topics of a type`,
    { details: { engine } },
  )
}

function notFlushed(timeoutMs: number, subscriptions: Iterable<LiveSubscription>): FanfareError {
  const full = [...subscriptions].filter(({ isFull }) => isFull).map(({ pattern }) => pattern)
  const why =
    full.length === 0
      ? 'what was emitted has not left this process'
      : `the handlers of ${full.join(', ')} have not made room; a handler that flushes while its own queue is full waits for itself`
  return new FanfareError('TIMEOUT', `not flushed within ${timeoutMs} ms: ${why}`, {
    retryable: true,
    details: { timeoutMs, full },
  })
}
