// When a segment goes: dropped when it holds nothing, rewritten when it holds little. Not before what was removed from it is known
// to keys and bytes, and never the one with the last number, which must be found again.
import type { LogSegments } from './log-segments.js'
import type { Segment } from './segment.js'

/** A segment is rewritten when less than one third of its bytes is still wanted. */
const COMPACTION_SHARE = 3

export interface RetirementHome {
  /** Whether a segment without records can go now; asked again by `settleWaiting`. */
  mayDrop(segment: Segment): boolean
  /** It is about to be taken out. */
  dropping(segment: Segment): void
  dropped(segment: Segment): void
  compact(segment: Segment): void
}

export class SegmentRetirement {
  readonly #segments: LogSegments
  readonly #home: RetirementHome
  /** Those that could not go, or be rewritten, when they were looked at. */
  readonly #unsettled = new Set<Segment>()
  /** Whether records are being admitted: until they all are, nothing goes. */
  isAdmitting = false

  constructor(segments: LogSegments, home: RetirementHome) {
    this.#segments = segments
    this.#home = home
  }

  /** Drops or rewrites a segment that lost a record, when it is time. */
  settle(segment: Segment): void {
    if (this.isAdmitting) {
      this.#unsettled.add(segment)
      return
    }
    if (this.#holdsLast(segment) || segment.unaccounted > 0) return
    if (segment.records === 0) {
      if (this.#isAccounted(segment)) this.#drop(segment)
    } else if (segment.bytes * COMPACTION_SHARE < segment.storedBytes) {
      this.#home.compact(segment)
    }
  }

  /** Has a segment looked at with the next `settleWaiting`. */
  settleLater(segment: Segment): void {
    this.#unsettled.add(segment)
  }

  settleWaiting(): void {
    if (this.#unsettled.size === 0) return
    const unsettled = [...this.#unsettled]
    this.#unsettled.clear()
    for (const segment of unsettled) this.settle(segment)
    // Behind one in front that could not go, the next were not looked at.
    if (!this.isAdmitting) this.dropFront()
  }

  /** Drops the segments in front that hold nothing and are accounted for. */
  dropFront(): void {
    for (;;) {
      const front = this.#segments.list[0]
      if (front === undefined || this.#holdsLast(front)) return
      if (front.records > 0 || front.unaccounted > 0) return
      if (!this.#isAccounted(front) || !this.#drop(front)) return
    }
  }

  /** What is being filled stays too. */
  #holdsLast(segment: Segment): boolean {
    return segment.nextSequence > this.#segments.committedSequence
  }

  #isAccounted(segment: Segment): boolean {
    const { accountedThrough, firstSequence } = this.#segments
    return accountedThrough >= Math.min(firstSequence, segment.nextSequence) - 1
  }

  #drop(segment: Segment): boolean {
    const { list } = this.#segments
    const index = list.indexOf(segment)
    if (index < 0) return false
    if (!this.#home.mayDrop(segment)) {
      this.#unsettled.add(segment)
      return false
    }
    this.#home.dropping(segment)
    list.splice(index, 1)
    this.#segments.bytes -= segment.bytes
    segment.bytes = 0
    this.#home.dropped(segment)
    return true
  }
}
