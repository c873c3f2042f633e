// The contract: what every engine promises to the layers above, and all that they may know of it.
//
// LAW
// Order      Messages of one publisher to one topic reach each receiver in the order of the `publish` calls. What a
//            receiver publishes during its `deliver` is delivered after the fan-out at hand is complete.
// Live       `publish` is at most once and keeps nothing: who is not subscribed at that moment does not get it.
// Synchrony  `publish` never waits and never rejects later. An engine inside the process has called every receiver when
//            it returns (nested calls excepted, see Order).
// Isolation  A receiver that throws harms neither the publisher nor other receivers; it is reported as an event.
// Groups     Of the receivers that share a group name and match a message, exactly one gets it, in fair turns.
// Filters    What a subscription's filter does not match is, for that subscription, as if it had not been published. A group whose
//            members filter differently is for engines that say `filtersGroups`.
// Closing    Who opens, closes. `close` drains within its bound, may be called twice, and rejects nothing that was
//            accepted. After it `publish` and `subscribe` throw CLOSED.
// Validity   Topics, patterns and group names are validated once, above the contract, before an engine sees them.
//
// The durable half (streams, consumers, transactions, dead letters) is `durable`, with laws of its own in durable.ts,
// stream.ts, consumer.ts and transaction.ts; docs/design/contract.md argues the shape of both.
import type { FilterPattern, FilterView } from '../filter/index.js'
import type { TopicHandle } from '../topic/index.js'
import type { Capabilities } from './capabilities.js'
import type { Durable } from './durable.js'
import type { EngineEvent } from './engine-event.js'
import type { EngineMessage } from './message.js'
import type { PublishOutcome } from './publish-outcome.js'

/** Takes messages. Called synchronously; must return soon. */
export interface Receiver {
  /**
   * Hands over `message`, which is valid during the call only.
   * Returns false when the receiver's backlog is over its mark (the message is taken all the same).
   */
  deliver(message: EngineMessage, subscription: Subscription): boolean
  /** Says that the engine ended the subscription (permission refused, connection lost for good), with the reason. */
  ended?(subscription: Subscription, reason: Error): void
}

export interface Subscription {
  readonly pattern: string
  readonly group: string | undefined
  readonly receiver: Receiver
  readonly isClosed: boolean
  /** Ends it at once: nothing is delivered after the call. Safe to call twice. */
  unsubscribe(): void
}

/** A filter over messages. All see a message alike, so what one of them sees is shown to the others. */
export interface MessageFilter {
  readonly pattern: FilterPattern
  /** The message as filters see it, valid as long as the message. */
  view(message: EngineMessage): FilterView
  matches(view: FilterView): boolean
}

export interface SubscribeOptions {
  /** Members of one group share the messages. */
  readonly group?: string
  /** Stops by itself after this many messages: an engine on the network tells its server, which then cleans up. */
  readonly maxMessages?: number
  /** Only messages that it matches are delivered, take a group's turn and count. */
  readonly filter?: MessageFilter
  /** The same by a function, asked after the filter. Must not throw. */
  readonly when?: (message: EngineMessage) => boolean
}

export interface ReplySink {
  /** One answer, valid during the call. */
  reply(message: EngineMessage): void
  /** Nobody listens on the topic; no answer will come. */
  noResponders(): void
}

/** A request under way. */
export interface PendingRequest {
  /** Stops listening for answers. */
  cancel(): void
}

export interface CloseOptions {
  /** Longest time to spend on draining, in milliseconds; default 30,000. */
  readonly drainMs?: number
}

export interface EngineStatistics {
  readonly subscriptions: number
  /** Topics that are remembered with what matched them. */
  readonly cachedTopics: number
}

export interface Engine {
  readonly capabilities: Capabilities
  /** Streams and all that belongs to them, once opened. */
  readonly durable: Durable | undefined
  /** Opens that half, the same each time; absent where the engine has none. */
  openDurable?(): Promise<Durable>
  readonly isClosed: boolean

  /** The cached handle of the topic whose bytes are `bytes[from, to)`. The bytes are not validated. */
  topicAt(bytes: Uint8Array, from: number, to: number): TopicHandle
  /** The cached handle of a valid topic. */
  topic(name: string): TopicHandle

  /**
   * Delivers `message` to everybody whose pattern matches `address`. The address is usually `message.handle`; where it
   * differs, receivers are shown `message.handle` (a consumer's deliver address, for one).
   */
  publish(address: TopicHandle, message: EngineMessage): PublishOutcome

  /** Subscribes to a valid pattern; from the return on, messages are delivered. */
  subscribe(pattern: string, receiver: Receiver, options?: SubscribeOptions): Subscription

  /** Publishes `message` with a reply address of the engine's making and hands every answer to `sink`. */
  request(address: TopicHandle, message: EngineMessage, sink: ReplySink): PendingRequest

  /** Whether anybody here is subscribed to the topic; undefined when the engine cannot know. */
  hasInterest(topic: TopicHandle): boolean | undefined

  /** What the engine holds now, for monitoring. */
  readonly statistics: EngineStatistics

  /** Resolves when everything published before has left this process; at once inside one process. */
  flush(): Promise<void>

  /** Calls `listener` with what goes on outside any call: slow receivers, lost connections, errors. */
  onEvent(listener: (event: EngineEvent) => void): void

  close(options?: CloseOptions): Promise<void>
}
