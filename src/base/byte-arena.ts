// One block of memory that holds input and output side by side. Moving bytes within one typed array costs 23 ns for up
// to 128 bytes (copyWithin, no allocation); between two arrays it costs 61 ns, as a view must be made for each copy
// (bench/README.md, "Copying bytes"). So a socket's input is read into the arena and its output is built there.

/** Under this many bytes a loop over 4-byte words beats the call of copyWithin. */
const WORD_LOOP_LIMIT = 40

/** Slabs kept beyond those of the arena: 16 MiB by default. */
const KEPT_SPARES = 64

/** A piece of memory lent to one writer at a time: `bytes` from `start` to `end`. */
export interface Slab {
  readonly bytes: Uint8Array
  readonly words: DataView
  readonly start: number
  readonly end: number
  /** How many hold it; the arena's own count. */
  holders: number
}

export interface ByteArenaOptions {
  /** Size of one slab in bytes; default 131,072. */
  readonly slabBytes?: number
  /** How many slabs lie in the arena; further ones are allocated one by one; default 64. */
  readonly slabCount?: number
}

export class ByteArena {
  readonly slabBytes: number
  readonly #bytes: Uint8Array
  readonly #words: DataView
  readonly #free: Slab[] = []
  readonly #spare: Slab[] = []
  #unused: number

  constructor(options: ByteArenaOptions = {}) {
    this.slabBytes = options.slabBytes ?? 131_072
    const slabCount = options.slabCount ?? 64
    // Untouched pages of a fresh buffer cost address space only.
    const memory = new ArrayBuffer(this.slabBytes * slabCount)
    this.#bytes = new Uint8Array(memory)
    this.#words = new DataView(memory)
    this.#unused = slabCount
  }

  /** Lends a slab: the one returned last first, as it is warm in the cache. */
  borrow(): Slab {
    const slab = this.#free.pop() ?? this.#take()
    slab.holders = 1
    return slab
  }

  /** One more holder: the slab comes back when each of them has released it. */
  retain(slab: Slab): void {
    slab.holders += 1
  }

  #take(): Slab {
    if (this.#unused > 0) {
      this.#unused -= 1
      const start = this.#unused * this.slabBytes
      return {
        bytes: this.#bytes,
        words: this.#words,
        start,
        end: start + this.slabBytes,
        holders: 0,
      }
    }
    const spare = this.#spare.pop()
    if (spare !== undefined) return spare
    const bytes = new Uint8Array(this.slabBytes)
    return { bytes, words: new DataView(bytes.buffer), start: 0, end: this.slabBytes, holders: 0 }
  }

  /** Takes a slab back from one of its holders. Those from outside the arena are kept too, up to a bound: making them is dear. */
  release(slab: Slab): void {
    slab.holders -= 1
    if (slab.holders > 0) return
    if (slab.bytes === this.#bytes) this.#free.push(slab)
    else if (this.#spare.length < KEPT_SPARES) this.#spare.push(slab)
  }
}

/** Copies `source[from, to)` into `slab` at `at`; the ranges do not overlap. Returns the position after the copy. */
export function copyIntoSlab(
  source: Uint8Array,
  from: number,
  to: number,
  slab: Slab,
  at: number,
): number {
  if (source !== slab.bytes) {
    slab.bytes.set(source.subarray(from, to), at)
    return at + to - from
  }
  if (to - from > WORD_LOOP_LIMIT) {
    source.copyWithin(at, from, to)
    return at + to - from
  }
  const words = slab.words
  let read = from
  let write = at
  for (; read + 4 <= to; read += 4, write += 4) words.setInt32(write, words.getInt32(read))
  for (; read < to; read++, write++) source[write] = source[read]!
  return write
}
