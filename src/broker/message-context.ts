// What all messages of one broker share: the clock, how bodies are written and read, and who tells what is being handled.
import type { Clock } from '../base/index.js'
import {
  DEFAULT_MAX_INFLATED_BYTES,
  withPreferred,
  type Codec,
  type Codecs,
  type Compressor,
} from '../codec/index.js'
import { DEFAULT_SOURCE } from './cloud-event.js'
import type { Message } from './message.js'
import type { Validation } from './validation.js'

export interface MessageContext {
  readonly clock: Clock
  readonly codecs: Codecs
  /** What `ce-source` says of messages from here. */
  readonly source: string
  /** Undefined: bodies travel as they are. */
  readonly compressor: Compressor | undefined
  readonly maxInflatedBytes: number
  readonly causes: CauseStorage | undefined
  /** Where schemas are applied whose definitions do not say. */
  readonly validation: Validation
}

/** Knows the message that is being handled; an `AsyncLocalStorage<Message>` of Node, for one. */
export interface CauseStorage {
  run<Result>(message: Message, work: () => Result): Result
  getStore(): Message | undefined
}

/** What decides how a broker's messages are written and read. */
export interface MessageParts {
  readonly clock: Clock
  /** Writes bodies, and reads those that do not say what they are. */
  readonly codec: Codec
  /** Read further content types. */
  readonly codecs?: readonly Codec[] | undefined
  readonly source?: string | undefined
  readonly compressor?: Compressor | undefined
  readonly maxInflatedBytes?: number | undefined
  readonly causes?: CauseStorage | undefined
  /** Default 'both'. */
  readonly validate?: Validation | undefined
}

export function makeMessageContext(parts: MessageParts): MessageContext {
  return {
    clock: parts.clock,
    codecs: { preferred: parts.codec, others: parts.codecs ?? [] },
    source: parts.source ?? DEFAULT_SOURCE,
    compressor: parts.compressor,
    maxInflatedBytes: parts.maxInflatedBytes ?? DEFAULT_MAX_INFLATED_BYTES,
    causes: parts.causes,
    validation: parts.validate ?? 'both',
  }
}

/** The same, with another codec for what does not say what it is. */
export function preferring(context: MessageContext, codec: Codec | undefined): MessageContext {
  const { codecs } = context
  if (codec === undefined || codec === codecs.preferred) return context
  return { ...context, codecs: withPreferred(codecs, codec) }
}

export function withoutCompression(context: MessageContext): MessageContext {
  return context.compressor === undefined ? context : { ...context, compressor: undefined }
}

/** `handler`, during whose calls the broker's storage knows the message; as it is where there is no storage. */
export function withCause<M extends Message, Rest extends unknown[]>(
  { causes }: MessageContext,
  handler: (message: M, ...rest: Rest) => unknown,
): (message: M, ...rest: Rest) => unknown {
  if (causes === undefined) return handler
  return (message, ...rest) => causes.run(message, () => handler(message, ...rest))
}
