// The message as it passes through the contract. It comes in two forms: bytes, which is what travels and what is stored; and,
// for live delivery inside one process only, a value that the bytes would be made of (the broker's own class).
//
// A receiver is handed a message that belongs to somebody else: it is valid during the call and changed after it.
// Whoever wants to keep it takes a copy with `retain`.
import { decodeExactly } from '../base/index.js'
import type { TopicHandle } from '../topic/index.js'

export abstract class EngineMessage {
  /** The topic that receivers are shown; it may differ from the address that the message was delivered to. */
  abstract readonly handle: TopicHandle
  /** Who published, so that a connection without echo can pass over its own messages; undefined: nobody who asks. */
  abstract readonly origin: unknown

  /** The topic where an answer is wanted. */
  abstract get replyTopic(): string | undefined

  /** The message as bytes: itself, or made at the first call. Throws ENCODE_FAILED for a value that has no bytes. */
  abstract toBytes(): BytesMessage

  /** A message of the same content that stays valid. */
  abstract retain(): EngineMessage

  /** A message of the same content that asks for an answer at `reply`, and stays valid. */
  abstract withReply(reply: string): EngineMessage
}

const NOTHING = new Uint8Array(0)
const encoder = new TextEncoder()

/** A message as ranges of one buffer. An empty range means that the part is absent. */
export class BytesMessage extends EngineMessage {
  override handle: TopicHandle
  override origin: unknown = undefined
  buffer: Uint8Array = NOTHING
  /** Where an answer is wanted: a topic's bytes. */
  replyStart = 0
  replyEnd = 0
  /** The header block as on the wire: version line, fields, empty line (ADR-4). */
  headersStart = 0
  headersEnd = 0
  bodyStart = 0
  bodyEnd = 0

  constructor(handle: TopicHandle) {
    super()
    this.handle = handle
  }

  get headerBytes(): number {
    return this.headersEnd - this.headersStart
  }

  get bodyBytes(): number {
    return this.bodyEnd - this.bodyStart
  }

  get hasReply(): boolean {
    return this.replyEnd > this.replyStart
  }

  override get replyTopic(): string | undefined {
    if (!this.hasReply) return undefined
    return decodeExactly(this.buffer, this.replyStart, this.replyEnd)
  }

  /** The encoded header block; empty when there are no headers. */
  get headerBlock(): Uint8Array {
    return this.buffer.subarray(this.headersStart, this.headersEnd)
  }

  get body(): Uint8Array {
    return this.buffer.subarray(this.bodyStart, this.bodyEnd)
  }

  override toBytes(): this {
    return this
  }

  override retain(): BytesMessage {
    return this.#copy(this.buffer.subarray(this.replyStart, this.replyEnd))
  }

  override withReply(reply: string): BytesMessage {
    return this.#copy(encoder.encode(reply))
  }

  /** Takes copies of the three parts as the content. */
  setParts(reply: Uint8Array, headerBlock: Uint8Array, body: Uint8Array): void {
    const buffer = new Uint8Array(reply.length + headerBlock.length + body.length)
    buffer.set(reply, 0)
    buffer.set(headerBlock, reply.length)
    buffer.set(body, reply.length + headerBlock.length)
    this.buffer = buffer
    this.replyStart = 0
    this.replyEnd = this.headersStart = reply.length
    this.headersEnd = this.bodyStart = reply.length + headerBlock.length
    this.bodyEnd = buffer.length
  }

  #copy(reply: Uint8Array): BytesMessage {
    const copy = new BytesMessage(this.handle)
    copy.setParts(reply, this.headerBlock, this.body)
    copy.origin = this.origin
    return copy
  }
}
