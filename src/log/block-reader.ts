// Finds the block of a number: in memory where it is, read from the disk otherwise. Who reads on gets more at a time, and the next
// run of blocks is read while the one at hand is looked at. Holds what it read ahead and nothing else.
import type { Block } from './block.js'
import type { ReadAhead } from './block-cache.js'
import { RecordView } from './record.js'
import { READ_BYTES, type LoadedBlocks, type ReadPosition, type Segment } from './segment.js'

/** Read at a time when one run follows another. */
const RUN_BYTES = 1_048_576

/** The segments of a log as a reader sees them. */
export interface SegmentList {
  /** What readers may hold ahead; undefined: nothing. */
  readonly readAhead: ReadAhead | undefined
  /** The first segment with a number from `sequence` on. */
  segmentFrom(sequence: number): Segment | undefined
}

/** All blocks of the numbers `from` to `through`, in ascending order. */
class Run {
  readonly from: number
  readonly through: number
  readonly segment: Segment
  readonly end: ReadPosition | undefined
  readonly buffer: Uint8Array | undefined
  /** What was taken of the read-ahead for it. */
  readonly aheadBytes: number
  readonly #blocks: readonly Block[]
  #index = 0

  constructor(segment: Segment, from: number, loaded: LoadedBlocks, aheadBytes: number) {
    this.segment = segment
    this.from = from
    this.through = Math.max(from, loaded.throughSequence)
    this.end = loaded.end
    this.buffer = loaded.buffer
    this.aheadBytes = aheadBytes
    this.#blocks = loaded.blocks
  }

  get isEmpty(): boolean {
    return this.#blocks.length === 0
  }

  covers(sequence: number): boolean {
    return sequence >= this.from && sequence <= this.through
  }

  /** The block with the first record from `sequence` on. */
  at(sequence: number): Block | undefined {
    const blocks = this.#blocks
    if (this.#index > 0 && blocks[this.#index - 1]!.lastSequence >= sequence) this.#index = 0
    while (this.#index < blocks.length && blocks[this.#index]!.lastSequence < sequence) {
      this.#index += 1
    }
    return blocks[this.#index]
  }
}

export class BlockReader {
  readonly #list: SegmentList
  /** What was read is read into again once the reader is past it. */
  readonly #isTransient: boolean
  #spare: Uint8Array | undefined
  #run: Run | undefined
  /** The one behind it, once it was read. */
  #following: Run | undefined
  #loading: Promise<void> | undefined
  /** Begins to read ahead when what is being read is there. */
  #wantsAhead = false
  /** Numbers that turned out to have no record: not looked for again on the way to the next segment. */
  #emptyFrom = 0
  #emptyThrough = -1
  #isReleased = false
  /** The segment of the block found last. */
  segment: Segment | undefined

  constructor(list: SegmentList, isTransient = false) {
    this.#list = list
    this.#isTransient = isTransient
  }

  /** The block that holds the first stored record from `sequence` on, if there is one and it is at hand. */
  at(sequence: number): Block | undefined | 'wait' {
    let from = sequence
    for (;;) {
      if (from >= this.#emptyFrom && from <= this.#emptyThrough) from = this.#emptyThrough + 1
      const segment = this.#list.segmentFrom(from)
      if (segment === undefined) return undefined
      from = Math.max(from, segment.firstSequence)
      if (this.#following?.covers(from)) this.#advance()
      const isCovered = this.#run !== undefined && this.#run.covers(from)
      const found = (isCovered ? this.#run!.at(from) : undefined) ?? segment.blockAt(from)
      if (found === 'wait') {
        if (isCovered) {
          from = this.#run!.through + 1
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
    this.#isReleased = true
    this.#setRun(undefined)
    this.#setFollowing(undefined)
    this.#spare = undefined
    this.segment = undefined
  }

  /** Goes on with the run that was read ahead, and reads the one behind it. */
  #advance(): void {
    const following = this.#following
    this.#following = undefined
    this.#setRun(following)
    this.#readAhead()
  }

  #setRun(run: Run | undefined): void {
    const before = this.#run
    this.#run = run
    if (before === undefined) return
    this.#list.readAhead?.give(before.aheadBytes)
    if (this.#isTransient) this.#spare = before.buffer
  }

  #setFollowing(run: Run | undefined): void {
    const before = this.#following
    this.#following = run
    if (before !== undefined) this.#list.readAhead?.give(before.aheadBytes)
  }

  #readAhead(): void {
    const run = this.#run
    if (run === undefined || this.#loading !== undefined) return
    const segment = this.#list.segmentFrom(run.through + 1)
    if (segment === undefined) return
    const from = Math.max(run.through + 1, segment.firstSequence)
    if (segment.blockAt(from) !== 'wait') return
    const { readAhead } = this.#list
    if (readAhead?.take(RUN_BYTES) !== true) return
    const loading = this.#load(segment, from, RUN_BYTES).then(
      (loaded) => {
        const following = new Run(segment, from, loaded, RUN_BYTES)
        if (this.#isReleased || following.isEmpty) readAhead.give(RUN_BYTES)
        else this.#setFollowing(following)
      },
      // Whoever comes to it reads it again, and is told.
      () => readAhead.give(RUN_BYTES),
    )
    this.#await(loading)
  }

  #startLoading(segment: Segment, from: number, searched: number): void {
    // What is being read ahead may be the very thing; it is seen when that is there.
    if (this.#loading !== undefined) return
    this.#isReleased = false
    const isReadingOn = this.#run !== undefined && from === this.#run.through + 1
    const loading = this.#load(segment, from, isReadingOn ? RUN_BYTES : READ_BYTES).then(
      (loaded) => {
        const run = new Run(segment, from, loaded, 0)
        if (run.isEmpty) {
          // The search came to `from` over numbers without records.
          this.#emptyFrom = searched
          this.#emptyThrough = run.through
        }
        this.#setRun(run)
        this.#wantsAhead = isReadingOn
      },
    )
    this.#await(loading)
  }

  #load(segment: Segment, from: number, bytes: number): Promise<LoadedBlocks> {
    const run = this.#run
    const isNext = run?.segment === segment && run.through + 1 === from
    const into = this.#spare
    this.#spare = undefined
    return segment.load(from, { bytes, after: isNext ? run.end : undefined, into })
  }

  #await(loading: Promise<void>): void {
    this.#loading = loading.finally(() => {
      this.#loading = undefined
      if (!this.#wantsAhead) return
      this.#wantsAhead = false
      if (!this.#isReleased) this.#readAhead()
    })
    // Told to whoever asks `loaded`; nobody may.
    this.#loading.catch(() => undefined)
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
