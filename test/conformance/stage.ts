// What a conformance case plays on: a publishing and a subscribing engine on one place (one and the same engine where the
// place is this process), recorders of what arrives, and fences that tell when nothing more can arrive.
import { loadParts } from '../../src/broker/index.js'
import { jsonCodec } from '../../src/codec/index.js'
import { systemClock, type Clock } from '../../src/base/index.js'
import { Broker } from '../../src/broker/broker.js'
import type { BrokerEvent } from '../../src/broker/broker-event.js'
import type { MessageParts } from '../../src/broker/message-context.js'
import type { AnyDefinition } from '../../src/broker/index.js'
import {
  BytesMessage,
  type Engine,
  type EngineMessage,
  type PublishOutcome,
  type Receiver,
  type SubscribeOptions,
  type Subscription,
} from '../../src/engine/index.js'
import { toLiveFilter } from '../../src/broker/live-filter.js'
import { encodeHeaderBlock } from '../../src/wire/index.js'

const ARRIVAL_BOUND_MS = 5_000
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** How an engine may end: closed; the process killed; the machine without power. */
export type Ending = 'restart' | 'kill' | 'power loss'

/** Time that stands still until a case moves it. */
export interface MovableTime {
  nowMs(): number
  advance(durationMs: number): void
}

export interface Place {
  /** The engine in use: another one after `reopen`. */
  readonly engine: Engine
  /** A second engine on the same place; the same engine where the place is this process. */
  another(): Promise<Engine>
  close(): Promise<void>
  /** Absent: time passes by itself. */
  readonly time?: MovableTime
  /** The ways in which the engine can end here and find again what it kept; absent: it keeps nothing. */
  readonly endings?: readonly Ending[]
  /** Ends the engine that way and opens one on what it left. What still holds the old one hears nothing any more. */
  reopen?(ending: Ending): Promise<void>
}

export interface Content {
  readonly body?: string | Uint8Array
  readonly reply?: string
  readonly headers?: readonly (readonly [string, string])[]
}

export interface PublishOptions extends Content {
  readonly engine?: Engine
}

export interface RecordOptions extends SubscribeOptions {
  readonly engine?: Engine
  /** Called during delivery, after the message was recorded. */
  readonly during?: (message: EngineMessage, subscription: Subscription) => void
}

export interface BrokerTerms extends Partial<MessageParts> {
  readonly catalog?: readonly AnyDefinition[]
  readonly clock?: Clock
  readonly onEvent?: (event: BrokerEvent) => void
}

export class Stage {
  readonly place: Place
  #subscriber: Engine
  #fences = 0

  private constructor(place: Place, subscriber: Engine) {
    this.place = place
    this.#subscriber = subscriber
  }

  static async open(place: Place): Promise<Stage> {
    await loadParts()
    return new Stage(place, await place.another())
  }

  get publisher(): Engine {
    return this.place.engine
  }

  get subscriber(): Engine {
    return this.#subscriber
  }

  /** Ends the engine and goes on with one that found what it left. */
  async reopen(ending: Ending): Promise<void> {
    const { place } = this
    if (place.reopen === undefined) throw new Error('this place keeps nothing over an ending')
    await place.reopen(ending)
    this.#subscriber = await place.another()
  }

  makeMessage(topic: string, content: Content = {}, engine = this.publisher): BytesMessage {
    const { body = '', reply = '', headers } = content
    const message = new BytesMessage(engine.topic(topic))
    message.setParts(
      encoder.encode(reply),
      headers === undefined ? new Uint8Array(0) : encodeHeaderBlock(headers),
      typeof body === 'string' ? encoder.encode(body) : body,
    )
    return message
  }

  publish(topic: string, options: PublishOptions = {}): PublishOutcome {
    const { engine = this.publisher, ...content } = options
    return engine.publish(engine.topic(topic), this.makeMessage(topic, content, engine))
  }

