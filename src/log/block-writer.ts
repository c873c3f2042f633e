// Encodes records into blocks, straight into the buffers that will be written and read: no object per record. Buffers
// start small and grow with a log that goes on filling them, so that ten thousand quiet logs cost little.
import { Block, BLOCK_HEADER_BYTES, BLOCK_RECORD_BYTES } from './block.js'
import { copyBytes, RECORD_HEADER_BYTES } from './record.js'

const SMALLEST_BUFFER_BYTES = 4_096
const LARGEST_BUFFER_BYTES = 1_048_576
const LARGEST_TIME_OFFSET = 0xffff_ffff

export class BlockWriter {
  readonly #incarnation: number
  readonly #opened: (block: Block) => void
  #bytes: Uint8Array = new Uint8Array(0)
  #words = new DataView(this.#bytes.buffer)
  #used = 0
  #block: Block | undefined

  /** `opened` is told of each block when its first record is about to be written. */
  constructor(incarnation: number, opened: (block: Block) => void) {
    this.#incarnation = incarnation
    this.#opened = opened
  }

  /** Encodes one record and returns its length as stored. */
  append(
    sequence: number,
    timeMs: number,
    flags: number,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    bytes: Uint8Array,
    headStart: number,
    headEnd: number,
    bodyStart: number,
    bodyEnd: number,
  ): number {
    const keyBytes = keyEnd - keyStart
    const headBytes = headEnd - headStart
    const length = RECORD_HEADER_BYTES + keyBytes + headBytes + bodyEnd - bodyStart
    const block = this.#blockFor(sequence, timeMs, length)
    const start = block.end
    const words = block.words
    words.setUint32(start, length, true)
    words.setUint32(start + 4, sequence - block.firstSequence, true)
    words.setUint32(start + 8, timeMs - block.baseTimeMs, true)
    words.setUint32(start + 12, flags | (keyBytes << 16), true)
    words.setUint32(start + 16, headBytes, true)
    let at = start + RECORD_HEADER_BYTES
    copyBytes(key, keyStart, keyEnd, block.bytes, at)
    at += keyBytes
    if (headEnd === bodyStart) {
      copyBytes(bytes, headStart, bodyEnd, block.bytes, at)
    } else {
      copyBytes(bytes, headStart, headEnd, block.bytes, at)
      copyBytes(bytes, bodyStart, bodyEnd, block.bytes, at + headBytes)
    }
    block.end = start + length
    block.lastSequence = sequence
    block.lastTimeMs = timeMs
    block.count += 1
    this.#used = block.end
    return length
  }

  /** Ends the open block: the next record begins a new one. */
  seal(): void {
    this.#block?.writeHeader(this.#incarnation)
    this.#block = undefined
  }

  /** Ends the open block and lets the buffer go. */
  release(): void {
    this.seal()
    this.#bytes = new Uint8Array(0)
    this.#words = new DataView(this.#bytes.buffer)
    this.#used = 0
  }

  #blockFor(sequence: number, timeMs: number, length: number): Block {
    const open = this.#block
    if (
      open !== undefined &&
      open.end + length <= this.#bytes.length &&
      open.recordBytes + length <= BLOCK_RECORD_BYTES &&
      timeMs - open.baseTimeMs <= LARGEST_TIME_OFFSET
    ) {
      return open
    }
    this.seal()
    if (this.#used + BLOCK_HEADER_BYTES + length > this.#bytes.length) this.#makeRoom(length)
    const block = new Block(this.#bytes, this.#words, this.#used, sequence, timeMs)
    this.#block = block
    this.#opened(block)
    return block
  }

  #makeRoom(length: number): void {
    const doubled = Math.min(LARGEST_BUFFER_BYTES, this.#bytes.length * 2)
    const size = Math.max(SMALLEST_BUFFER_BYTES, doubled, BLOCK_HEADER_BYTES + length)
    this.#bytes = new Uint8Array(size)
    this.#words = new DataView(this.#bytes.buffer)
    this.#used = 0
  }
}
