// From a key to its slot: extendible hashing. The low bits of a hash choose a part in the directory, its high bits a bucket
// in the part, and from there on the next free one is taken. A full part doubles up to 4,096 buckets, then splits in two by
// one more low bit; the directory doubles when it has no such bit. So growing never moves more than one part, and the whole
// table is never copied.
//
// A part is one array, as each object on the way costs a read from memory:
//
//   0       buckets in use
//   1       depth: how many low bits all hashes in it share
//   2 …     the buckets, each a hash and a slot plus 1, or 0 for a free one
//
// The hash beside the slot spares the reading of rows that are not the one looked for. Hashes are int32, as engines keep
// those in registers.
import type { KeyArena } from './key-arena.js'
import type { KeyRows } from './key-rows.js'

type Part = Int32Array<ArrayBuffer>

const USED = 0
const DEPTH = 1
const BUCKETS = 2
const FIRST_BUCKETS = 8
const MOST_BUCKETS = 1 << 12
/** The high bits that choose a bucket. */
const BUCKET_SHIFT = 20
/** The directory uses the other bits at most; keys that share all of those make a part grow beyond 4,096. */
const MOST_DEPTH = 20

export class SlotTable {
  readonly #rows: KeyRows
  readonly #arena: KeyArena
  #directory: Part[] = [makePart(FIRST_BUCKETS, 0)]
  #depth = 0
  #bucketCount = FIRST_BUCKETS

  constructor(rows: KeyRows, arena: KeyArena) {
    this.#rows = rows
    this.#arena = arena
  }

  /** Memory taken, in bytes. */
  get allocatedBytes(): number {
    return (this.#bucketCount + this.#directory.length) * 8
  }

  /** The slot of a key with this hash, or -1. */
  find(hash: number, bytes: Uint8Array, from: number, to: number): number {
    const part = this.#partOf(hash)
    const mask = maskOf(part)
    for (let i = (hash >>> BUCKET_SHIFT) & mask; ; i = (i + 1) & mask) {
      const entry = part[BUCKETS + 2 * i + 1]!
      if (entry === 0) return -1
      if (part[BUCKETS + 2 * i] === hash && this.#holds(entry - 1, bytes, from, to)) {
        return entry - 1
      }
    }
  }

  #holds(slot: number, bytes: Uint8Array, from: number, to: number): boolean {
    const rows = this.#rows
    if (rows.length(slot) !== to - from) return false
    return this.#arena.equals(rows.position(slot), bytes, from, to)
  }

  insert(hash: number, slot: number): void {
    let part = this.#partOf(hash)
    while (isFull(part)) {
      if (maskOf(part) + 1 < MOST_BUCKETS || part[DEPTH] === MOST_DEPTH) this.#double(part, hash)
      else this.#split(part, hash)
      part = this.#partOf(hash)
    }
    put(part, hash, slot + 1)
  }

  remove(hash: number, slot: number): void {
    const part = this.#partOf(hash)
    const mask = maskOf(part)
    let gap = (hash >>> BUCKET_SHIFT) & mask
    while (part[BUCKETS + 2 * gap + 1] !== slot + 1) gap = (gap + 1) & mask
    part[USED]! -= 1
    // What follows moves up into the gap, unless it would then lie before the bucket that its hash chooses.
    for (let i = (gap + 1) & mask; part[BUCKETS + 2 * i + 1] !== 0; i = (i + 1) & mask) {
      const home = (part[BUCKETS + 2 * i]! >>> BUCKET_SHIFT) & mask
      if (((i - home) & mask) < ((i - gap) & mask)) continue
      part[BUCKETS + 2 * gap] = part[BUCKETS + 2 * i]!
      part[BUCKETS + 2 * gap + 1] = part[BUCKETS + 2 * i + 1]!
      gap = i
    }
    part[BUCKETS + 2 * gap + 1] = 0
  }

  clear(): void {
    this.#directory = [makePart(FIRST_BUCKETS, 0)]
    this.#depth = 0
    this.#bucketCount = FIRST_BUCKETS
  }

  #partOf(hash: number): Part {
    return this.#directory[hash & (this.#directory.length - 1)]!
  }

  #double(part: Part, hash: number): void {
    const buckets = maskOf(part) + 1
    const grown = makePart(buckets * 2, part[DEPTH]!)
    this.#bucketCount += buckets
    forEachEntry(part, (entryHash, entry) => put(grown, entryHash, entry))
    this.#assign(hash, part[DEPTH]!, () => grown)
  }

  #split(part: Part, hash: number): void {
    const buckets = maskOf(part) + 1
    const depth = part[DEPTH]!
    const low = makePart(buckets, depth + 1)
    const high = makePart(buckets, depth + 1)
    const choose = (bits: number): Part => ((bits >>> depth) & 1 ? high : low)
    this.#bucketCount += buckets
    forEachEntry(part, (entryHash, entry) => put(choose(entryHash), entryHash, entry))
    if (depth === this.#depth) {
      this.#directory = this.#directory.concat(this.#directory)
      this.#depth += 1
    }
    this.#assign(hash, depth, choose)
  }

  /** Puts parts in each place of the directory that shares the lowest `depth` bits with `hash`. */
  #assign(hash: number, depth: number, choose: (place: number) => Part): void {
    const step = 2 ** depth
    for (let i = hash & (step - 1); i < this.#directory.length; i += step) {
      this.#directory[i] = choose(i)
    }
  }
}

function makePart(buckets: number, depth: number): Part {
  const part = new Int32Array(BUCKETS + 2 * buckets)
  part[DEPTH] = depth
  return part
}

function maskOf(part: Part): number {
  return ((part.length - BUCKETS) >>> 1) - 1
}

/** Three quarters full: from there on the ways to a free bucket become long. */
function isFull(part: Part): boolean {
  const buckets = maskOf(part) + 1
  return part[USED]! >= buckets - (buckets >>> 2)
}

function forEachEntry(part: Part, visit: (hash: number, entry: number) => void): void {
  for (let at = BUCKETS; at < part.length; at += 2) {
    if (part[at + 1] !== 0) visit(part[at]!, part[at + 1]!)
  }
}

function put(part: Part, hash: number, entry: number): void {
  const mask = maskOf(part)
  let i = (hash >>> BUCKET_SHIFT) & mask
  while (part[BUCKETS + 2 * i + 1] !== 0) i = (i + 1) & mask
  part[BUCKETS + 2 * i] = hash
  part[BUCKETS + 2 * i + 1] = entry
  part[USED]! += 1
}
