// The keys of a log with their counts, first and last sequences, off the JavaScript heap: about 50 bytes and its own bytes
// for each key. No call takes more than a fraction of a millisecond, however many keys there are.
//
// A key is known by its slot while it has records. Firsts and lasts that are not known exactly carry a fraction: `n + 0.5` as
// a first says "above n", `n - 0.5` as a last says "below n".
//
// The index is written and read back in pieces of some thousand keys, in the machine's byte order:
//
//   0   seed of the hashes       uint32
//   4   number of keys           uint32
//   8   words of all keys        uint32
//   12  zero                     uint32
//   16  a row for each key       32 bytes, as in key-rows.ts; the position counts words from the start of the keys
//   …   the keys                 each filled up with zeros to words of 4 bytes
import { FanfareError } from '../base/index.js'
import { KeyArena, wordsFor } from './key-arena.js'
import { COUNT, HASH, KeyRows, LENGTH, POSITION, ROW_BYTES, ROW_WORDS } from './key-rows.js'
import type { KeyIndex, KeyState } from './log.js'
import { SlotTable } from './slot-table.js'

const HEADER_BYTES = 16
const HEADER_WORDS = HEADER_BYTES / 4

/** Keys that one piece holds unless told otherwise: read back within a millisecond or two. */
const PIECE_KEYS = 4096

export class MutableKeyIndex implements KeyIndex {
  readonly #arena = new KeyArena()
  readonly #rows = new KeyRows()
  readonly #table = new SlotTable(this.#rows, this.#arena)
  #seed: number
  #size = 0
  /** The last number of the key before the latest `add`; 0 when it was new. */
  previousLast = 0

  /** `seed`: any number, kept secret, so that nobody can choose keys that fall upon each other. */
  constructor(seed = 0) {
    this.#seed = seed >>> 0
  }

  get size(): number {
    return this.#size
  }

  /** What the hashes of a piece begin with: pieces of the same seed are read back faster. */
  get seed(): number {
    return this.#seed
  }

  /** Memory taken, in bytes. */
  get allocatedBytes(): number {
    return this.#arena.allocatedBytes + this.#rows.allocatedBytes + this.#table.allocatedBytes
  }

  find(key: Uint8Array): KeyState | undefined {
    const slot = this.slotOf(key, 0, key.length)
    return slot < 0 ? undefined : this.stateAt(slot)
  }

