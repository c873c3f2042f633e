// The engine inside this process: live fan-out, groups and requests, with no copy and no allocation per message; and streams, in
// memory or in a directory.
import {
  Alarms,
  FanfareError,
  IdentifierSource,
  SeededRandom,
  systemClock,
  systemRandom,
  type Clock,
  type Random,
} from '../base/index.js'
import { RequestInbox } from '../delivery/index.js'
import {
  EventListeners,
  outcomeOf,
  type Capabilities,
  type Engine,
  type EngineEventListener,
  type EngineMessage,
  type EngineStatistics,
  type PendingRequest,
  type PublishOutcome,
  type ReceiptSink,
  type Receiver,
  type ReplySink,
  type SubscribeOptions,
  type Subscription,
} from '../engine/index.js'
import type { FilterView } from '../filter/index.js'
import { PatternIndex, TopicTable, type TopicHandle } from '../topic/index.js'
import type { DurablePlace, EmbeddedDurable, EngineStorage } from './embedded-durable.js'
import { EmbeddedSubscription } from './embedded-subscription.js'
import { collectInterest, type AskFilter, type Interest } from './interest.js'

export interface EmbeddedEngineOptions {
  /** How many topics are remembered with their subscribers; default 16,384. */
  readonly topicCacheSize?: number
  /** Where group turns and reply addresses come from; default: the platform's secure source. */
  readonly random?: Random
  readonly clock?: Clock
}

/** Nested publishes delivered in one go before other work of the process gets its turn. */
const DEFERRED_PER_TURN = 1_000

interface Deferred {
  readonly address: TopicHandle<Interest>
  readonly message: EngineMessage
}

export class EmbeddedEngine implements Engine {
  readonly capabilities: Capabilities = {
    engine: 'embedded',
    inProcess: true,
    countsReceivers: true,
    knowsInterest: true,
    filtersGroups: true,
    maxPayloadBytes: Number.MAX_SAFE_INTEGER,
  }
  readonly #index = new PatternIndex<EmbeddedSubscription>()
  readonly #topics: TopicTable<Interest>
  readonly #turns: Random
  readonly #inbox: RequestInbox
  readonly #listeners = new EventListeners()
  readonly #clock: Clock
  readonly #alarms: Alarms
  #durable: EmbeddedDurable | undefined
  #opening: Promise<EmbeddedDurable> | undefined
  #deferred: Deferred[] = []
  #isFanningOut = false
  #isClosed = false

