// A live subscription: between the engine's delivery, which must not wait, and a handler, which may take its time.
import { FanfareError, toMilliseconds, type Duration } from '../base/index.js'
import { HandlerLane, type OverflowPolicy } from '../delivery/index.js'
import {
  assertGroup,
  type Engine,
  type EngineMessage,
  type MessageFilter,
  type Receiver,
  type SubscribeOptions,
  type Subscription as EngineSubscription,
} from '../engine/index.js'
import { matchesPattern } from '../topic/index.js'
import type { BrokerEvent } from './broker-event.js'
import type { Selection } from './catalog-index.js'
import type { AnyDefinition } from './definition.js'
import { LiveMessage } from './live-message.js'
import type { MessageContext } from './message-context.js'
import type { Message } from './message.js'
import { messageReading } from './message-reading.js'
import type { ReceivedMessage } from './received-message.js'

export interface LiveSubscriptionOptions {
  /** Members of one group share the messages. */
  readonly group?: string
  /** Ends the subscription when aborted. */
  readonly signal?: AbortSignal
  /** Handler calls under way at once; default 1. */
  readonly concurrency?: number
  /** Messages that may wait for the handler; default 10,000. */
  readonly capacity?: number
  /** What happens when that many wait; default 'drop-oldest'. */
  readonly overflow?: OverflowPolicy
}

/** Which messages of its source a subscription takes; nothing said: all. */
export interface LiveFilter {
  readonly filter?: MessageFilter
  /** Asked about what the filter lets through. */
  readonly when?: (message: Message) => boolean
}

/** What `subscribe` returns. */
export interface Subscription extends AsyncDisposable {
  readonly pattern: string
  readonly isClosed: boolean
  /** Messages that wait for the handler. */
  readonly queued: number
  /** Messages lost to overflow since the start. */
  readonly dropped: number
  /** Takes no further messages; waits until the handler has seen those that wait, as long as `drain` says. */
  drain(options?: SubscriptionCloseOptions): Promise<void>
  /**
   * Takes no further messages and forgets those that wait; waits for calls under way, as long as `drain` says. A handler that
   * awaits the close of its own subscription waits for itself: let it call `void subscription.close()`.
   */
  close(options?: SubscriptionCloseOptions): Promise<void>
}

export interface SubscriptionCloseOptions {
  /** Longest wait for handlers at work; default '30s'. */
  readonly drain?: Duration
}

export interface SubscriptionHost {
  readonly engine: Engine
  readonly context: MessageContext
  report(event: BrokerEvent): void
  /** Waits for `work`, no longer than `limitMs`. */
  atMost(limitMs: number, work: Promise<unknown>): Promise<void>
  forget(subscription: LiveSubscription): void
  /** Whether nothing is taken that has no definition. */
  readonly isStrict: boolean
  /** By which definition a message of this topic is seen. */
  definitionIn(selection: Selection, topic: string): AnyDefinition | undefined
}

/** Where a subscription takes its messages from, and the patterns there. */
export interface Feed {
  readonly engine: Pick<Engine, 'subscribe'>
  readonly patterns: readonly string[]
}

const DEFAULT_CAPACITY = 10_000
const DEFAULT_DRAIN: Duration = '30s'

export class LiveSubscription implements Receiver, Subscription {
  readonly pattern: string
  dropped = 0
  /** Messages are fetched from it, and may be left where they are. */
  isPulled = false
  readonly #host: SubscriptionHost
  readonly #selection: Selection
  /** Messages are to be seen by definitions. */
  readonly #isDeclared: boolean
  readonly #lane: HandlerLane<Message>
  readonly #handler: (message: Message) => unknown
  /** Several patterns may match one topic. Of a group, one member gets a message once, whatever matched. */
  readonly #mayRepeat: boolean
  /** Each message that comes is taken, as it is. */
  readonly #isPlain: boolean
  readonly #engineSubscriptions: EngineSubscription[] = []
  readonly #signal: AbortSignal | undefined
  /** Tells who asked that a request was refused. */
  readonly #refused: ((replyTo: string, error: FanfareError) => void) | undefined
  readonly #when: ((message: Message) => boolean) | undefined
  /** The message that `when` was asked about and that is delivered next. */
  #admitted: Message | undefined
  #nextDropReport = 1