  forEach(visit: (key: Uint8Array, state: KeyState) => boolean | void): void {
    for (let slot = 0; slot < this.#rows.end; slot++) {
      if (this.#rows.count(slot) === 0) continue
      if (visit(this.keyAt(slot), this.stateAt(slot)) === false) return
    }
  }

  /**
   * A listing in slices: visits the keys among the next `slots` slots from `fromSlot` on (0: the first). Returns where to go on,
   * or -1 at the end. A key that lives through all slices is visited once; one that comes or goes meanwhile, perhaps.
   */
  visitSlice(fromSlot: number, slots: number, visit: (slot: number) => void): number {
    const end = Math.min(this.#rows.end, fromSlot + slots)
    for (let slot = fromSlot; slot < end; slot++) if (this.#rows.count(slot) > 0) visit(slot)
    return end < this.#rows.end ? end : -1
  }

  /** The key's slot, or -1. */
  slotOf(bytes: Uint8Array, from: number, to: number): number {
    return this.#table.find(hashOf(bytes, from, to, this.#seed), bytes, from, to)
  }

  /** Counts one more record of a key, its last; returns the key's slot. */
  add(bytes: Uint8Array, from: number, to: number, sequence: number): number {
    return this.addMany(bytes, from, to, 1, sequence, sequence)
  }

  /** Counts `count` more records of a key, all above those it has; returns the key's slot. */
  addMany(
    bytes: Uint8Array,
    from: number,
    to: number,
    count: number,
    first: number,
    last: number,
  ): number {
    const hash = hashOf(bytes, from, to, this.#seed)
    const slot = this.#table.find(hash, bytes, from, to)
    if (slot >= 0) return this.#extend(slot, count, last)
    return this.#insert(hash, this.#arena.store(bytes, from, to), to - from, count, first, last)
  }

  /** The key's bytes, valid while it has records. */
  keyAt(slot: number): Uint8Array {
    return this.#arena.view(this.#rows.position(slot), this.#rows.length(slot))
  }

  stateAt(slot: number): KeyState {
    return {
      count: this.#rows.count(slot),
      firstSequence: Math.ceil(this.#rows.first(slot)),
      lastSequence: Math.floor(this.#rows.last(slot)),
    }
  }

  countAt(slot: number): number {
    return this.#rows.count(slot)
  }

  firstAt(slot: number): number {
    return this.#rows.first(slot)
  }

  lastAt(slot: number): number {
    return this.#rows.last(slot)
  }

  setFirst(slot: number, first: number): void {
    this.#rows.setFirst(slot, first)
  }

  setLast(slot: number, last: number): void {
    this.#rows.setLast(slot, last)
  }

  /** Counts one record less; a key without records is gone. Returns what is left. */
  take(slot: number): number {
    const left = this.#rows.count(slot) - 1
    if (left === 0) this.#remove(slot)
    else this.#rows.setCount(slot, left)
    return left
  }

  clear(): void {
    this.#arena.clear()
    this.#rows.clear()
    this.#table.clear()
    this.#size = 0
  }

  /**
   * All keys as bytes, in pieces of up to `keysPerPiece`; each is made when it is asked for. Keys that come or go meanwhile may
   * be in or not, as for `visitSlice`.
   */
  *pieces(keysPerPiece = PIECE_KEYS): Generator<Uint8Array> {
    for (let slot = 0; slot < this.#rows.end;) {
      const slots: number[] = []
      let words = 0
      for (; slot < this.#rows.end && slots.length < keysPerPiece; slot++) {
        if (this.#rows.count(slot) === 0) continue
        slots.push(slot)
        words += wordsFor(this.#rows.length(slot))
      }
      if (slots.length > 0) yield this.#encode(slots, words)
    }
  }

  /**
   * Adds the keys of a piece; of a key that is there already, the records of the piece are taken to be later ones. Throws
   * LOG_DAMAGED when the lengths do not fit; the caller has compared a checksum.
   */
  addPiece(bytes: Uint8Array): void {
    const words = alignedWords(bytes)
    const keys = checkedKeys(words, bytes.length)
    const keyWords = HEADER_WORDS + keys * ROW_WORDS
    const floats = new Float64Array(words.buffer, words.byteOffset + HEADER_BYTES, keys * 4)
    if (this.#size === 0) this.#seed = words[0]!
    const isSameSeed = this.#seed === words[0]
    for (let i = 0; i < keys; i++) {
      const row = HEADER_WORDS + i * ROW_WORDS
      const at = keyWords + words[row + POSITION]!
      const length = words[row + LENGTH]!
      const count = words[row + COUNT]!
      const first = floats[i * 4]!
      const last = floats[i * 4 + 1]!
      const from = at * 4
      if (isSameSeed)
        this.#addRow(bytes, words, at, length, words[row + HASH]! | 0, count, first, last)
      else this.addMany(bytes, from, from + length, count, first, last)
    }
  }

  #addRow(
    bytes: Uint8Array,
    words: Uint32Array,
    at: number,
    length: number,
    hash: number,
    count: number,
    first: number,
    last: number,
  ): void {
    const slot = this.#table.find(hash, bytes, at * 4, at * 4 + length)
    if (slot >= 0) this.#extend(slot, count, last)
    else this.#insert(hash, this.#arena.storeWords(words, at, length), length, count, first, last)
  }

  #encode(slots: readonly number[], keyWords: number): Uint8Array {
    const words = new Uint32Array(HEADER_WORDS + slots.length * ROW_WORDS + keyWords)
    words[0] = this.#seed
    words[1] = slots.length
    words[2] = keyWords
    const start = HEADER_WORDS + slots.length * ROW_WORDS
    let at = start
    let row = HEADER_WORDS
    for (const slot of slots) {
      this.#rows.copyRow(slot, words, row)
      words[row + POSITION] = at - start
      at = this.#arena.copyWords(this.#rows.position(slot), this.#rows.length(slot), words, at)
      row += ROW_WORDS
    }
    return new Uint8Array(words.buffer)
  }

  #extend(slot: number, count: number, last: number): number {
    this.previousLast = this.#rows.last(slot)
    this.#rows.setCount(slot, this.#rows.count(slot) + count)
    this.#rows.setLast(slot, last)
    return slot
  }

  #insert(
    hash: number,
    position: number,
    length: number,
    count: number,
    first: number,
    last: number,
  ): number {
    const slot = this.#rows.take(hash, position, length, count)
    this.#rows.setFirst(slot, first)
    this.#rows.setLast(slot, last)
    this.#table.insert(hash, slot)
    this.#size += 1
    this.previousLast = 0
    return slot
  }

  #remove(slot: number): void {
    this.#size -= 1
    if (this.#size === 0) return this.clear()
    this.#table.remove(this.#rows.hash(slot), slot)
    this.#arena.release(this.#rows.position(slot), this.#rows.length(slot))
    this.#rows.release(slot)
  }
}

/** A piece as words; copied when it does not lie at a multiple of 8 bytes. */
function alignedWords(bytes: Uint8Array): Uint32Array {
  const { buffer, byteOffset } = byteOffsetFits(bytes) ? bytes : bytes.slice()
  return new Uint32Array(buffer, byteOffset, bytes.length >>> 2)
}

function byteOffsetFits({ byteOffset }: Uint8Array): boolean {
  return byteOffset % 8 === 0
}

/** The number of keys of a piece whose every length fits. */
function checkedKeys(words: Uint32Array, byteLength: number): number {
  const keys = words[1] ?? 0
  const keyWords = words[2] ?? 0
  if (byteLength !== HEADER_BYTES + keys * ROW_BYTES + keyWords * 4) throw damagedPiece()
  for (let row = HEADER_WORDS; row < HEADER_WORDS + keys * ROW_WORDS; row += ROW_WORDS) {
    const end = words[row + POSITION]! * 4 + words[row + LENGTH]!
    if (words[row + COUNT] === 0 || end > keyWords * 4) throw damagedPiece()
  }
  return keys
}

function damagedPiece(): FanfareError {
  return new FanfareError('LOG_DAMAGED', 'a piece of a key index has lengths that do not fit')
}

/** Four bytes at a time, mixed at the end so that every bit of the key reaches every bit of the hash (as MurmurHash3 does). */
function hashOf(bytes: Uint8Array, from: number, to: number, seed: number): number {
  let hash = seed ^ (to - from)
  let i = from
  for (; i + 4 <= to; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    hash = Math.imul(hash ^ word, 0x9e3779b1)
    hash ^= hash >>> 15
  }
  for (; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
