// What is known of each key, a row of 32 bytes, so that one line of the processor's cache holds it all. Rows lie in chunks
// off the JavaScript heap and never move; a row's number is the key's slot.
//
//   0   first sequence   float64
//   8   last sequence    float64
//   16  count            uint32    0: the row is free
//   20  hash             int32
//   24  key's position   uint32    in a free row, the next free one plus 1
//   28  key's length     uint32

export const ROW_BYTES = 32
export const ROW_WORDS = ROW_BYTES / 4
const ROW_FLOATS = ROW_BYTES / 8
/** Words of a row. */
export const COUNT = 4
export const HASH = 5
export const POSITION = 6
export const LENGTH = 7

/** Rows of a chunk: 256 KiB. */
const CHUNK_ROWS = 1 << 13
const CHUNK_BITS = 13
/** The first chunk begins with this many rows and doubles, so that an index of a few keys is small. */
const FIRST_ROWS = 16

export class KeyRows {
  readonly #floats: Float64Array[] = []
  readonly #words: Uint32Array[] = []
  #capacity = 0
  /** Rows that were ever used: one more than the highest slot. */
  end = 0
  /** A free row plus 1, or 0. */
  #free = 0

  /** Memory taken, in bytes. */
  get allocatedBytes(): number {
    return this.#capacity * ROW_BYTES
  }

  /** Takes a row for a key; its slot. */
  take(hash: number, position: number, length: number, count: number): number {
    const slot = this.#takeFree()
    const words = this.#words[slot >>> CHUNK_BITS]!
    const row = (slot & (CHUNK_ROWS - 1)) * ROW_WORDS
    words[row + COUNT] = count
    words[row + HASH] = hash
    words[row + POSITION] = position
    words[row + LENGTH] = length
    return slot
  }

  release(slot: number): void {
    const words = this.#words[slot >>> CHUNK_BITS]!
    const row = (slot & (CHUNK_ROWS - 1)) * ROW_WORDS
    words[row + COUNT] = 0
    words[row + POSITION] = this.#free
    this.#free = slot + 1
  }

  first(slot: number): number {
    return this.#floats[slot >>> CHUNK_BITS]![(slot & (CHUNK_ROWS - 1)) * ROW_FLOATS]!
  }

  setFirst(slot: number, sequence: number): void {
    this.#floats[slot >>> CHUNK_BITS]![(slot & (CHUNK_ROWS - 1)) * ROW_FLOATS] = sequence
  }

  last(slot: number): number {
    return this.#floats[slot >>> CHUNK_BITS]![(slot & (CHUNK_ROWS - 1)) * ROW_FLOATS + 1]!
  }

  setLast(slot: number, sequence: number): void {
    this.#floats[slot >>> CHUNK_BITS]![(slot & (CHUNK_ROWS - 1)) * ROW_FLOATS + 1] = sequence
  }

  count(slot: number): number {
    return this.#word(slot, COUNT)
  }

  setCount(slot: number, count: number): void {
    this.#words[slot >>> CHUNK_BITS]![(slot & (CHUNK_ROWS - 1)) * ROW_WORDS + COUNT] = count
  }

  hash(slot: number): number {
    return this.#word(slot, HASH) | 0
  }

  position(slot: number): number {
    return this.#word(slot, POSITION)
  }

  length(slot: number): number {
    return this.#word(slot, LENGTH)
  }

  /** Copies the row of `slot` into `target` at the word `at`. */
  copyRow(slot: number, target: Uint32Array, at: number): void {
    const words = this.#words[slot >>> CHUNK_BITS]!
    const row = (slot & (CHUNK_ROWS - 1)) * ROW_WORDS
    for (let i = 0; i < ROW_WORDS; i++) target[at + i] = words[row + i]!
  }

  clear(): void {
    this.#floats.length = 0
    this.#words.length = 0
    this.#capacity = 0
    this.end = 0
    this.#free = 0
  }

  #word(slot: number, field: number): number {
    return this.#words[slot >>> CHUNK_BITS]![(slot & (CHUNK_ROWS - 1)) * ROW_WORDS + field]!
  }

  #takeFree(): number {
    if (this.#free > 0) {
      const slot = this.#free - 1
      this.#free = this.position(slot)
      return slot
    }
    if (this.end === this.#capacity) this.#grow()
    return this.end++
  }

  #grow(): void {
    if (this.#capacity >= CHUNK_ROWS) {
      this.#push(CHUNK_ROWS)
      this.#capacity += CHUNK_ROWS
      return
    }
    const old = this.#words.pop()
    this.#floats.pop()
    this.#capacity = Math.max(FIRST_ROWS, this.#capacity * 2)
    this.#push(this.#capacity)
    if (old !== undefined) this.#words[0]!.set(old)
  }

  #push(rows: number): void {
    const memory = new ArrayBuffer(rows * ROW_BYTES)
    this.#floats.push(new Float64Array(memory))
    this.#words.push(new Uint32Array(memory))
  }
}
