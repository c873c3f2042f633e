// A block: records behind one header with one checksum. Blocks lie one after another in a segment, and whole ones in the
// journal. All numbers are little endian.
//
//   0  u32  'FbK1'
//   4  u32  length of the block, this header included
//   8  u32  CRC-32 of everything after this field
//  12  u32  chain: the checksum of the block before it in the segment; 0 for the first
//  16  u32  incarnation of the log
//  20  u32  how many records
//  24  u64  number of the first record
//  32  u64  base time: milliseconds since 1970
//  40  u32  number of the last record, counted from the first
//  44  u32  time of the last record, counted from the base time
//  48  u32  syncedTo: the length of the segment that was known to be safe when this block was written
//  52  u32  the commit cycle that wrote it
//  56  u64  0
//  64       records
import type { Disk } from '../base/index.js'

export const BLOCK_HEADER_BYTES = 64

/** A block holds at most so many bytes of records, unless one record alone is larger. */
export const BLOCK_RECORD_BYTES = 65_536

export const BLOCK_MAGIC = 0x314b_6246
const CHECKSUM_AT = 8
const CHECKED_FROM = 12
const CHAIN_AT = 12
const SYNCED_TO_AT = 48
const CYCLE_AT = 52

const TWO_32 = 0x1_0000_0000

export function readUint64(words: DataView, at: number): number {
  return words.getUint32(at, true) + words.getUint32(at + 4, true) * TWO_32
}

export function writeUint64(words: DataView, at: number, value: number): void {
  words.setUint32(at, value >>> 0, true)
  words.setUint32(at + 4, Math.floor(value / TWO_32), true)
}

/** A block in memory: `[start, end)` of a buffer. While it is open, `end` and the last record's fields move on. */
export class Block {
  readonly bytes: Uint8Array
  readonly words: DataView
  readonly start: number
  end: number
  readonly firstSequence: number
  lastSequence: number
  readonly baseTimeMs: number
  lastTimeMs: number
  count = 0
  /** Where it lies, or will lie, in its segment's file. */
  position = 0

  constructor(
    bytes: Uint8Array,
    words: DataView,
    start: number,
    firstSequence: number,
    baseTimeMs: number,
  ) {
    this.bytes = bytes
    this.words = words
    this.start = start
    this.end = start + BLOCK_HEADER_BYTES
    this.firstSequence = firstSequence
    this.lastSequence = firstSequence - 1
    this.baseTimeMs = baseTimeMs
    this.lastTimeMs = baseTimeMs
  }

  get recordsStart(): number {
    return this.start + BLOCK_HEADER_BYTES
  }

  /** Bytes of the records as stored. */
  get recordBytes(): number {
    return this.end - this.start - BLOCK_HEADER_BYTES
  }

  get length(): number {
    return this.end - this.start
  }

  get checksum(): number {
    return this.words.getUint32(this.start + CHECKSUM_AT, true)
  }

  get chain(): number {
    return this.words.getUint32(this.start + CHAIN_AT, true)
  }

  get syncedTo(): number {
    return this.words.getUint32(this.start + SYNCED_TO_AT, true)
  }

  get incarnation(): number {
    return this.words.getUint32(this.start + 16, true)
  }

  /** Writes the header, except for what only the moment of writing to a segment knows (`stamp`). */
  writeHeader(incarnation: number): void {
    const { words, start } = this
    words.setUint32(start, BLOCK_MAGIC, true)
    words.setUint32(start + 4, this.length, true)
    words.setUint32(start + 16, incarnation, true)
    words.setUint32(start + 20, this.count, true)
    writeUint64(words, start + 24, this.firstSequence)
    writeUint64(words, start + 32, this.baseTimeMs)
    words.setUint32(start + 40, this.lastSequence - this.firstSequence, true)
    words.setUint32(start + 44, this.lastTimeMs - this.baseTimeMs, true)
    writeUint64(words, start + 56, 0)
  }

  /** Ties the block to its place: the one before it, what is safe, the cycle. Returns its checksum. */
  stamp(disk: Disk, chain: number, syncedTo: number, cycle: number): number {
    const { words, start } = this
    words.setUint32(start + CHAIN_AT, chain, true)
    words.setUint32(start + SYNCED_TO_AT, syncedTo, true)
    words.setUint32(start + CYCLE_AT, cycle >>> 0, true)
    const checksum = disk.checksum(this.bytes, start + CHECKED_FROM, this.end)
    words.setUint32(start + CHECKSUM_AT, checksum, true)
    return checksum
  }
}

/** The length that a block's header at `start` claims, or 0 when there is no header. */
export function claimedLength(words: DataView, start: number, end: number): number {
  if (start + BLOCK_HEADER_BYTES > end || words.getUint32(start, true) !== BLOCK_MAGIC) return 0
  const length = words.getUint32(start + 4, true)
  return length <= BLOCK_HEADER_BYTES ? 0 : length
}

/** The block at `start` of a buffer, when `[start, end)` holds all of it and its checksum is right. */
export function readBlock(
  disk: Pick<Disk, 'checksum'>,
  bytes: Uint8Array,
  words: DataView,
  start: number,
  end: number,
): Block | undefined {
  const length = claimedLength(words, start, end)
  if (length === 0 || start + length > end) return undefined
  const checksum = words.getUint32(start + CHECKSUM_AT, true)
  if (disk.checksum(bytes, start + CHECKED_FROM, start + length) !== checksum) return undefined
  const block = new Block(
    bytes,
    words,
    start,
    readUint64(words, start + 24),
    readUint64(words, start + 32),
  )
  block.end = start + length
  block.count = words.getUint32(start + 20, true)
  block.lastSequence = block.firstSequence + words.getUint32(start + 40, true)
  block.lastTimeMs = block.baseTimeMs + words.getUint32(start + 44, true)
  return block
}