  constructor(
    host: SubscriptionHost,
    selection: Selection,
    feed: Feed,
    handler: (message: Message) => unknown,
    options: LiveSubscriptionOptions,
    { filter, when }: LiveFilter,
    refused?: (replyTo: string, error: FanfareError) => void,
  ) {
    this.#refused = refused
    this.#when = when
    if (options.group !== undefined) assertGroup(options.group)
    this.pattern = selection.text
    this.#host = host
    this.#selection = selection
    this.#isDeclared =
      host.isStrict || selection.definition !== undefined || selection.definitions.length > 0
    this.#handler = handler
    this.#mayRepeat = selection.patterns.length > 1 && options.group === undefined
    this.#isPlain = !this.#isDeclared && !this.#mayRepeat && when === undefined
    this.#signal = options.signal
    this.#lane = new HandlerLane<Message>(
      {
        concurrency: atLeastOne(options.concurrency ?? 1, 'concurrency'),
        capacity: atLeastOne(options.capacity ?? DEFAULT_CAPACITY, 'capacity'),
        overflow: toOverflow(options.overflow ?? 'drop-oldest'),
      },
      this.#isDeclared ? this.#checkAndHandle : handler,
      this.#handlerFailed,
    )
    for (const pattern of feed.patterns) {
      const subscription = feed.engine.subscribe(
        pattern,
        this,
        this.#termsOf(pattern, options, filter),
      )
      this.#engineSubscriptions.push(subscription)
    }
    this.#signal?.addEventListener('abort', this.#aborted, { once: true })
  }

  get isClosed(): boolean {
    return this.#engineSubscriptions[0]!.isClosed
  }

  get queued(): number {
    return this.#lane.queued
  }

  /** Whether publishers that wait for room have to. */
  get isFull(): boolean {
    return this.#lane.isFull
  }

  get isAtWork(): boolean {
    return !this.isPulled && !this.#lane.isIdle
  }

  // ---- What the engine calls

  deliver(message: EngineMessage, from: EngineSubscription): boolean {
    if (this.#isPlain) return this.#offer(message, this.#present(message))
    if (this.#mayRepeat && this.#isRepeated(message, from.pattern)) return true
    const presented = this.#when === undefined ? this.#show(message) : this.#takeAdmitted(message)
    return presented === undefined || this.#offer(message, presented)
  }

  ended(_subscription: EngineSubscription, reason: Error): void {
    this.#host.report({ type: 'subscription-ended', pattern: this.pattern, error: reason })
    this.#leave()
  }

  // ---- What the user calls

  /** Resolves when a publisher that waits may go on. */
  whenRoom(): Promise<void> {
    return this.#lane.whenRoom()
  }

  async drain({ drain = DEFAULT_DRAIN }: SubscriptionCloseOptions = {}): Promise<void> {
    const limitMs = toMilliseconds(drain)
    this.#leave()
    if (this.#lane.isIdle) return
    await this.#host.atMost(limitMs, this.#lane.whenIdle())
  }

  async close(options: SubscriptionCloseOptions = {}): Promise<void> {
    const ended = this.drain(options)
    this.#lane.stop()
    await ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  // ---- Steps

  #offer(message: EngineMessage, presented: Message): boolean {
    const admission = this.#lane.offer(presented)
    if (admission === 'running' || admission === 'queued') return true
    if (admission === 'dropped-oldest' || admission === 'dropped-newest') this.#countDrop()
    else if (admission === 'rejected') this.#reject(message)
    return false
  }

  /** The message as the handler is to see it; one of this process is passed on as it is. */
  #present(message: EngineMessage): Message {
    if (message instanceof LiveMessage) {
      if (!this.#lane.runsAtOnce) message.retain()
      return message
    }
    return new (messageReading().ReceivedMessage)(message.retain(), this.#host.context, undefined)
  }

  /** The same by its definition; undefined where it is not for this subscription. */
  #presentDeclared(message: EngineMessage): Message | undefined {
    const definition =
      this.#selection.definition ?? this.#host.definitionIn(this.#selection, message.handle.name)
    // Of a catalog, a pattern yields events only: who answers or works on the rest says so by name.
    if (this.#selection.definition === undefined && this.#host.isStrict) {
      if (definition?.kind !== 'event') return undefined
    }
    if (message instanceof LiveMessage) {
      if (definition === undefined || (definition === message.definition && message.isReady)) {
        if (!this.#lane.runsAtOnce) message.retain()
        return message
      }
    }
    return new (messageReading().ReceivedMessage)(message.retain(), this.#host.context, definition)
  }

  /** Undefined where it is not for this subscription. */
  #show(message: EngineMessage): Message | undefined {
    return this.#isDeclared ? this.#presentDeclared(message) : this.#present(message)
  }

  #termsOf(
    pattern: string,
    { group }: LiveSubscriptionOptions,
    filter: MessageFilter | undefined,
  ): SubscribeOptions {
    return {
      ...(group && { group }),
      ...(filter && { filter }),
      ...(this.#when && { when: (message) => this.#isWanted(message, pattern) }),
    }
  }

  /** Asks the user's predicate, once for each message; its failure is told, and counts as no. */
  #isWanted(message: EngineMessage, pattern: string): boolean {
    this.#admitted = undefined
    if (this.#mayRepeat && this.#isRepeated(message, pattern)) return false
    try {
      const shown = this.#show(message)
      if (shown === undefined || !this.#isAnsweredYes(shown)) return false
      this.#admitted = shown
      return true
    } catch (error) {
      const topic = message.handle.name
      this.#host.report({ type: 'filter-failed', pattern: this.pattern, topic, error })
      return false
    }
  }

  /** Nobody is asked about what is not as its definition says: that is told where the handler would be called. */
  #isAnsweredYes(message: Message): boolean {
    if (isReceived(message) && message.check() === undefined) {
      if (message.fault !== undefined) return true
    }
    return this.#when!(message)
  }

  /** What `when` was shown is what the handler gets: nothing is decoded twice. */
  #takeAdmitted(message: EngineMessage): Message | undefined {
    const admitted = this.#admitted ?? this.#show(message)
    this.#admitted = undefined
    return admitted
  }

  /** A topic that several patterns match comes once for each: the first is taken. */
  #isRepeated(message: EngineMessage, through: string): boolean {
    const topic = message.handle.name
    return this.#selection.patterns.find((pattern) => matchesPattern(pattern, topic)) !== through
  }

  /** What is not as its definition says never reaches the handler. */
  readonly #checkAndHandle = (message: Message): unknown => {
    if (!isReceived(message)) return this.#handler(message)
    const checked = message.check()
    return checked === undefined
      ? this.#handleChecked(message)
      : checked.then(() => this.#handleChecked(message))
  }

  #handleChecked(message: ReceivedMessage): unknown {
    const { fault, replyTo } = message
    if (fault === undefined) return this.#handler(message)
    const { pattern } = this
    this.#host.report({ type: 'message-invalid', pattern, topic: message.topic, error: fault })
    if (replyTo !== undefined) this.#refused?.(replyTo, fault as FanfareError)
    return undefined
  }

  readonly #aborted = (): void => {
    this.#leave()
    this.#lane.stop()
  }

  readonly #handlerFailed = (error: unknown, message: Message): void => {
    this.#host.report({
      type: 'handler-failed',
      pattern: this.pattern,
      topic: message.topic,
      error,
    })
  }

  #leave(): void {
    this.#signal?.removeEventListener('abort', this.#aborted)
    for (const subscription of this.#engineSubscriptions) subscription.unsubscribe()
    this.#host.forget(this)
  }

  #countDrop(): void {
    this.dropped += 1
    if (this.dropped < this.#nextDropReport) return
    this.#nextDropReport *= 2
    this.#host.report({ type: 'messages-dropped', pattern: this.pattern, count: this.dropped })
  }

  #reject(message: EngineMessage): void {
    const topic = message.handle.name
    const error = new FanfareError(
      'QUEUE_OVERFLOW',
      `${topic} was refused: ${this.#lane.queued} messages wait for a handler of ${this.pattern}`,
      { retryable: true, details: { topic, pattern: this.pattern } },
    )
    this.#host.report({ type: 'message-rejected', pattern: this.pattern, topic, error })
    const replyTo = message.replyTopic
    if (replyTo !== undefined) this.#refused?.(replyTo, error)
  }
}

const OVERFLOW_POLICIES: readonly OverflowPolicy[] = [
  'wait',
  'reject',
  'drop-oldest',
  'drop-newest',
]

function toOverflow(policy: OverflowPolicy): OverflowPolicy {
  if (OVERFLOW_POLICIES.includes(policy)) return policy
  throw new FanfareError(
    'OPTION_INVALID',
    `overflow must be one of ${OVERFLOW_POLICIES.join(', ')}, not ${String(policy)}`,
    { details: { option: 'overflow', value: policy } },
  )
}

function atLeastOne(value: number, option: string): number {
  if (Number.isInteger(value) && value >= 1) return value
  throw new FanfareError(
    'OPTION_INVALID',
    `${option} must be a whole number from 1, not ${value}`,
    {
      details: { option, value },
    },
  )
}

/** The two kinds of message that there are on the way to a handler. */
function isReceived(message: Message): message is ReceivedMessage {
  return !(message instanceof LiveMessage)
}