  constructor(options: EmbeddedEngineOptions = {}) {
    const random = options.random ?? systemRandom
    this.#clock = options.clock ?? systemClock
    this.#topics = new TopicTable<Interest>(options.topicCacheSize)
    this.#turns = new SeededRandom(random.nextUint32())
    this.#inbox = new RequestInbox(this, new IdentifierSource(random))
    this.#alarms = new Alarms(this.#clock)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get statistics(): EngineStatistics {
    return { subscriptions: this.#index.size, cachedTopics: this.#topics.size }
  }

  get durable(): EmbeddedDurable | undefined {
    return this.#durable
  }

  /** Opens streams, in memory unless `storage` says otherwise. Loaded when asked for: live messages need none of it. */
  openDurable(storage?: EngineStorage): Promise<EmbeddedDurable> {
    this.#opening ??= this.#openDurable(storage)
    return this.#opening
  }

  topicAt(bytes: Uint8Array, from: number, to: number): TopicHandle {
    return this.#topics.atBytes(bytes, from, to)
  }

  topic(name: string): TopicHandle {
    return this.#topics.atName(name)
  }

  publish(address: TopicHandle, message: EngineMessage): PublishOutcome {
    if (this.#isClosed) throw closedError()
    const handle = address as TopicHandle<Interest>
    const interest = handle.matches ?? this.#lookUp(handle)
    const { stream } = interest
    if (stream === undefined) return this.#deliverLive(handle, message, interest)
    stream.append(handle, message.toBytes(), undefined, this.#unreceipted)
    const outcome = this.#deliverLive(handle, message, interest)
    return stream.isOverMark ? outcome | outcomeOf(0, true) : outcome
  }

  /** Delivers to live receivers only. */
  #deliverLive(
    handle: TopicHandle<Interest>,
    message: EngineMessage,
    interest: Interest,
  ): PublishOutcome {
    if (this.#isFanningOut || this.#deferred.length > 0)
      return this.#defer(handle, message, interest)
    this.#isFanningOut = true
    const outcome = this.#fanOut(interest, message)
    if (this.#deferred.length > 0) this.#publishDeferred()
    this.#isFanningOut = false
    return outcome
  }

  subscribe(pattern: string, receiver: Receiver, options: SubscribeOptions = {}): Subscription {
    if (this.#isClosed) throw closedError()
    const subscription = new EmbeddedSubscription(pattern, receiver, options, this.#remove)
    this.#index.insert(pattern, subscription)
    this.#topics.invalidate(pattern)
    return subscription
  }

  request(address: TopicHandle, message: EngineMessage, sink: ReplySink): PendingRequest {
    return this.#inbox.request(address, message, sink)
  }

  hasInterest(topic: TopicHandle): boolean {
    const handle = topic as TopicHandle<Interest>
    return (handle.matches ?? this.#lookUp(handle)).receiverCount > 0
  }

  async flush(): Promise<void> {
    if (this.#isClosed) throw closedError()
  }

  onEvent(listener: EngineEventListener): void {
    this.#listeners.add(listener)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#inbox.close()
    await (await this.#opening)?.close()
    this.#alarms.close()
    this.#listeners.report({ type: 'closed' })
  }

  /** Told what became of messages that were published without asking for a receipt. */
  readonly #unreceipted: ReceiptSink = {
    committed: () => {},
    duplicate: () => {},
    refused: (_token, _count, error) => this.#listeners.report({ type: 'engine-error', error }),
  }

  readonly #remove = (subscription: EmbeddedSubscription): void => {
    this.#index.remove(subscription.pattern, subscription)
    this.#topics.invalidate(subscription.pattern)
  }

  #lookUp(handle: TopicHandle<Interest>): Interest {
    this.#topics.refresh(handle)
    const stream = this.#durable?.capturing(handle.name)
    return (handle.matches = collectInterest(this.#index, handle.name, this.#turns, stream))
  }

  #interestIn(address: TopicHandle): Interest {
    const handle = address as TopicHandle<Interest>
    return handle.matches ?? this.#lookUp(handle)
  }

  async #openDurable(storage: EngineStorage | undefined): Promise<EmbeddedDurable> {
    if (this.#isClosed) throw closedError()
    const { EmbeddedDurable, openMemoryStorage } = await import('./embedded-durable.js')
    const place = this.#makePlace()
    this.#durable = new EmbeddedDurable(place, storage ?? openMemoryStorage(this.#clock))
    await this.#durable.recover()
    return this.#durable
  }

  #makePlace(): DurablePlace {
    return {
      clock: this.#clock,
      alarms: this.#alarms,
      topic: (name) => this.topic(name),
      topicAt: (bytes, from, to) => this.topicAt(bytes, from, to),
      report: (event) => this.#listeners.report(event),
      deliver: (address, message) =>
        this.#deliverLive(address as TopicHandle<Interest>, message, this.#interestIn(address)),
      forgetInterest: (pattern) => void this.#topics.invalidate(pattern),
      consumersOf: (address) => this.#interestIn(address).consumers,
      streamOf: (address) => this.#interestIn(address).stream,
      assertOpen: () => {
        if (this.#isClosed) throw closedError()
      },
    }
  }

  #fanOut(interest: Interest, message: EngineMessage): PublishOutcome {
    let reached = 0
    let isOverMark = false
    const plain = interest.plain
    for (let i = 0; i < plain.length; i++) {
      const subscription = plain[i]!
      if (subscription.isClosed) continue
      reached += 1
      if (!this.#deliver(subscription, message)) isOverMark = true
    }
    const { filtering, groups } = interest
    const admits = interest.isFiltering ? this.#askFilters(message) : undefined
    for (let i = 0; i < filtering.length; i++) {
      const subscription = filtering[i]!
      if (subscription.isClosed || !admits!(subscription)) continue
      reached += 1
      if (!this.#deliver(subscription, message)) isOverMark = true
    }
    for (let i = 0; i < groups.length; i++) {
      const member = groups[i]!.takeTurn(admits)
      if (member === undefined) continue
      reached += 1
      if (!this.#deliver(member, message)) isOverMark = true
    }
    return outcomeOf(reached, isOverMark)
  }

  /** What is seen of the message is seen once, by all who ask. */
  #askFilters(message: EngineMessage): AskFilter {
    let view: FilterView | undefined
    return (subscription) => {
      const { filter, when } = subscription.options
      try {
        if (filter !== undefined && !filter.matches((view ??= filter.view(message)))) return false
        return when === undefined || when(message)
      } catch (error) {
        this.#listeners.report({ type: 'receiver-failed', pattern: subscription.pattern, error })
        return false
      }
    }
  }

  #deliver(subscription: EmbeddedSubscription, message: EngineMessage): boolean {
    if (subscription.remaining > 0 && --subscription.remaining === 0) subscription.unsubscribe()
    try {
      return subscription.receiver.deliver(message, subscription)
    } catch (error) {
      this.#listeners.report({ type: 'receiver-failed', pattern: subscription.pattern, error })
      return true
    }
  }

  /** Keeps what a receiver publishes until the fan-out at hand is complete: first in, first out for everybody. */
  #defer(
    address: TopicHandle<Interest>,
    message: EngineMessage,
    interest: Interest,
  ): PublishOutcome {
    this.#deferred.push({ address, message: message.retain() })
    const reached = interest.isFiltering
      ? interest.countReached(this.#askFilters(message))
      : interest.receiverCount
    return outcomeOf(reached, false)
  }

  #publishDeferred(): void {
    let delivered = 0
    while (delivered < this.#deferred.length && delivered < DEFERRED_PER_TURN) {
      const { address, message } = this.#deferred[delivered++]!
      this.#fanOut(address.matches ?? this.#lookUp(address), message)
    }
    this.#deferred = this.#deferred.slice(delivered)
    if (this.#deferred.length > 0) this.#clock.defer(() => this.#resumeDeferred())
  }

  /** Handlers that publish to each other without end must not keep the process from anything else. */
  #resumeDeferred(): void {
    this.#isFanningOut = true
    this.#publishDeferred()
    this.#isFanningOut = false
  }
}

function closedError(): FanfareError {
  return new FanfareError('CLOSED', 'the engine is closed')
}
