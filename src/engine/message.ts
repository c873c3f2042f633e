// The message as it passes through the contract: bytes, plus, for live delivery inside one process only, the value that
// the bytes would be made of. All ranges lie in `buffer`; an empty range means that the part is absent.
//
// A receiver is handed a message that belongs to somebody else: it is valid during the call and changed after it.
// Whoever wants to keep it takes a copy with `retain`.
import { decodeExactly } from '../base/index.js'
import type { TopicHandle } from '../topic/index.js'

export type HeaderPairs = Iterable<readonly [name: string, value: string]>

const NOTHING = new Uint8Array(0)
const encoder = new TextEncoder()

export class EngineMessage {
  /** The topic that receivers are shown; it may differ from the address that the message was delivered to. */
  handle: TopicHandle
  buffer: Uint8Array = NOTHING
  /** Where an answer is wanted: a topic's bytes. */
  replyStart = 0
  replyEnd = 0
  /** The header block as on the wire: version line, fields, empty line (ADR-4). */
  headersStart = 0
  headersEnd = 0
  bodyStart = 0
  bodyEnd = 0
  /** Who published, so that a connection without echo can pass over its own messages. */
  origin: unknown = undefined

  constructor(handle: TopicHandle) {
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

  /** The topic where an answer is wanted. */
  get replyTopic(): string | undefined {
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

  /** Fills the ranges of a message that was born as a value. Receivers that need bytes call it first. */
  materialize(): void {}

  /** A message of the same content that stays valid: one copy of the bytes. */
  retain(): EngineMessage {
    this.materialize()
    const copy = new EngineMessage(this.handle)
    copy.setParts(this.buffer.subarray(this.replyStart, this.replyEnd), this.headerBlock, this.body)
    copy.origin = this.origin
    return copy
  }

  /** A message of the same content that asks for an answer at `reply`, and stays valid. */
  withReply(reply: string): EngineMessage {
    this.materialize()
    const copy = new EngineMessage(this.handle)
    copy.setParts(encoder.encode(reply), this.headerBlock, this.body)
    copy.origin = this.origin
    return copy
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
}
