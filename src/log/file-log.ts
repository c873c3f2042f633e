// A log in files. It fills blocks, gives them their places when a commit cycle takes them, and admits them when the cycle is
// safe; when and how that is written is the store's decision.
import type { FanfareError } from '../base/index.js'
import type { Block } from './block.js'
import { BlockWriter } from './block-writer.js'
import {
  FileSegment,
  type SegmentDescription,
  type SegmentHome,
  type SegmentMark,
} from './file-segment.js'
import type { EntryWriter } from './journal-entry.js'
import type { MutableKeyIndex } from './key-index.js'
import type { LogLimits } from './log.js'
import type { NumberSet } from './number-set.js'
import { copyRecord } from './memory-log.js'
import { RecordView } from './record.js'
import { READ_BYTES, type ReadPosition, type Segment } from './segment.js'
import { UncertainRemovals, type UncertainRemoval } from './uncertain-removals.js'
import { SegmentedLog, type SegmentedLogOptions } from './segmented-log.js'

/** Compaction syncs what it writes after so much. */
const SYNC_STEP_BYTES = 1_048_576

const DEFAULT_SEGMENT_BYTES = 16_777_216

/** Numbers that may be given before the next reservation is safe, for logs whose last records may be lost. */
export const RESERVED_NUMBERS = 65_536

/** What a file log tells its store. */
export interface FileLogHome extends SegmentHome {
  /** Throws when the open unit has parts in memory. */
  checkUnit(isDurable: boolean): void
  accepted(log: FileLog, bytes: number): void
  /** Calls `done` when the removal is safe, or could not be made so. */
  removed(log: FileLog, from: number, through: number, done: (error?: FanfareError) => void): void
  limitsSet(log: FileLog, limits: LogLimits): void
  /** Removes the file of a segment that never came to be, durably. */
  discard(segment: FileSegment): Promise<void>
  dropped(log: FileLog, segment: FileSegment): void
  wantsCompaction(log: FileLog, segment: FileSegment): void
  /** A full segment is safe. */
  sealed(log: FileLog, segment: FileSegment): void
  readingFailed(log: FileLog, error: unknown): void
}

export class FileLog extends SegmentedLog {
  readonly directory: string
  readonly #home: FileLogHome
  readonly #segmentBytes: number
  /** Blocks of the open group. */
  #part: Block[] = []
  #active: FileSegment | undefined
  /** Numbers of dropped segments whose files may still be found after a loss of power. */
  readonly #gone = new Set<{ readonly from: number; readonly through: number }>()
  readonly #uncertain = new UncertainRemovals()
  /** Segments with blocks that are not written or not safe, oldest first. */
  #unsafe: FileSegment[] = []
  /** Numbers up to here are reserved, durably. */
  ceiling = 0
  /** A write or sync failed: what is committed from now on lies in the journal only. */
  isBroken = false
  isDropped = false
  /** The group that has the log in it last; the store's own mark. */
  group: object | undefined
  /** Writes, syncs and roll-backs of this log, one after another. */
  #turn: Promise<void> = Promise.resolve()

  constructor(options: SegmentedLogOptions, directory: string, home: FileLogHome) {
    super(options)
    this.directory = directory
    this.#home = home
    this.segments.readAhead = home.cache.readAhead
    this.#segmentBytes = options.settings.segmentBytes ?? DEFAULT_SEGMENT_BYTES
  }

  /** Numbers are reserved ahead where the last records may be lost without anybody being told. */
  get isReserving(): boolean {
    return this.settings.durability !== 'fsync'
  }

  /** Whether everything committed is in the log's own files, safely. */
  get isSafe(): boolean {
    return this.#unsafe.length === 0
  }

  get fileSegments(): readonly FileSegment[] {
    return this.segments.list as FileSegment[]
  }

