// A live subscription: between the engine's delivery, which must not wait, and a handler, which may take its time.
import { FanfareError } from '../base/index.js'
import { HandlerLane, type OverflowPolicy } from '../delivery/index.js'
import {
  assertGroup,
  type Engine,
  type EngineMessage,
  type Receiver,
  type Subscription as EngineSubscription,
} from '../engine/index.js'
import type { Filter } from '../filter/index.js'
import type { BrokerEvent } from './broker-event.js'
import type { AnyDefinition } from './definition.js'
import { LiveMessage, type MessageContext } from './live-message.js'
import type { Message } from './message.js'
import { ReceivedMessage } from './received-message.js'

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
export interface LiveSelection {
  readonly filter?: Filter
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
  /** Takes no further messages; resolves when the handler has seen those that wait. */
  drain(): Promise<void>
  /** Takes no further messages and forgets those that wait; resolves when calls under way have ended. */
  close(): Promise<void>
}

export interface SubscriptionHost {
  readonly engine: Engine
  readonly context: MessageContext
  report(event: BrokerEvent): void
  forget(subscription: LiveSubscription): void
  /** What the catalog declares of a topic. */
  findDefinition(topic: string): AnyDefinition | undefined
}

const DEFAULT_CAPACITY = 10_000

export class LiveSubscription implements Receiver, Subscription {
  readonly pattern: string
  dropped = 0
  /** Messages are fetched from it, and may be left where they are. */
  isPulled = false
  readonly #host: SubscriptionHost
  readonly #definition: AnyDefinition | undefined
  readonly #lane: HandlerLane<Message>
  readonly #engineSubscription: EngineSubscription
  readonly #signal: AbortSignal | undefined
  /** Tells who asked that a request was refused. */
  readonly #refused: ((replyTo: string, error: FanfareError) => void) | undefined
  readonly #when: ((message: Message) => boolean) | undefined
  /** The message that `when` was asked about and that is delivered next. */
  #admitted: Message | undefined
  #nextDropReport = 1

  constructor(
    host: SubscriptionHost,
    pattern: string,
    definition: AnyDefinition | undefined,
    handler: (message: Message) => unknown,
    options: LiveSubscriptionOptions,
    selection: LiveSelection,
    refused?: (replyTo: string, error: FanfareError) => void,
  ) {
    const { filter, when } = selection
    this.#refused = refused
    this.#when = when
    if (options.group !== undefined) assertGroup(options.group)
    this.pattern = pattern
    this.#host = host
    this.#definition = definition
    this.#signal = options.signal
    this.#lane = new HandlerLane<Message>(
      {
        concurrency: atLeastOne(options.concurrency ?? 1, 'concurrency'),
        capacity: atLeastOne(options.capacity ?? DEFAULT_CAPACITY, 'capacity'),
        overflow: toOverflow(options.overflow ?? 'drop-oldest'),
      },
      handler,
      this.#handlerFailed,
    )
    this.#engineSubscription = host.engine.subscribe(pattern, this, {
      ...(options.group === undefined ? {} : { group: options.group }),
      ...(filter === undefined ? {} : { filter }),
      ...(when === undefined ? {} : { when: this.#isWanted }),
    })
    this.#signal?.addEventListener('abort', this.#aborted, { once: true })
  }

  get isClosed(): boolean {
    return this.#engineSubscription.isClosed
  }

  get queued(): number {
    return this.#lane.queued
  }

  get isAtWork(): boolean {
    return !this.isPulled && !this.#lane.isIdle
  }

  // ---- What the engine calls

  deliver(message: EngineMessage): boolean {
    const admission = this.#lane.offer(
      this.#when === undefined ? this.#present(message) : this.#takeAdmitted(message),
    )
    if (admission === 'running' || admission === 'queued') return true
    if (admission === 'dropped-oldest' || admission === 'dropped-newest') this.#countDrop()
    else if (admission === 'rejected') this.#reject(message)
    return false
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

  async drain(): Promise<void> {
    this.#leave()
    await this.#lane.whenIdle()
  }

  async close(): Promise<void> {
    this.#leave()
    this.#lane.stop()
    await this.#lane.whenIdle()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  // ---- Steps

  /** The message as the handler is to see it; one of this process is passed on as it is. */
  #present(message: EngineMessage): Message {
    if (message instanceof LiveMessage) {
      if (this.#definition === undefined || this.#definition === message.definition) {
        if (!this.#lane.runsAtOnce) message.retain()
        return message
      }
    }
    const definition = this.#definition ?? this.#host.findDefinition(message.handle.name)
    return new ReceivedMessage(message.retain(), this.#host.context, definition)
  }

  /** Asks the user's predicate; its failure is told, and counts as no. */
  readonly #isWanted = (message: EngineMessage): boolean => {
    this.#admitted = undefined
    try {
      const presented = this.#present(message)
      const answer: unknown = this.#when!(presented)
      if (typeof answer !== 'boolean') throw noAnswer(answer)
      if (answer) this.#admitted = presented
      return answer
    } catch (error) {
      const topic = message.handle.name
      this.#host.report({ type: 'filter-failed', pattern: this.pattern, topic, error })
      return false
    }
  }

  /** What `when` was shown is what the handler gets: nothing is decoded twice. */
  #takeAdmitted(message: EngineMessage): Message {
    const admitted = this.#admitted ?? this.#present(message)
    this.#admitted = undefined
    return admitted
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
    this.#engineSubscription.unsubscribe()
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

/** A promise would count as true, whatever it comes to. */
function noAnswer(answer: unknown): FanfareError {
  return new FanfareError(
    'OPTION_INVALID',
    `when must answer true or false, not ${typeof answer}`,
    {
      details: { option: 'when' },
    },
  )
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