  /** Subscribes and records; active for every publisher after `ready`. */
  record(pattern: string, options: RecordOptions = {}): Recorder {
    const { engine = this.subscriber, during, ...terms } = options
    const recorder = new Recorder(during)
    recorder.subscription = engine.subscribe(pattern, recorder, terms)
    return recorder
  }

  /** Resolves when the subscriptions made so far are known wherever messages pass. */
  async ready(...others: readonly Engine[]): Promise<void> {
    for (const engine of [this.subscriber, this.publisher, ...others]) await engine.flush()
  }

  /** Resolves when everything that `from` published before has been delivered at `to`, if it is delivered at all. */
  async settled(from = this.publisher, to = this.subscriber): Promise<void> {
    const topic = `fence.${++this.#fences}`
    const fence = this.record(topic, { engine: to })
    await to.flush()
    this.publish(topic, { engine: from })
    await fence.received(1)
    fence.subscription.unsubscribe()
  }

  openBroker(engine: Engine, terms: BrokerTerms = {}): Broker {
    return new Broker({
      ...terms,
      engine,
      clock: terms.clock ?? systemClock,
      codec: terms.codec ?? jsonCodec,
      toLiveFilter,
      onEvent: terms.onEvent ?? (() => {}),
    })
  }

  /** Two brokers, one on each side, and the events of both. */
  openBrokers(terms: Omit<BrokerTerms, 'onEvent'> = {}): {
    here: Broker
    there: Broker
    events: EventLog
  } {
    const events = new EventLog()
    const here = this.openBroker(this.publisher, { ...terms, onEvent: events.add })
    const there = this.openBroker(this.subscriber, { ...terms, onEvent: events.add })
    return { here, there, events }
  }
}

/** Things that come one after the other, and the wait for so many of them. */
export class Arrivals<T> {
  readonly items: T[] = []
  readonly #watchers = new Set<() => void>()

  readonly add = (item: T): void => {
    this.items.push(item)
    for (const look of [...this.#watchers]) look()
  }

  /** Resolves with the items when there are `count`. */
  async received(count: number): Promise<readonly T[]> {
    await this.until(() => this.items.length >= count, `${count} arrivals`)
    return this.items
  }

  until(isMet: () => boolean, wanted: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (!isMet()) return
        clearTimeout(timer)
        this.#watchers.delete(look)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#watchers.delete(look)
        reject(new Error(`${this.items.length} arrived in ${ARRIVAL_BOUND_MS} ms, not ${wanted}`))
      }, ARRIVAL_BOUND_MS)
      this.#watchers.add(look)
      look()
    })
  }
}

/** Records messages as copies that stay valid. */
export class Recorder extends Arrivals<BytesMessage> implements Receiver {
  subscription!: Subscription
  readonly #during: RecordOptions['during']

  constructor(during?: RecordOptions['during']) {
    super()
    this.#during = during
  }

  deliver(message: EngineMessage, subscription: Subscription): boolean {
    this.add(message.retain().toBytes())
    this.#during?.(message, subscription)
    return true
  }

  get bodies(): string[] {
    return this.items.map((message) => decoder.decode(message.body))
  }

  get topics(): string[] {
    return this.items.map((message) => message.handle.name)
  }
}

export class EventLog extends Arrivals<BrokerEvent> {
  async find<Type extends BrokerEvent['type']>(
    type: Type,
  ): Promise<Extract<BrokerEvent, { type: Type }>> {
    const look = () => this.items.find((event) => event.type === type)
    await this.until(() => look() !== undefined, `an event '${type}'`)
    return look() as Extract<BrokerEvent, { type: Type }>
  }

  count(type: BrokerEvent['type']): number {
    return this.items.filter((event) => event.type === type).length
  }
}

/** A promise and what settles it. */
export function makeGate(): { readonly opened: Promise<void>; open(): void } {
  let open!: () => void
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open }
}

/** The code of the error that `work` throws or rejects with; undefined when it does neither. */
export async function codeOf(work: () => unknown): Promise<string | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}
