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
  /** The decoded body. Throws DECODE_FAILED or VALIDATION_FAILED when it is not what the subscription expects. */
  readonly data: Data
  /** The body as it travelled, or would travel. */
  readonly bytes: Uint8Array
  /** Where an answer is wanted. */
  readonly replyTo: string | undefined
}
