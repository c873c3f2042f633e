// What a handler is given. The parts are decoded when they are first read.
import type { MessageKind } from './definition.js'
import type { MessageHeaders } from './message-headers.js'

export interface Message<
  Data = unknown,
  Parameters = Readonly<Record<string, string>>,
  Type extends string = string,
  Topic extends string = string,
> {
  /** Unique; the publisher's, or made when first read. */
  readonly id: string
  /** The definition's type; for a message published without a definition, its topic. */
  readonly type: Type
  /** Undefined for a message published without a definition. */
  readonly kind: MessageKind | undefined
  readonly topic: Topic
  /** The parameters of the subscription's topic template. */
  readonly params: Parameters
  /** When it was published; for a foreign publisher that does not say, when it arrived. */
  readonly time: Date
  /** What order is kept by. */
  readonly key: string | undefined
  readonly headers: MessageHeaders
  /** What all messages of one flow have in common: taken over from message to message by the option `cause`. */
  readonly correlationId: string | undefined
  /** The id of the message that this one followed from. */
  readonly causationId: string | undefined
  /** The CloudEvents attributes that have no name here: `source`, `dataschema`, extensions. Names are in small letters. */
  readonly attributes: Readonly<Record<string, string>>
  /**
   * The decoded body, read by the codec that its content type names. Throws DECODE_FAILED, VALIDATION_FAILED or
   * PAYLOAD_TOO_LARGE when it is not what the subscription expects.
   */
  readonly data: Data
  /** The body as it travelled, compressed if it was; can always be read. */
  readonly bytes: Uint8Array
  /** Where an answer is wanted. */
  readonly replyTo: string | undefined
}
