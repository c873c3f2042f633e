// A run of a log's numbers that is kept, sealed and dropped together. What lies in memory and what in a file is the
// business of the two kinds; counting is the same.
import type { Block } from './block.js'
import { NumberSet } from './number-set.js'

/** Blocks that follow each other, and the last number up to which they are all there is. */
export interface LoadedBlocks {
  readonly blocks: readonly Block[]
  readonly throughSequence: number
  /** Where the next one begins, for `ReadTerms.after`. */
  readonly end?: ReadPosition | undefined
  /** What was read into, as far as it may be read into again. */
  readonly buffer?: Uint8Array | undefined
}

/** A place in one of the files that a segment has in its life. */
export interface ReadPosition {
  readonly file: number
  readonly position: number
}

export interface ReadTerms {
  /** Read about so many. */
  readonly bytes: number
  /** Goes on behind the blocks that were loaded before. */
  readonly after?: ReadPosition | undefined
  /** Read into this, when it is large enough. */
  readonly into?: Uint8Array | undefined
}

/** What is read at a time by whoever does not read on. */
export const READ_BYTES = 262_144

export abstract class Segment {
  readonly firstSequence: number
  /** One more than the last committed number. */
  nextSequence: number
  /** Records that were not removed. */
  records = 0
  /** Their bytes as stored. */
  bytes = 0
  /** Bytes of all records that take room here, removed ones included. */
  storedBytes = 0
  firstTimeMs = 0
  lastTimeMs = 0
  /** Numbers without a record. Those below the log's first are not in it. */
  removed: NumberSet | undefined
  /** With a limit per key: how far it is from each record to the next of its key; 0: not known. */
  links: Uint32Array | undefined
  /** Removed records whose key has still to be read. */
  unaccounted = 0
  /** Whether limits removed records that no journal and no index on the disk knows of. */
  hasDerivedRemovals = false

  constructor(firstSequence: number) {
    this.firstSequence = firstSequence
    this.nextSequence = firstSequence
  }

  /** The block that holds the first record from `sequence` on; undefined: there is none; 'wait': it must be loaded. */
  abstract blockAt(sequence: number): Block | undefined | 'wait'

  /** Reads blocks, beginning with the one that holds the first record from `sequence` on. */
  abstract load(sequence: number, terms?: ReadTerms): Promise<LoadedBlocks>

  /** A number from which to look for the first record whose time is at least `timeMs`. */
  abstract numberBefore(timeMs: number): number

  get span(): number {
    return this.nextSequence - this.firstSequence
  }

  /** Whether a stored record is there; one below the segment is of a segment that was dropped. */
  has(sequence: number): boolean {
    if (sequence < this.firstSequence) return false
    return this.removed === undefined || !this.removed.has(sequence)
  }

  /** Marks a number as removed; false when it was. */
  markRemoved(sequence: number): boolean {
    this.removed ??= new NumberSet(this.firstSequence, this.span)
    return this.removed.add(sequence)
  }

  /** Ranges of removed numbers, if limits removed some of them and nobody has asked since. */
  *takeDerivedRemovals(): Generator<{ readonly from: number; readonly through: number }> {
    const { removed, firstSequence, nextSequence } = this
    if (!this.hasDerivedRemovals || removed === undefined) return
    this.hasDerivedRemovals = false
    let at = removed.nextPresent(firstSequence, nextSequence)
    while (at < nextSequence) {
      const end = removed.nextAbsent(at, nextSequence)
      yield { from: at, through: end - 1 }
      at = removed.nextPresent(end, nextSequence)
    }
  }

  /** Records in `[from, to)` that were not removed. */
  liveIn(from: number, to: number): number {
    const start = Math.max(from, this.firstSequence)
    const end = Math.min(to, this.nextSequence)
    if (end <= start) return 0
    return end - start - (this.removed?.countIn(start, end) ?? 0)
  }

  /** The first number from `sequence` on that has a record; `nextSequence` when there is none. */
  nextLive(sequence: number): number {
    const start = Math.max(sequence, this.firstSequence)
    return this.removed?.nextAbsent(start, this.nextSequence) ?? Math.min(start, this.nextSequence)
  }

  /** The number behind the first `count` records from `sequence` on; there are at least so many. */
  skipLive(sequence: number, count: number): number {
    let from = Math.max(sequence, this.firstSequence)
    if (this.removed === undefined) return from + count
    for (let left = count; left > 0; left--) from = this.nextLive(from) + 1
    return from
  }

  linkAfter(sequence: number): number {
    // A number below the segment is of one that was dropped.
    const link = this.links?.[sequence - this.firstSequence] ?? 0
    return link === 0 ? 0 : sequence + link
  }

  setLink(sequence: number, next: number): void {
    const offset = sequence - this.firstSequence
    if (this.links === undefined || offset >= this.links.length) {
      const grown = new Uint32Array(Math.max(64, this.span, (this.links?.length ?? 0) * 2))
      if (this.links !== undefined) grown.set(this.links)
      this.links = grown
    }
    this.links[offset] = next - sequence
  }
}

/** Index of the first of sorted `items` for which `isPast` holds; their number when there is none. */
export function firstIndex<T>(items: readonly T[], isPast: (item: T) => boolean): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isPast(items[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
