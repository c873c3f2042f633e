// Finds the block of a number: in memory where it is, read ahead from the disk otherwise. Holds what it read ahead and
// nothing else.
import type { Block } from './block.js'
import { RecordView } from './record.js'
import type { Segment } from './segment.js'

/** The segments of a log as a reader sees them. */
export interface SegmentList {
  /** The first segment with a number from `sequence` on. */
  segmentFrom(sequence: number): Segment | undefined
}

const NONE: readonly Block[] = []

export class BlockReader {
  readonly #list: SegmentList
  #ahead: readonly Block[] = NONE
  #aheadIndex = 0
  #aheadFrom = 0
  #aheadThrough = -1
  /** Numbers that turned out to have no record: not looked for again on the way to the next segment. */
  #emptyFrom = 0
  #emptyThrough = -1
  #loading: Promise<void> | undefined
  /** The segment of the block found last. */
  segment: Segment | undefined

  constructor(list: SegmentList) {
    this.#list = list
  }

  /** The block that holds the first stored record from `sequence` on, if there is one and it is at hand. */
  at(sequence: number): Block | undefined | 'wait' {
    let from = sequence
    for (;;) {
      if (from >= this.#emptyFrom && from <= this.#emptyThrough) from = this.#emptyThrough + 1
      const segment = this.#list.segmentFrom(from)
      if (segment === undefined) return undefined
      from = Math.max(from, segment.firstSequence)
      const found = this.#aheadAt(from) ?? segment.blockAt(from)
      if (found === 'wait') {
        if (from >= this.#aheadFrom && from <= this.#aheadThrough) {
          from = this.#aheadThrough + 1
          continue
        }
        this.#startLoading(segment, from, sequence)
        return 'wait'
      }
      if (found !== undefined) {
        this.segment = segment
        return found
      }
      from = segment.nextSequence
    }
  }

  /** Resolves when what `at` waited for is there. */
  loaded(): Promise<void> {
    return this.#loading ?? Promise.resolve()
  }

  /** Lets go of what was read ahead. */
  release(): void {
    this.#ahead = NONE
    this.#aheadThrough = -1
    this.segment = undefined
  }

  #aheadAt(sequence: number): Block | undefined {
    if (sequence < this.#aheadFrom || sequence > this.#aheadThrough) return undefined
    const ahead = this.#ahead
    if (this.#aheadIndex > 0 && ahead[this.#aheadIndex - 1]!.lastSequence >= sequence) {
      this.#aheadIndex = 0
    }
    while (this.#aheadIndex < ahead.length && ahead[this.#aheadIndex]!.lastSequence < sequence) {
      this.#aheadIndex += 1
    }
    return ahead[this.#aheadIndex]
  }

  #startLoading(segment: Segment, from: number, searched: number): void {
    if (this.#loading !== undefined) return
    this.#loading = this.#load(segment, from, searched)
    // Told to whoever asks `loaded`; nobody may.
    this.#loading.catch(() => undefined)
  }

  async #load(segment: Segment, from: number, searched: number): Promise<void> {
    try {
      const { blocks, throughSequence } = await segment.load(from)
      if (blocks.length === 0) {
        // The search came to `from` over numbers without records.
        this.#emptyFrom = searched
        this.#emptyThrough = Math.max(from, throughSequence)
      }
      this.#ahead = blocks
      this.#aheadIndex = 0
      this.#aheadFrom = from
      this.#aheadThrough = Math.max(from, throughSequence)
    } finally {
      this.#loading = undefined
    }
  }
}

/** Finds single records, fast when they are asked for in ascending order. */
export class RecordFinder {
  readonly reader: BlockReader
  readonly view = new RecordView()
  #block: Block | undefined
  #at = 0

  constructor(list: SegmentList) {
    this.reader = new BlockReader(list)
  }

  /** Shows the first stored record from `sequence` on in `view`. */
  find(sequence: number): 'found' | 'none' | 'wait' {
    let block = this.#block
    if (block === undefined || sequence < block.firstSequence || sequence > block.lastSequence) {
      const found = this.reader.at(sequence)
      if (found === 'wait') return 'wait'
      if (found === undefined) return 'none'
      block = found
      this.#enter(block)
    } else if (sequence < this.view.sequence) {
      this.#enter(block)
    } else if (this.view.sequence === sequence && this.view.start !== 0) {
      return 'found'
    }
    while (this.#at < block.end) {
      this.view.show(block, this.#at)
      this.#at = this.view.bodyEnd
      if (this.view.sequence >= sequence) return 'found'
    }
    this.#block = undefined
    return this.find(block.lastSequence + 1)
  }

  release(): void {
    this.#block = undefined
    this.reader.release()
  }

  #enter(block: Block): void {
    this.#block = block
    this.#at = block.recordsStart
    this.view.sequence = 0
  }
}
