// A log in the memory of this process. Blocks are filled, committed and read where they lie; an open block goes on being
// filled after a part of it is committed.
import type { Block } from './block.js'
import { BlockWriter } from './block-writer.js'
import type { LogLimits } from './log.js'
import { MemorySegment } from './memory-segment.js'
import { RecordView } from './record.js'
import type { Segment } from './segment.js'
import { SegmentedLog, type SegmentedLogOptions } from './segmented-log.js'

/** Smaller than a file's: what was removed is given back segment by segment. */
const DEFAULT_SEGMENT_BYTES = 1_048_576

/** What a memory log tells the store that it belongs to. */
export interface MemoryLogHome {
  limitsSet(log: MemoryLog, limits: LogLimits): void
  /** Throws when the open unit has parts on the disk. */
  checkUnit(isDurable: boolean): void
  /** Something waits for `admitWaiting`. */
  accepted(log: MemoryLog): void
}

export class MemoryLog extends SegmentedLog {
  readonly #home: MemoryLogHome
  readonly #segmentBytes: number
  #tail: MemorySegment | undefined
  #tailBytes = 0
  #block: Block | undefined
  /** Blocks with records that wait, their segments, and where the waiting records of the first block begin. */
  #waiting: Block[] = []
  #waitingSegments: MemorySegment[] = []
  #waitingFrom = 0

  constructor(options: SegmentedLogOptions, home: MemoryLogHome) {
    super(options)
    this.#home = home
    this.#segmentBytes = options.settings.segmentBytes ?? DEFAULT_SEGMENT_BYTES
  }

  /** Goes on above numbers that were given before a restart. */
  continueAfter(lastSequence: number): void {
    this.restorePosition(lastSequence, 0)
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Commits what was accepted; `tellCommitted` follows when everything that belongs together is committed. */
  admitWaiting(): void {
    const blocks = this.#waiting
    const segments = this.#waitingSegments
    let from = this.#waitingFrom
    this.#waiting = []
    this.#waitingSegments = []
    for (let i = 0; i < blocks.length; i++) {
      const block = blocks[i]!
      this.admit(segments[i]!, block, Math.max(from, block.recordsStart))
      from = 0
    }
  }

  override tellCommitted(): void {
    super.tellCommitted()
  }

  /** Refuses what waits and everything from now on. */
  end(error: Parameters<SegmentedLog['freeze']>[0]): void {
    this.freeze(error)
    this.stop()
    this.#waiting = []
    this.#waitingSegments = []
    this.refuse(error)
  }

  protected override checkUnit(): void {
    this.#home.checkUnit(false)
  }

  protected override blockOpened(block: Block): void {
    this.#block = block
    if (this.#tail === undefined || this.#tailBytes >= this.#segmentBytes) {
      this.#tail = new MemorySegment(block.firstSequence)
      this.#tailBytes = 0
      this.segments.list.push(this.#tail)
    }
    this.#tail.blocks.push(block)
  }

  protected override recordAccepted(bytes: number): void {
    const block = this.#block!
    const count = this.#waiting.length
    this.#tailBytes += bytes
    if (count > 0 && this.#waiting[count - 1] === block) return
    if (count === 0) this.#waitingFrom = block.end - bytes
    this.#waiting.push(block)
    this.#waitingSegments.push(this.#tail!)
    if (count === 0) this.#home.accepted(this)
  }

  protected override compact(segment: Segment): void {
    if (!(segment instanceof MemorySegment)) return
    const blocks: Block[] = []
    const writer = new BlockWriter(this.incarnation, (block) => blocks.push(block))
    const view = new RecordView()
    let storedBytes = 0
    for (const block of segment.blocks) {
      for (let at = block.recordsStart; at < block.end; at = view.bodyEnd) {
        view.show(block, at)
        if (this.isWanted(segment, view.sequence)) storedBytes += copyRecord(writer, view)
      }
    }
    writer.seal()
    segment.blocks = blocks
    this.compacted(segment, storedBytes)
  }

  protected override segmentDropped(_segment: Segment): void {}

  protected override removalMade(_from: number, _through: number): void {}

  protected override removeAgain(_sequence: number): boolean {
    return false
  }

  protected override limitsChanged(limits: LogLimits): void {
    this.#home.limitsSet(this, limits)
  }
}

export function copyRecord(writer: BlockWriter, view: RecordView): number {
  const { bytes } = view
  return writer.append(
    view.sequence,
    view.timeMs,
    view.flags,
    bytes,
    view.keyStart,
    view.keyEnd,
    bytes,
    view.headStart,
    view.headEnd,
    view.bodyStart,
    view.bodyEnd,
  )
}
