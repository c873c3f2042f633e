// A cursor over the committed records of a log, and what is found by walking a little.
import type { Block } from './block.js'
import { BlockReader, type SegmentList } from './block-reader.js'
import type { CursorOptions, LogCursor, LogRecord } from './log.js'
import { RecordView } from './record.js'
import type { Segment } from './segment.js'

/** What a cursor must know of its log. */
export interface CursorSource extends SegmentList {
  readonly firstSequence: number
  readonly committedSequence: number
  /** The first segment that ends at a time of at least `timeMs`. */
  segmentSince(timeMs: number): Segment | undefined
}

/** A copy of one record, or undefined when it is not there. */
export async function readRecord(
  source: CursorSource,
  sequence: number,
): Promise<LogRecord | undefined> {
  const cursor = new RecordCursor(source, sequence)
  try {
    for (;;) {
      const step = cursor.next()
      if (step === 'wait') await cursor.loaded()
      else return step === 'record' && cursor.sequence === sequence ? cursor.copy() : undefined
    }
  } finally {
    cursor.close()
  }
}

/** The number of the first record whose time is at least `timeMs`; one more than the last when there is none. */
export async function findTime(source: CursorSource, timeMs: number): Promise<number> {
  const segment = source.segmentSince(timeMs)
  if (segment === undefined) return source.committedSequence + 1
  const cursor = new RecordCursor(source, segment.numberBefore(timeMs))
  try {
    for (;;) {
      const step = cursor.next()
      if (step === 'wait') await cursor.loaded()
      else if (step === 'end') return source.committedSequence + 1
      else if (cursor.timeMs >= timeMs) return cursor.sequence
    }
  } finally {
    cursor.close()
  }
}

export interface CursorTerms extends CursorOptions {
  /** Shows also what was removed and has not lost its place in a segment yet. */
  readonly showsRemoved?: boolean
}

export class RecordCursor extends RecordView implements LogCursor {
  readonly #source: CursorSource
  readonly #reader: BlockReader
  readonly #showsRemoved: boolean
  #position: number
  #block: Block | undefined
  #segment: Segment | undefined
  #at = 0
  #isClosed = false

  constructor(source: CursorSource, fromSequence: number, terms: CursorTerms = {}) {
    super()
    this.#showsRemoved = terms.showsRemoved ?? false
    this.#source = source
    this.#reader = new BlockReader(source, terms.isTransient)
    this.#position = Math.max(1, fromSequence)
  }

  get position(): number {
    return this.#position
  }

  next(): 'record' | 'end' | 'wait' {
    const block = this.#block
    if (block === undefined || this.#at >= block.end) return this.#search()
    // As a rule the next record of the block at hand is the one.
    this.show(block, this.#at)
    const { sequence } = this
    const source = this.#source
    const isShown =
      sequence >= this.#position &&
      sequence <= source.committedSequence &&
      (this.#showsRemoved || (sequence >= source.firstSequence && this.#segment!.has(sequence)))
    if (!isShown) return this.#search()
    this.#at = this.bodyEnd
    this.#position = sequence + 1
    return 'record'
  }

  #search(): 'record' | 'end' | 'wait' {
    const source = this.#source
    const first = this.#showsRemoved ? 1 : source.firstSequence
    let sequence = Math.max(this.#position, first)
    while (sequence <= source.committedSequence && !this.#isClosed) {
      if (this.#block === undefined || sequence > this.#block.lastSequence) {
        const found = this.#reader.at(sequence)
        if (found === 'wait') {
          this.#position = sequence
          // A transient reader may read into it again.
          this.#block = undefined
          return 'wait'
        }
        if (found === undefined) return 'end'
        this.#block = found
        this.#segment = this.#reader.segment
        this.#at = found.recordsStart
      }
      if (this.#walk(this.#block, sequence)) return this.#show()
      sequence = this.#block.lastSequence + 1
    }
    return 'end'
  }

  loaded(): Promise<void> {
    return this.#reader.loaded()
  }

  seek(sequence: number): void {
    this.#position = Math.max(1, sequence)
    this.#block = undefined
  }

  close(): void {
    this.#isClosed = true
    this.#block = undefined
    this.#segment = undefined
    this.#reader.release()
  }

  /** Goes on to the next record of the block that is there and has at least that number. */
  #walk(block: Block, sequence: number): boolean {
    while (this.#at < block.end) {
      this.show(block, this.#at)
      this.#at = this.bodyEnd
      if (this.sequence < sequence) continue
      if (this.#showsRemoved || this.#segment!.has(this.sequence)) return true
    }
    return false
  }

  #show(): 'record' | 'end' {
    if (this.sequence > this.#source.committedSequence) {
      // An open block holds it already; it is looked at again when it is committed.
      this.#at = this.start
      return 'end'
    }
    this.#position = this.sequence + 1
    return 'record'
  }
}
