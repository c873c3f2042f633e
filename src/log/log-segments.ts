// The segments of a log, in the order of their numbers, and what they hold together: how many records and bytes, from which number
// to which.
import type { ReadAhead } from './block-cache.js'
import type { CursorSource } from './record-cursor.js'
import { firstIndex, type Segment } from './segment.js'

export class LogSegments implements CursorSource {
  readonly list: Segment[] = []
  /** What its readers may read ahead; without it they do not. */
  readAhead: ReadAhead | undefined
  /** Records that can be read. */
  records = 0
  /** Their bytes as stored, and those of removed records that have not been looked at yet. */
  bytes = 0
  /** The oldest record's number; one more than the last committed one when there is none. */
  firstSequence = 1
  committedSequence = 0
  committedTimeMs = 0
  /** How far the removal of everything below `firstSequence` is known to keys and bytes. */
  accountedThrough = 0

  /** The first segment with a number from `sequence` on. */
  segmentFrom(sequence: number): Segment | undefined {
    const { list } = this
    const last = list[list.length - 1]
    if (last === undefined || last.nextSequence <= sequence) return undefined
    if (last.firstSequence <= sequence) return last
    const first = list[0]!
    if (first.nextSequence > sequence) return first
    return list[firstIndex(list, (segment) => segment.nextSequence > sequence)]
  }

  /** The segment that has a committed number in it. */
  segmentOf(sequence: number): Segment | undefined {
    const segment = this.segmentFrom(sequence)
    return segment === undefined || sequence < segment.firstSequence ? undefined : segment
  }

  /** The first segment that ends at a time of at least `timeMs`. */
  segmentSince(timeMs: number): Segment | undefined {
    return this.list[firstIndex(this.list, (segment) => segment.lastTimeMs >= timeMs)]
  }

  /** One record of `segment` is not there any more. */
  uncount(segment: Segment): void {
    segment.records -= 1
    this.records -= 1
    this.moveFirst()
  }

  /** Nothing up to `through` is there any more. */
  uncountThrough(through: number): void {
    for (const segment of this.list) {
      if (segment.firstSequence > through) break
      const gone = segment.liveIn(this.firstSequence, through + 1)
      segment.records -= gone
      this.records -= gone
    }
    this.firstSequence = through + 1
    this.moveFirst()
  }

  takeBytes(segment: Segment, length: number): void {
    const taken = Math.min(length, segment.bytes)
    segment.bytes -= taken
    this.bytes -= taken
  }

  /** Nothing is left, and keys and bytes are to know it. */
  forgetAll(): void {
    this.bytes = 0
    this.accountedThrough = this.committedSequence
    for (const segment of this.list) {
      segment.unaccounted = 0
      segment.bytes = 0
    }
  }

  /** Moves the first number over those that have no record. */
  moveFirst(): void {
    if (this.records === 0) {
      this.firstSequence = this.committedSequence + 1
      return
    }
    let segment = this.segmentFrom(this.firstSequence)
    while (segment !== undefined) {
      const live = segment.nextLive(this.firstSequence)
      if (live < segment.nextSequence) {
        this.firstSequence = live
        return
      }
      segment = this.segmentFrom(segment.nextSequence)
    }
  }
}
