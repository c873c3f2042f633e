// The frame that was written last: a message that goes to many connections under the same sid is the same bytes for each of
// them, so the first outbox writes it and the others send that piece of its memory, uncopied. In a fan-out to eight
// identical clients this saves seven copies and keeps one slab in the cache instead of eight (`npm run bench:core`, 1:8).
//
// Invariant: while it holds a frame, the slab is lent to the outbox that wrote it; whoever gives a slab back, or ends the
// turn in which the message was valid, clears it first.
import type { Slab } from '../base/index.js'
import type { BytesMessage } from '../engine/index.js'

export class SharedFrame {
  slab: Slab | undefined
  from = 0
  to = 0
  #message: BytesMessage | undefined
  /** A parser's message object is used again, but no two frames of one turn have their body at the same place. */
  #bodyStart = 0
  #handle: unknown
  #sid: Uint8Array = new Uint8Array(0)
  #hasHeaders = false

  /** Whether the frame is that of `message` for `sid`. */
  isOf(message: BytesMessage, sid: Uint8Array, hasHeaders: boolean): boolean {
    return (
      this.#message === message &&
      this.#bodyStart === message.bodyStart &&
      this.#handle === message.handle &&
      this.#hasHeaders === hasHeaders &&
      hasSameBytes(this.#sid, sid)
    )
  }

  set(
    message: BytesMessage,
    sid: Uint8Array,
    hasHeaders: boolean,
    slab: Slab,
    from: number,
    to: number,
  ): void {
    this.#message = message
    this.#bodyStart = message.bodyStart
    this.#handle = message.handle
    this.#sid = sid
    this.#hasHeaders = hasHeaders
    this.slab = slab
    this.from = from
    this.to = to
  }

  clear(): void {
    this.slab = undefined
    this.#message = undefined
  }
}

function hasSameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left === right) return true
  if (left.length !== right.length) return false
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false
  return true
}
