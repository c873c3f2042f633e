// Which record of a key is its first and which its last, kept while records are removed. With a limit per key each record
// is linked to the next of its key, so both are exact at once. Without, a removal at the front leaves the first unknown
// until a pass over the records finds it: the key index then holds a bound (`MutableKeyIndex`).
import type { RecordView } from './record.js'
import type { Segment } from './segment.js'
import type { MutableKeyIndex } from './key-index.js'

/** Where the next record of a key lies is told by the segments. */
export interface LinkedSegments {
  segmentFrom(sequence: number): Segment | undefined
}

/**
 * One pass over all records, from the first. A first that becomes unknown behind the pass carries the other fraction, so that
 * only the next pass settles it.
 */
const FRACTIONS = [0.5, 0.25] as const

export class KeyFirsts {
  readonly #keys: MutableKeyIndex
  readonly #segments: LinkedSegments
  /** The fraction that the running pass settles, or the next one if none runs. */
  #turn: 0 | 1 = 0
  #isPassing = false
  /** Bounds of both kinds that wait for a pass. */
  #hasUnknown = false
  #lasts = new Map<number, number>()
  #previous = new Map<number, number>()
  /** Whether each record is linked to the next of its key. */
  isLinking = false

  constructor(keys: MutableKeyIndex, segments: LinkedSegments) {
    this.#keys = keys
    this.#segments = segments
  }

  get needsPass(): boolean {
    return this.#hasUnknown
  }

  /** Takes one record off its key. */
  forget(slot: number, sequence: number): void {
    const keys = this.#keys
    const isFirst = keys.firstAt(slot) === sequence
    const isLast = keys.lastAt(slot) === sequence
    if (this.#lasts.get(slot) === sequence) {
      this.#lasts.delete(slot)
      this.#hasUnknown = true
    }
    const left = keys.take(slot)
    if (left === 0) {
      this.#lasts.delete(slot)
      return
    }
    if (isFirst) keys.setFirst(slot, this.#nextOf(sequence))
    if (isLast) {
      keys.setLast(slot, sequence - this.#fraction)
      this.#hasUnknown = true
    }
    if (left === 1) this.#joinEnds(slot)
    if (!Number.isInteger(keys.firstAt(slot))) this.#hasUnknown = true
  }

  /** A record was added whose key had `previousLast` as its last; a removed one is linked all the same. */
  link(previousLast: number, sequence: number): void {
    const previous = Math.ceil(previousLast)
    const segment = this.#segments.segmentFrom(previous)
    if (segment !== undefined && segment.firstSequence <= previous) {
      segment.setLink(previous, sequence)
    }
  }

  /** There are no keys any more. */
  clear(): void {
    this.#lasts.clear()
    this.#previous.clear()
    this.#hasUnknown = false
  }

  beginPass(): void {
    this.#isPassing = true
    this.#hasUnknown = false
  }

  /** One record of the pass. */
  see(slot: number, view: RecordView): void {
    const keys = this.#keys
    const first = keys.firstAt(slot)
    const previous = this.#previous.get(slot)
    // A first that became unknown behind the pass is known all the same when the pass saw its predecessor.
    const isNext = previous !== undefined && previous === Math.floor(first)
    if (first % 1 === FRACTIONS[this.#turn] || (isNext && !Number.isInteger(first))) {
      keys.setFirst(slot, view.sequence)
    }
    if (!Number.isInteger(keys.lastAt(slot))) this.#lasts.set(slot, view.sequence)
    if (!this.isLinking) return
    if (previous !== undefined) this.link(previous, view.sequence)
    this.#previous.set(slot, view.sequence)
  }

  endPass(): void {
    for (const [slot, sequence] of this.#lasts) {
      if (!Number.isInteger(this.#keys.lastAt(slot))) this.#keys.setLast(slot, sequence)
    }
    this.#lasts.clear()
    this.#previous.clear()
    this.#isPassing = false
    this.#turn = this.#turn === 0 ? 1 : 0
  }

  get #fraction(): number {
    return FRACTIONS[this.#isPassing ? 1 - this.#turn : this.#turn]!
  }

  #nextOf(sequence: number): number {
    let at = sequence
    for (;;) {
      const next = this.#segments.segmentFrom(at)?.linkAfter(at) ?? 0
      if (next === 0) return sequence + this.#fraction
      const segment = this.#segments.segmentFrom(next)
      if (segment !== undefined && segment.firstSequence <= next && segment.has(next)) return next
      at = next
    }
  }

  #joinEnds(slot: number): void {
    const keys = this.#keys
    if (Number.isInteger(keys.lastAt(slot))) keys.setFirst(slot, keys.lastAt(slot))
    else if (Number.isInteger(keys.firstAt(slot))) keys.setLast(slot, keys.firstAt(slot))
  }
}