  /** Writes down which numbers have no record. */
  describeRemoved(entries: EntryWriter): void {
    for (const { from, through } of this.#gone) entries.removed(this.incarnation, from, through)
    for (const { removed, firstSequence, span } of this.segments.list) {
      if (removed === undefined || removed.size === 0) continue
      const words = removed.toWords(span)
      this.#uncertain.clearIn(words, firstSequence)
      entries.removedMap(this.incarnation, firstSequence, words)
    }
  }

  /** The oldest record's number, as long as removals that are not committed do not count. */
  get certainFirst(): number {
    return this.#uncertain.firstWithout(this.firstSequence)
  }

  /** The file of a dropped segment is removed, durably. */
  forgetGone(segment: FileSegment): void {
    for (const range of this.#gone) {
      if (range.from === segment.firstSequence) this.#gone.delete(range)
    }
  }

  /** Ends the open block and hands over what was accepted since the last call. */
  takePart(): Block[] {
    this.writer.seal()
    const part = this.#part
    this.#part = []
    return part
  }

  /** Gives blocks their places; a full segment is followed by a new one. */
  place(blocks: readonly Block[], cycle: number): PlacedPart {
    const before = this.#active
    const mark = before?.mark()
    for (const block of blocks) this.#segmentFor(block).place(block, cycle)
    return { log: this, blocks, active: before, mark }
  }

  /** Takes placed blocks back. */
  unplace(part: PlacedPart): Promise<void> {
    return this.#inTurn(async () => {
      while (this.#active !== undefined && this.#active !== part.active) {
        const segment = this.#active
        this.segments.list.pop()
        this.#unsafe = this.#unsafe.filter((unsafe) => unsafe !== segment)
        this.#active = this.fileSegments.at(-1)
        await this.#home.discard(segment)
      }
      if (part.mark !== undefined) await part.active!.rollBack(part.mark)
    })
  }

  /** The blocks are safe: counts and shows their records. */
  admitPart(blocks: readonly Block[]): void {
    for (const block of blocks) {
      const segment = this.#segmentOf(block)
      segment.committed(block)
      this.admit(segment, block, block.recordsStart)
      if (segment !== this.#active) this.#tellSealed(segment)
    }
  }

  override tellCommitted(): void {
    super.tellCommitted()
  }

  override refuse(error: FanfareError): void {
    this.#part = []
    super.refuse(error)
  }

  override freeze(error: FanfareError): void {
    super.freeze(error)
  }

  override stop(): void {
    super.stop()
  }

  /**
   * Writes blocks to the log's files, by default what is committed: what the journal has not made safe may be part of a unit, and
   * must not be found without it. Full segments are made safe before the next is begun.
   */
  write(throughSequence = this.committedSequence): Promise<void> {
    return this.#inTurn(() =>
      this.#forUnsafe(async (segment) => {
        await segment.write(throughSequence)
        if (segment !== this.#active && segment.isWritten) await this.#makeSafe(segment)
      }),
    )
  }

  /** Writes everything that is placed to the log's files and makes it safe. */
  commit(): Promise<void> {
    return this.#inTurn(() =>
      this.#forUnsafe(async (segment) => {
        await segment.commit()
        await this.#makeSafe(segment)
      }),
    )
  }

  /** Makes everything that is written safe. */
  sync(): Promise<void> {
    return this.#inTurn(() => this.#forUnsafe((segment) => this.#makeSafe(segment)))
  }

  /** Rewrites a full segment without its removed records. */
  async rewrite(segment: FileSegment): Promise<void> {
    if (!this.segments.list.includes(segment) || segment === this.#active || !segment.isSafe) return
    const { pool } = this.#home
    const blocks: Block[] = []
    const writer = new BlockWriter(this.incarnation, (block) => blocks.push(block))
    const view = new RecordView()
    let storedBytes = 0
    let after: ReadPosition | undefined
    for (let at = segment.firstSequence; at < segment.nextSequence;) {
      const loaded = await segment.load(at, { bytes: READ_BYTES, after })
      after = loaded.end
      for (const block of loaded.blocks) {
        for (let start = block.recordsStart; start < block.end; start = view.bodyEnd) {
          view.show(block, start)
          if (view.sequence >= at && this.isWanted(segment, view.sequence)) {
            storedBytes += copyRecord(writer, view)
          }
        }
      }
      at = Math.max(at, loaded.throughSequence) + 1
    }
    writer.seal()
    const temporary = `${segment.path}.new`
    const header = segment.rewrittenHeader()
    const length = await this.#writeRewritten(temporary, header, blocks)
    if (!this.segments.list.includes(segment)) {
      await pool.disk.remove(temporary)
      return
    }
    const swap = async (): Promise<void> => {
      await pool.disk.remove(segment.indexPath)
      await pool.disk.rename(temporary, segment.path)
      pool.forget(segment.path)
      segment.adoptHeader(header)
      segment.restore(blocks, length)
      await pool.disk.syncDirectory(this.directory)
    }
    segment.swapping = swap()
    try {
      await segment.swapping
    } finally {
      segment.swapping = undefined
    }
    this.compacted(segment, storedBytes)
  }

  /** Takes over segments found on the disk, their removed numbers marked, oldest first. */
  restoreSegment(
    segment: FileSegment,
    blocks: readonly Block[],
    length: number,
    throughSequence: number,
  ): void {
    this.segments.list.push(segment)
    this.#active = segment
    segment.restore(blocks, length)
    for (const block of blocks) this.readmit(segment, block)
    this.readmitGap(segment, throughSequence)
  }

  /** A segment that was found is full, and has no index. */
  indexLater(segment: FileSegment): void {
    this.#home.sealed(this, segment)
  }

  /** Takes over what an index says of a segment. */
  restoreDescribed(described: SegmentDescription, removed: NumberSet | undefined): void {
    const segment = this.makeSegment(described.firstSequence)
    segment.restoreDescribed(described)
    segment.removed = removed
    this.#active = segment
    this.readmitSegment(segment)
  }

  get keyTable(): MutableKeyIndex {
    return this.keyIndex
  }

  /** Takes over a block that the journal has and the segments have not. */
  restoreBlock(block: Block, isRemoved: (sequence: number) => boolean): void {
    const segment = this.#segmentFor(block)
    segment.place(block, 0)
    for (let number = block.firstSequence; number <= block.lastSequence; number++) {
      if (isRemoved(number)) segment.markRemoved(number)
    }
    segment.committed(block)
    this.readmit(segment, block)
  }

  /** All is taken over: goes on above `lastSequence`. */
  restored(lastSequence: number, lastTimeMs: number, hasKeptLimits = false): void {
    this.restorePosition(lastSequence, lastTimeMs, hasKeptLimits)
  }

  makeSegment(firstSequence: number): FileSegment {
    return new FileSegment(this.#home, this.name, this.directory, this.incarnation, firstSequence, {
      log: this.name,
      incarnation: this.incarnation,
      firstSequence,
      settings: { ...this.settings, limits: this.limits },
    })
  }

  protected override checkUnit(): void {
    this.#home.checkUnit(true)
  }

  protected override blockOpened(block: Block): void {
    this.#part.push(block)
  }

  protected override recordAccepted(bytes: number): void {
    this.#home.accepted(this, bytes)
  }

  protected override segmentDropped(segment: Segment): void {
    const dropped = segment as FileSegment
    dropped.isDropped = true
    this.#gone.add({ from: dropped.firstSequence, through: dropped.nextSequence - 1 })
    this.#unsafe = this.#unsafe.filter((unsafe) => unsafe !== dropped)
    this.#home.dropped(this, dropped)
  }

  /** When the next segment can be found, the last number can, whatever was removed before it. */
  protected override mayDrop(segment: Segment): boolean {
    const { list } = this.segments
    const next = list[list.indexOf(segment) + 1] as FileSegment | undefined
    return (
      next?.isFindable === true &&
      !this.#uncertain.covers(segment.firstSequence, segment.nextSequence)
    )
  }

  /** A removal that may not be committed yet takes no bytes away. */
  protected override isWanted(segment: Segment, sequence: number): boolean {
    return super.isWanted(segment, sequence) || this.#uncertain.covers(sequence, sequence + 1)
  }

  protected override compact(segment: Segment): void {
    this.#home.wantsCompaction(this, segment as FileSegment)
  }

  protected override removalMade(from: number, through: number, isTrim = false): void {
    this.#commitRemoval(this.#uncertain.begin(from, through, isTrim, this.firstSequence))
  }

  protected override removeAgain(sequence: number): boolean {
    const removal = this.#uncertain.failedOf(sequence)
    if (removal === undefined) return false
    removal.hasFailed = false
    this.#commitRemoval(removal)
    return true
  }

  #commitRemoval(removal: UncertainRemoval): void {
    this.#home.removed(this, removal.from, removal.through, (error) => {
      removal.hasFailed = error !== undefined
      if (removal.hasFailed) return
      this.#uncertain.end(removal)
      this.settleWaiting()
    })
  }

  protected override limitsChanged(limits: LogLimits): void {
    this.#home.limitsSet(this, limits)
  }

  protected override readingFailed(error: unknown): void {
    this.#home.readingFailed(this, error)
  }

  #segmentFor(block: Block): FileSegment {
    const active = this.#active
    if (
      active !== undefined &&
      active.length < this.#segmentBytes &&
      active.placedNext === block.firstSequence
    ) {
      if (active.isSafe) this.#unsafe.push(active)
      return active
    }
    const segment = this.makeSegment(block.firstSequence)
    this.segments.list.push(segment)
    this.#active = segment
    this.#unsafe.push(segment)
    this.#tellSealed(active)
    return segment
  }

  /** Tells of a segment that is followed by another when all that was placed in it is safe and committed. */
  #tellSealed(segment: FileSegment | undefined): void {
    if (segment === undefined || segment === this.#active || !segment.isSafe) return
    if (segment.placedNext === segment.nextSequence) this.#home.sealed(this, segment)
  }

  /** The segment in which a block was placed: one of the last. */
  #segmentOf(block: Block): FileSegment {
    const segments = this.fileSegments
    for (let index = segments.length - 1; index > 0; index--) {
      const segment = segments[index]!
      if (segment.firstSequence <= block.firstSequence) return segment
    }
    return segments[0]!
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  /** Segments that are dropped meanwhile need nothing any more. */
  async #forUnsafe(work: (segment: FileSegment) => Promise<void>): Promise<void> {
    for (const segment of [...this.#unsafe]) {
      try {
        if (this.#unsafe.includes(segment)) await work(segment)
      } catch (error) {
        if (this.#unsafe.includes(segment)) throw error
      }
    }
  }

  async #makeSafe(segment: FileSegment): Promise<void> {
    if (!segment.isSafe) await segment.sync()
    if (!segment.isSafe) return
    this.#unsafe = this.#unsafe.filter((unsafe) => unsafe !== segment)
    this.#tellSealed(segment)
  }

  async #writeRewritten(
    path: string,
    header: Uint8Array,
    blocks: readonly Block[],
  ): Promise<number> {
    const { disk } = this.#home.pool
    await disk.remove(path)
    const file = await disk.open(path, 'create', 'background')
    try {
      await file.write(header, 0, header.length, 0)
      let position = header.length
      let chain = 0
      let synced = 0
      for (const block of blocks) {
        block.position = position
        chain = block.stamp(disk, chain, position, 0)
        await file.write(block.bytes, block.start, block.end, position)
        position = block.position + block.length
        // In steps: a commit that syncs meanwhile waits for what is under way, which shall be little.
        if (position - synced < SYNC_STEP_BYTES) continue
        await file.sync()
        synced = position
      }
      await file.sync()
      return position
    } finally {
      await file.close()
    }
  }
}

/** Blocks with their places, and how to take them back. */
export interface PlacedPart {
  readonly log: FileLog
  readonly blocks: readonly Block[]
  readonly active: FileSegment | undefined
  readonly mark: SegmentMark | undefined
}
