// The durable half of the contract: streams, what is published to them, transactions, dead letters. An engine has all of
// it or none (`Engine.durable`); what a given server lacks of it is refused with UNSUPPORTED, never weakened.
import type { TopicHandle } from '../topic/index.js'
import type { DeadLetters } from './dead-letters.js'
import type { EngineMessage } from './message.js'
import type { PublishOutcome } from './publish-outcome.js'
import type { AppendOptions, ReceiptSink, Stream, StreamSettings } from './stream.js'
import type { Transaction } from './transaction.js'

export interface Durable {
  /** The strongest durability that a stream can have here, and the default. */
  readonly strongest: StreamSettings['durability']

  /**
   * Makes a stream. An equal one of that name is returned as it is; rejects with STREAM_DIFFERS naming the fields, or with
   * TOPICS_OVERLAP naming the other stream.
   */
  createStream(settings: StreamSettings): Promise<Stream>
  updateStream(settings: StreamSettings): Promise<Stream>
  findStream(name: string): Promise<Stream | undefined>
  streams(): Promise<readonly Stream[]>
  deleteStream(name: string): Promise<boolean>

  /**
   * Publishes as `Engine.publish` does, with a receipt at `sink` under `token`. A topic that no stream captures is
   * refused with NO_STREAM and reaches nobody.
   */
  publish(
    address: TopicHandle,
    message: EngineMessage,
    sink: ReceiptSink,
    token: number,
    options?: AppendOptions,
  ): PublishOutcome

  beginTransaction(): Transaction
  deadLetters(stream: Stream): DeadLetters
}
