// Numbers of one segment that hold no record any more: a bitmap over the segment's range.

export class NumberSet {
  readonly base: number
  #words: Uint32Array
  #size = 0

  /** Holds numbers from `base` on; `span` is how many are expected. */
  constructor(base: number, span: number) {
    this.base = base
    this.#words = new Uint32Array(Math.max(4, (span + 31) >>> 5))
  }

  get size(): number {
    return this.#size
  }

  has(number: number): boolean {
    const offset = number - this.base
    if (offset < 0) return false
    const word = offset >>> 5
    return word < this.#words.length && (this.#words[word]! & (1 << (offset & 31))) !== 0
  }

  /** Returns false when it was there. */
  add(number: number): boolean {
    const offset = number - this.base
    const word = offset >>> 5
    if (word >= this.#words.length) this.#grow(word)
    const bit = 1 << (offset & 31)
    if ((this.#words[word]! & bit) !== 0) return false
    this.#words[word]! |= bit
    this.#size += 1
    return true
  }

  /** The first number from `from` on, below `to`, that is not in the set; `to` when there is none. */
  nextAbsent(from: number, to: number): number {
    let offset = from - this.base
    const end = to - this.base
    while (offset < end) {
      const word = offset >>> 5
      if (word >= this.#words.length) return this.base + offset
      const absent = ~this.#words[word]! >>> (offset & 31)
      if (absent !== 0) {
        const found = offset + trailingZeros(absent)
        return this.base + Math.min(found, end)
      }
      offset = (word + 1) << 5
    }
    return to
  }

  /** The first number from `from` on, below `to`, that is in the set; `to` when there is none. */
  nextPresent(from: number, to: number): number {
    let offset = from - this.base
    const end = Math.min(to - this.base, this.#words.length << 5)
    while (offset < end) {
      const present = this.#words[offset >>> 5]! >>> (offset & 31)
      if (present !== 0) return this.base + Math.min(offset + trailingZeros(present), end)
      offset = ((offset >>> 5) + 1) << 5
    }
    return to
  }

  /** How many of `[from, to)` are in the set. */
  countIn(from: number, to: number): number {
    let count = 0
    let offset = from - this.base
    const end = Math.min(to - this.base, this.#words.length << 5)
    while (offset < end) {
      let word = this.#words[offset >>> 5]! >>> (offset & 31)
      const bits = Math.min(32 - (offset & 31), end - offset)
      if (bits < 32) word &= (1 << bits) - 1
      count += populationCount(word)
      offset += bits
    }
    return count
  }

  /** Calls `visit` with each number of the set in `[from, to)`. */
  forEachIn(from: number, to: number, visit: (number: number) => void): void {
    const end = Math.min(to, this.base + (this.#words.length << 5))
    for (let number = Math.max(from, this.base); number < end; number++) {
      if (this.has(number)) visit(number)
    }
  }

  /** The bitmap of `span` numbers as bytes, for an index file. */
  toWords(span: number): Uint32Array {
    const words = new Uint32Array((span + 31) >>> 5)
    words.set(this.#words.subarray(0, words.length))
    return words
  }

  static fromWords(base: number, words: Uint32Array): NumberSet {
    const set = new NumberSet(base, words.length << 5)
    set.#words.set(words)
    for (const word of words) set.#size += populationCount(word)
    return set
  }

  #grow(word: number): void {
    const grown = new Uint32Array(Math.max(word + 1, this.#words.length * 2))
    grown.set(this.#words)
    this.#words = grown
  }
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word)
}

function populationCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555)
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
}
