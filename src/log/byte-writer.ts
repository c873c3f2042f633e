// A buffer that grows, and the little language of journal entries: numbers, bytes, text.
import { writeUint64 } from './block.js'

const SMALLEST_BYTES = 4_096
/** A larger buffer is not kept for the next use. */
const KEPT_BYTES = 4_194_304

const encoder = new TextEncoder()

export class ByteWriter {
  bytes = new Uint8Array(SMALLEST_BYTES)
  words = new DataView(this.bytes.buffer)
  length = 0

  clear(): void {
    this.length = 0
    if (this.bytes.length <= KEPT_BYTES) return
    this.bytes = new Uint8Array(SMALLEST_BYTES)
    this.words = new DataView(this.bytes.buffer)
  }

  /** Makes room for `count` bytes and returns where they begin. */
  claim(count: number): number {
    const start = this.length
    const end = start + count
    if (end > this.bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.bytes.length * 2))
      grown.set(this.bytes.subarray(0, start))
      this.bytes = grown
      this.words = new DataView(grown.buffer)
    }
    this.length = end
    return start
  }

  uint32(value: number): void {
    const at = this.claim(4)
    this.words.setUint32(at, value, true)
  }

  uint64(value: number): void {
    const at = this.claim(8)
    writeUint64(this.words, at, value)
  }

  raw(bytes: Uint8Array, from = 0, to = bytes.length): void {
    const at = this.claim(to - from)
    this.bytes.set(bytes.subarray(from, to), at)
  }

  /** Length as u32, then UTF-8. */
  text(text: string): void {
    const bytes = encoder.encode(text)
    this.uint32(bytes.length)
    this.raw(bytes)
  }
}
