// The bytes of one record, and a view that reads them where they lie. All numbers are little endian.
//
//   0  u32  length of the record, this header included
//   4  u32  its number, counted from the block's first
//   8  u32  its time in milliseconds, counted from the block's base time
//  12  u16  the appender's 16 bits
//  14  u16  length of the key
//  16  u32  length of the head
//  20       key, head, body
import type { LogRecord } from './log.js'
import type { Block } from './block.js'

export const RECORD_HEADER_BYTES = 20

/** Largest key in bytes. */
export const MAX_KEY_BYTES = 65_535

/** Under this many bytes a loop beats making a view for `set`. */
const BYTE_LOOP_LIMIT = 48

/** Copies `source[from, to)` into `target` at `at`. */
export function copyBytes(
  source: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
  at: number,
): void {
  if (to - from > BYTE_LOOP_LIMIT) {
    // A view costs twice as much as the copy of a small body; the constructor makes one in half of the time of `subarray`.
    if (to - from === source.length) target.set(source, at)
    else target.set(new Uint8Array(source.buffer, source.byteOffset + from, to - from), at)
    return
  }
  let write = at
  for (let read = from; read < to; read++) target[write++] = source[read]!
}

/** A record in its block. Moved from record to record, so that walking makes no object. */
export class RecordView implements LogRecord {
  sequence = 0
  timeMs = 0
  flags = 0
  bytes: Uint8Array = NO_BYTES
  keyStart = 0
  keyEnd = 0
  headStart = 0
  headEnd = 0
  bodyStart = 0
  bodyEnd = 0
  /** Where the record begins in `bytes`; the next one begins at `bodyEnd`. */
  start = 0

  /** Bytes of the record as stored. */
  get length(): number {
    return this.bodyEnd - this.start
  }

  /** Shows the record that begins at `start` in `block`. */
  show(block: Block, start: number): void {
    const words = block.words
    const lengths = words.getUint32(start + 12, true)
    this.start = start
    this.bytes = block.bytes
    this.sequence = block.firstSequence + words.getUint32(start + 4, true)
    this.timeMs = block.baseTimeMs + words.getUint32(start + 8, true)
    this.flags = lengths & 0xffff
    this.keyStart = start + RECORD_HEADER_BYTES
    this.keyEnd = this.keyStart + (lengths >>> 16)
    this.headStart = this.keyEnd
    this.headEnd = this.keyEnd + words.getUint32(start + 16, true)
    this.bodyStart = this.headEnd
    this.bodyEnd = start + words.getUint32(start, true)
  }

  /** A record of its own, with bytes of its own. */
  copy(): LogRecord {
    const origin = this.start
    const record = new RecordView()
    record.sequence = this.sequence
    record.timeMs = this.timeMs
    record.flags = this.flags
    record.bytes = this.bytes.slice(origin, this.bodyEnd)
    record.keyStart = this.keyStart - origin
    record.keyEnd = this.keyEnd - origin
    record.headStart = this.headStart - origin
    record.headEnd = this.headEnd - origin
    record.bodyStart = this.bodyStart - origin
    record.bodyEnd = this.bodyEnd - origin
    return record
  }
}

const NO_BYTES = new Uint8Array(0)
