// The bytes of keys, in chunks off the JavaScript heap. A position counts words of 4 bytes, so that 32 bits reach 16 GiB.
// Growing makes another chunk and moves nothing; what a key leaves is given to the next one of its length in words.

/** Words of a chunk: 256 KiB. A key (up to 65,535 bytes) lies in one chunk. */
const CHUNK_WORDS = 1 << 16
const CHUNK_BITS = 16
/** The first chunk begins with this many words and doubles, so that an index of a few keys is small. */
const FIRST_WORDS = 256

export class KeyArena {
  readonly #bytes: Uint8Array[] = []
  readonly #words: Uint32Array[] = []
  /** Where the next key goes in the last chunk; at the start there is no chunk at all. */
  #end = 0
  /** Abandoned places by their length in words: the position of one, which holds the position of the next. */
  readonly #free = new Map<number, number>()

  /** Memory taken, in bytes. */
  get allocatedBytes(): number {
    return this.#bytes.reduce((sum, { length }) => sum + length, 0)
  }

  /** Copies a key in; its position. */
  store(source: Uint8Array, from: number, to: number): number {
    const length = to - from
    const position = this.#allocate(wordsFor(length))
    if (length === 0) return position
    const bytes = this.#bytes[position >>> CHUNK_BITS]!
    let at = (position & (CHUNK_WORDS - 1)) << 2
    for (let i = from; i < to; i++) bytes[at++] = source[i]!
    return position
  }

  /** As `store`, from words that hold the key from `at` on. */
  storeWords(source: Uint32Array, at: number, length: number): number {
    const count = wordsFor(length)
    const position = this.#allocate(count)
    if (count === 0) return position
    const words = this.#words[position >>> CHUNK_BITS]!
    const start = position & (CHUNK_WORDS - 1)
    for (let i = 0; i < count; i++) words[start + i] = source[at + i]!
    return position
  }

  /** Copies a key into `target` at the word `at`; where the next one goes. */
  copyWords(position: number, length: number, target: Uint32Array, at: number): number {
    const count = wordsFor(length)
    if (count === 0) return at
    const words = this.#words[position >>> CHUNK_BITS]!
    const start = position & (CHUNK_WORDS - 1)
    for (let i = 0; i < count; i++) target[at + i] = words[start + i]!
    return at + count
  }

  equals(position: number, source: Uint8Array, from: number, to: number): boolean {
    if (from === to) return true
    const bytes = this.#bytes[position >>> CHUNK_BITS]!
    let at = (position & (CHUNK_WORDS - 1)) << 2
    for (let i = from; i < to; i++) if (bytes[at++] !== source[i]) return false
    return true
  }

  /** The key's own bytes, until it is released. */
  view(position: number, length: number): Uint8Array {
    if (length === 0) return new Uint8Array(0)
    const start = (position & (CHUNK_WORDS - 1)) << 2
    return this.#bytes[position >>> CHUNK_BITS]!.subarray(start, start + length)
  }

  release(position: number, length: number): void {
    this.#abandon(position, wordsFor(length))
  }

  clear(): void {
    this.#bytes.length = 0
    this.#words.length = 0
    this.#end = 0
    this.#free.clear()
  }

  #allocate(count: number): number {
    if (count === 0) return 0
    const free = this.#free.get(count)
    if (free !== undefined) return this.#takeFree(count, free)
    const chunk = this.#bytes.length - 1
    if (chunk < 0 || this.#end + count > CHUNK_WORDS) this.#addChunk(count)
    else if (this.#end + count > this.#words[chunk]!.length) this.#enlargeFirst(count)
    const position = (this.#bytes.length - 1) * CHUNK_WORDS + this.#end
    this.#end += count
    return position
  }

  #takeFree(count: number, position: number): number {
    const next = this.#words[position >>> CHUNK_BITS]![position & (CHUNK_WORDS - 1)]!
    // A list ends with the place that names itself.
    if (next === position) this.#free.delete(count)
    else this.#free.set(count, next)
    return position
  }

  #abandon(position: number, count: number): void {
    if (count === 0) return
    const next = this.#free.get(count) ?? position
    this.#words[position >>> CHUNK_BITS]![position & (CHUNK_WORDS - 1)] = next
    this.#free.set(count, position)
  }

  #addChunk(count: number): void {
    const isFirst = this.#bytes.length === 0
    if (!isFirst) {
      const rest = this.#words.at(-1)!.length - this.#end
      this.#abandon((this.#bytes.length - 1) * CHUNK_WORDS + this.#end, rest)
    }
    this.#push(isFirst ? Math.max(FIRST_WORDS, powerOfTwoFor(count)) : CHUNK_WORDS)
    this.#end = 0
  }

  #enlargeFirst(count: number): void {
    const old = this.#words.pop()!
    this.#bytes.pop()
    this.#push(powerOfTwoFor(this.#end + count))
    this.#words[0]!.set(old)
  }

  #push(words: number): void {
    const memory = new ArrayBuffer(words << 2)
    this.#bytes.push(new Uint8Array(memory))
    this.#words.push(new Uint32Array(memory))
  }
}

/** How many words `length` bytes take. */
export function wordsFor(length: number): number {
  return (length + 3) >>> 2
}

function powerOfTwoFor(count: number): number {
  return 2 ** Math.ceil(Math.log2(count))
}
