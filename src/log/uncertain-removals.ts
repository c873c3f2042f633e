// Removals of a log that show already and are not committed: a new journal knows nothing of them, and the bytes stay. One that could
// not be committed shows until the directory is opened again, unless it is asked for once more and committed then.

export interface UncertainRemoval {
  readonly from: number
  readonly through: number
  readonly isTrim: boolean
  /** The log's first number without it. */
  firstBefore: number
  /** It was refused. */
  hasFailed: boolean
}

export class UncertainRemovals {
  readonly #removals = new Set<UncertainRemoval>()

  begin(from: number, through: number, isTrim: boolean, firstBefore: number): UncertainRemoval {
    const removal = { from, through, isTrim, firstBefore, hasFailed: false }
    this.#removals.add(removal)
    return removal
  }

  /** It is committed; a trim makes all certain that is below it. */
  end(removal: UncertainRemoval): void {
    this.#removals.delete(removal)
    if (!removal.isTrim) return
    for (const other of this.#removals) {
      if (other.through <= removal.through) this.#removals.delete(other)
      else other.firstBefore = Math.max(other.firstBefore, removal.through + 1)
    }
  }

  /** Whether the removal of any number in `[from, to)` is not committed. */
  covers(from: number, to: number): boolean {
    if (this.#removals.size === 0) return false
    return [...this.#removals].some((removal) => removal.from < to && removal.through >= from)
  }

  /** The removal of this one number that was refused, to be asked for again. */
  failedOf(sequence: number): UncertainRemoval | undefined {
    for (const removal of this.#removals) {
      if (!removal.hasFailed || removal.isTrim || removal.from !== sequence) continue
      return removal
    }
    return undefined
  }

  /** The log's first number, which is `first`, as long as these do not count. */
  firstWithout(first: number): number {
    return [...this.#removals].reduce(
      (least, { firstBefore }) => Math.min(least, firstBefore),
      first,
    )
  }

  /** Takes them out of a bitmap of removed numbers that begins at `firstSequence`. */
  clearIn(words: Uint32Array, firstSequence: number): void {
    for (const { from, through, isTrim } of this.#removals) {
      if (!isTrim) clearBits(words, from - firstSequence, through - firstSequence)
    }
  }
}

/** Clears the bits `from` to `through` of a bitmap, as far as it has them. */
function clearBits(words: Uint32Array, from: number, through: number): void {
  const end = Math.min(through, words.length * 32 - 1)
  for (let bit = Math.max(0, from); bit <= end; bit++) words[bit >>> 5]! &= ~(1 << (bit & 31))
}
