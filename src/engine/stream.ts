// Streams on the contract: durable logs that capture topics.
//
// LAW
// Capture     A message published to a topic of a stream is appended to it, by whichever call it was published. Streams of one
//             engine have no topic in common, so one publish is captured once at most.
// Receipts    A receipt is given when the message is as safe as the stream's durability says, and never before; a refusal
//             leaves no trace. Receipts of one sink and stream arrive in the order of the calls.
// Visibility  `read`, `get` and consumers show committed messages only. Live receivers may see a message before its commit.
// Sequence    1, 2, 3 … in a stream, never reused.
// Duplicates  An id that was accepted within the stream's window is not appended again; its receipt waits for the original's.
// Expecting   Expectations are checked against what was accepted, when `publish` is called; a duplicate is answered before.
// Refusing    A refused message reaches nobody live, and its id is not remembered.
// Content     Headers and body are kept to the byte, and headers that say what a publisher asked for are added where they are
//             missing. Where an answer is wanted (the reply topic) is not kept, as on a NATS server.
// Delays      A delayed message has its receipt when it is kept, counts once by its id, and is shown, live too, when it is due, as a
//             message of that moment.
import type { FanfareError } from '../base/index.js'
import type { Durability } from '../log/index.js'
import type { FilterPattern } from '../filter/index.js'
import type { TopicHandle } from '../topic/index.js'
import type { Consumer, ConsumerSettings } from './consumer.js'
import type { StartPoint, StoredMessage } from './stored-message.js'

/** When messages leave a stream besides its limits: never, when every consumer is through, when one is. */
export type Retention = 'limits' | 'interest' | 'work-queue'

/** What a full stream does with a new message: make room by removing the oldest, or refuse it. */
export type Discard = 'old' | 'new'

/** A stream as it is kept: what may be left out has its default filled in; limits that are absent do not hold. */
export interface StreamSettings {
  readonly name: string
  /** Patterns; none overlaps another, nor one of another stream. */
  readonly topics: readonly string[]
  readonly durability: Durability
  readonly retention: Retention
  /** What happens when `maxMessages` or `maxBytes` is reached. */
  readonly discard: Discard
  /** What happens when a topic has `maxMessagesPerTopic`. */
  readonly discardPerTopic: Discard
  readonly maxMessages?: number
  readonly maxBytes?: number
  readonly maxAgeMs?: number
  readonly maxMessagesPerTopic?: number
  /** Largest headers plus body in bytes. */
  readonly maxMessageBytes?: number
  readonly maxConsumers?: number
  /** How long an id is remembered; 0: not at all. */
  readonly duplicateWindowMs: number
  readonly description?: string
  readonly metadata?: Readonly<Record<string, string>>
}

export interface StreamState {
  readonly messages: number
  readonly bytes: number
  readonly firstSequence: number
  readonly lastSequence: number
  readonly firstTimeMs: number
  readonly lastTimeMs: number
  /** Sequences between first and last whose messages are gone. */
  readonly removed: number
  readonly topics: number
  readonly consumers: number
  /** Why nothing can be published, or undefined. */
  readonly frozen: FanfareError | undefined
}

export interface TopicState {
  readonly topic: string
  readonly messages: number
  readonly firstSequence: number
  readonly lastSequence: number
}

/** What a publisher may ask of the capturing stream. */
export interface AppendOptions {
  /** Deduplicates: accepted once within the stream's window. */
  readonly id?: string | undefined
  /** Refused with EXPECTATION_FAILED unless the stream's last accepted sequence is this. */
  readonly expectedLastSequence?: number | undefined
  /** The same for the last message of the topic; 0: there is none. */
  readonly expectedLastTopicSequence?: number | undefined
  /** Refused with EXPECTATION_FAILED unless the stream has this name. */
  readonly expectedStream?: string | undefined
  /** The message is removed this many milliseconds after it was accepted. */
  readonly ttlMs?: number | undefined
  /** Not shown to readers and consumers before this moment; then appended anew. */
  readonly deliverAtMs?: number | undefined
  /** Removes what was there before: of the topic, or all. */
  readonly rollUp?: 'topic' | 'all' | undefined
}

/**
 * Told what became of durable publishes, by the number that the caller gave with the message. A refusal may come within the call
 * of `publish`, and so may the receipt of a duplicate.
 */
export interface ReceiptSink {
  /** Messages `token` to `token + count - 1` became `sequence` to `sequence + count - 1` of the stream. */
  committed(stream: Stream, token: number, sequence: number, count: number): void
  /** The id was accepted before, as `sequence`; that message is committed. */
  duplicate(stream: Stream, token: number, sequence: number): void
  /** Nothing was stored. NO_STREAM, EXPECTATION_FAILED, STREAM_FULL, STREAM_FROZEN, DISK_FULL, PAYLOAD_TOO_LARGE … */
  refused(token: number, count: number, error: FanfareError): void
}

export interface ReadOptions {
  /** Default: the first message. */
  readonly start?: StartPoint
  /** Last sequence to read; default: the last one committed when reading began. */
  readonly through?: number
  /** Patterns, one of which must match; default: every topic. */
  readonly topics?: readonly string[]
  /** What must match besides. A start point is found by topic; what is read from it is filtered. */
  readonly where?: FilterPattern
}

/** Walks the committed messages of a stream upwards. */
export interface StreamReader {
  /**
   * The next message, valid until the next call; undefined at the end; or a promise of either when it must be read from
   * the disk first.
   */
  next(): StoredMessage | undefined | Promise<StoredMessage | undefined>
  close(): void
}

export interface PurgeOptions {
  /** Only topics that this pattern matches. */
  readonly topic?: string
  /** Only sequences below this one. */
  readonly before?: number
  /** Leaves this many of the newest that would go. */
  readonly keep?: number
}

export interface Stream {
  readonly name: string
  readonly settings: StreamSettings
  readonly isDeleted: boolean
  state(): Promise<StreamState>

  get(sequence: number): Promise<StoredMessage | undefined>
  lastOf(topic: TopicHandle): Promise<StoredMessage | undefined>
  read(options?: ReadOptions): StreamReader
  /** The topics that hold messages, of those that `pattern` matches. */
  topics(pattern?: string): Promise<TopicState[]>

  /** Removes messages; resolves with how many, when the removal is as safe as the stream. */
  purge(options?: PurgeOptions): Promise<number>
  /** Removes one message; false when it was not there. */
  remove(sequence: number): Promise<boolean>

  /** Makes a consumer. An equal one of that name is returned as it is; rejects with CONSUMER_DIFFERS otherwise. */
  createConsumer(settings: ConsumerSettings): Promise<Consumer>
  updateConsumer(settings: ConsumerSettings): Promise<Consumer>
  findConsumer(name: string): Promise<Consumer | undefined>
  consumers(): Promise<readonly Consumer[]>
  deleteConsumer(name: string): Promise<boolean>
}
