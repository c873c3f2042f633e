// Messages as bytes, written in one pass: reply, header block and body one after the other, small ones into a shared piece of
// memory, as a typed array of its own costs more than the copy.
import type { BytesMessage } from '../engine/index.js'
import { encodeHeaderBlock } from '../wire/index.js'

/** A field whose name and value may stand in a header block as they are. */
export type HeaderField = readonly [name: string, value: string]

const SHARED_BYTES = 16 * 1024
/** Larger messages have memory of their own, so that one that is kept holds little else. */
const MOST_SHARED_BYTES = 1024

const LINE_END = '\r\n'
const FIELD_END = LINE_END.length
const NAME_END = ': '
const NOTHING = new Uint8Array(0)

let shared = NOTHING
let used = 0

/** The beginning of a header block, for messages that have these fields first: all but the empty line. */
export function encodeOpening(fields: readonly HeaderField[]): Uint8Array {
  const block = encodeHeaderBlock(fields)
  return block.subarray(0, block.length - LINE_END.length)
}

/**
 * Writes the content of `message`. `opening` is what `encodeOpening` made, and `fields` follow it; an empty opening: there is
 * no header block.
 */
export function writeMessage(
  message: BytesMessage,
  reply: Uint8Array,
  opening: Uint8Array,
  fields: readonly HeaderField[],
  body: Uint8Array,
): void {
  const headerBytes = opening.length === 0 ? 0 : measure(opening, fields)
  const length = reply.length + headerBytes + body.length
  const isLarge = length > MOST_SHARED_BYTES
  const start = isLarge ? 0 : reserve(length)
  const buffer = isLarge ? new Uint8Array(length) : shared
  buffer.set(reply, start)
  const headersStart = start + reply.length
  const bodyStart = headersStart + headerBytes
  if (headerBytes > 0 && !writeBlock(buffer, headersStart, opening, fields)) {
    // Some text is not ASCII, so its length in bytes is another.
    message.setParts(reply, encodeWhole(opening, fields), body)
    return
  }
  buffer.set(body, bodyStart)
  message.buffer = buffer
  message.replyStart = start
  message.replyEnd = message.headersStart = headersStart
  message.headersEnd = message.bodyStart = bodyStart
  message.bodyEnd = bodyStart + body.length
}

/** Sees that `shared` has room for so many bytes, and answers where. */
function reserve(length: number): number {
  if (used + length > shared.length) {
    shared = new Uint8Array(SHARED_BYTES)
    used = 0
  }
  const start = used
  used += length
  return start
}

function measure(opening: Uint8Array, fields: readonly HeaderField[]): number {
  let length = opening.length + LINE_END.length
  for (const [name, value] of fields) {
    length += name.length + NAME_END.length + value.length + FIELD_END
  }
  return length
}

function writeBlock(
  buffer: Uint8Array,
  from: number,
  opening: Uint8Array,
  fields: readonly HeaderField[],
): boolean {
  buffer.set(opening, from)
  let at = from + opening.length
  for (const [name, value] of fields) {
    at = writeAscii(buffer, at, name)
    at = writeAscii(buffer, at, NAME_END)
    at = writeAscii(buffer, at, value)
    at = writeAscii(buffer, at, LINE_END)
    if (Number.isNaN(at)) return false
  }
  writeAscii(buffer, at, LINE_END)
  return true
}

/** Answers where the text ends, or NaN when it is not ASCII. */
function writeAscii(buffer: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return NaN
    buffer[at + i] = code
  }
  return at + text.length
}

function encodeWhole(opening: Uint8Array, fields: readonly HeaderField[]): Uint8Array {
  const block = encodeHeaderBlock(fields)
  const versionEnd = block.indexOf(0x0a) + 1
  const whole = new Uint8Array(opening.length + block.length - versionEnd)
  whole.set(opening, 0)
  whole.set(block.subarray(versionEnd), opening.length)
  return whole
}
