// The message as it passes through the contract: bytes, plus, for live delivery inside one process only, the value that
// the bytes would be made of. All ranges lie in `buffer`; an empty range means that the part is absent.
//
// A receiver is handed a message that belongs to somebody else: it is valid during the call and changed after it.
// Whoever wants to keep it takes a copy with `retain`.
import type { TopicHandle } from '../topic/index.js'

export type HeaderPairs = Iterable<readonly [name: string, value: string]>

const NOTHING = new Uint8Array(0)

export class EngineMessage {
  /** The topic that receivers are shown; it may differ from the address that the message was delivered to. */
  topic: TopicHandle
  buffer: Uint8Array = NOTHING
  /** Where an answer is wanted: a topic's bytes. */
  replyFrom = 0
  replyTo = 0
  /** The header block as on the wire: version line, fields, empty line (ADR-4). */
  headersFrom = 0
  headersTo = 0
  bodyFrom = 0
  bodyTo = 0
  /** Who published, so that a connection without echo can pass over its own messages. */
  origin: unknown = undefined
  /** Whether the ranges hold what they should; a message born as a value makes its bytes when first asked. */
  hasBytes = true

  constructor(topic: TopicHandle) {
    this.topic = topic
  }

  get headerBytes(): number {
    return this.headersTo - this.headersFrom
  }

  get bodyBytes(): number {
    return this.bodyTo - this.bodyFrom
  }

  get hasReply(): boolean {
    return this.replyTo > this.replyFrom
  }

  /** Fills the ranges of a message that was born as a value. Receivers that need bytes call it first. */
  materialize(): void {}

  /** A message of the same content that stays valid: one copy of the bytes. */
  retain(): EngineMessage {
    this.materialize()
    const copy = new EngineMessage(this.topic)
    const replyBytes = this.replyTo - this.replyFrom
    const buffer = new Uint8Array(replyBytes + this.headerBytes + this.bodyBytes)
    buffer.set(this.buffer.subarray(this.replyFrom, this.replyTo), 0)
    buffer.set(this.buffer.subarray(this.headersFrom, this.headersTo), replyBytes)
    buffer.set(this.buffer.subarray(this.bodyFrom, this.bodyTo), replyBytes + this.headerBytes)
    copy.buffer = buffer
    copy.replyTo = replyBytes
    copy.headersFrom = replyBytes
    copy.headersTo = copy.bodyFrom = replyBytes + this.headerBytes
    copy.bodyTo = buffer.length
    copy.origin = this.origin
    return copy
  }
}
