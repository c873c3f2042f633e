// A log over segments, wherever those lie: numbers, commits and what is seen of them. Limits (retention.ts), what removals mean for
// keys (removal-accounting.ts) and when segments go (segment-retirement.ts) have their own files.
//
// What must stay true:
// - A record is counted, indexed and shown from its commit on (`admit`), in order.
// - A removal shows at once; what it means for keys and bytes needs the record, and follows when that is at hand.
// - Numbers below the first are gone; `accountedThrough` says how far keys and bytes know it.
import { FanfareError, systemRandom, type Clock } from '../base/index.js'
import type { Block } from './block.js'
import { BlockWriter } from './block-writer.js'
import type {
  CursorOptions,
  KeyIndex,
  Log,
  LogCursor,
  LogLimits,
  LogListener,
  LogRecord,
  LogSettings,
  LogState,
} from './log.js'
import { countKeys } from './key-runs.js'
import { LogSegments } from './log-segments.js'
import { MAX_KEY_BYTES, RecordView } from './record.js'
import { findTime, readRecord, RecordCursor } from './record-cursor.js'
import { type AccountingHome, RemovalAccounting } from './removal-accounting.js'
import { Retention } from './retention.js'
import type { Segment } from './segment.js'
import { SegmentRetirement } from './segment-retirement.js'
import { MutableKeyIndex } from './key-index.js'

export interface SegmentedLogOptions {
  readonly name: string
  readonly incarnation: number
  readonly settings: LogSettings
  readonly clock: Clock
}

export abstract class SegmentedLog implements Log {
  readonly name: string
  readonly incarnation: number
  readonly settings: LogSettings
  protected readonly clock: Clock
  protected readonly writer: BlockWriter
  protected readonly segments = new LogSegments()
  protected readonly keyIndex = new MutableKeyIndex(systemRandom.nextUint32())
  readonly #accounting: RemovalAccounting
  readonly #retention: Retention
  readonly #retirement: SegmentRetirement
  readonly #listeners: LogListener[] = []
  readonly #view = new RecordView()
  #frozen: FanfareError | undefined

  #accepted = 0
  #acceptedTimeMs = 0
  #backlogBytes = 0

  constructor(options: SegmentedLogOptions) {
    const { segments, keyIndex } = this
    this.name = options.name
    this.incarnation = options.incarnation
    this.settings = options.settings
    this.clock = options.clock
    this.writer = new BlockWriter(options.incarnation, (block) => this.blockOpened(block))
    this.#accounting = new RemovalAccounting(
      segments,
      keyIndex,
      options.clock,
      this.#accountingHome(),
    )
    this.#retention = this.#makeRetention(options.settings.limits)
    this.#retirement = new SegmentRetirement(segments, {
      mayDrop: (segment) => this.mayDrop(segment),
      dropping: (segment) => {
        for (const listener of this.#listeners) listener.dropping?.(segment.nextSequence - 1)
      },
      dropped: (segment) => this.segmentDropped(segment),
      compact: (segment) => this.compact(segment),
    })
    this.#accounting.firsts.isLinking = needsLinks(this.limits)
  }

  /** Throws DURABILITY_MISMATCH when the record may not be part of the open unit. */
  protected abstract checkUnit(): void
  /** A block was begun whose first record is about to be written. */
  protected abstract blockOpened(block: Block): void
  /** A record was accepted. */
  protected abstract recordAccepted(bytes: number): void
  /** A segment holds nothing any more and was taken out. */
  protected abstract segmentDropped(segment: Segment): void
  /** Rewrites a segment without its removed records. */
  protected abstract compact(segment: Segment): void
  /** What the caller cannot derive again was removed: by marking its numbers, or, in a trim, by moving the first. */
  protected abstract removalMade(from: number, through: number, isTrim?: boolean): void

  /** Asks again for a removal that shows already and could not be committed; false: there is none. */
  protected abstract removeAgain(sequence: number): boolean
  protected abstract limitsChanged(limits: LogLimits): void

  get limits(): LogLimits {
    return this.#retention.limits
  }

  get state(): LogState {
    const { records, bytes, firstSequence, committedSequence, committedTimeMs } = this.segments
    const isEmpty = records === 0
    return {
      records,
      bytes: isEmpty ? 0 : bytes,
      firstSequence,
      lastSequence: committedSequence,
      firstTimeMs: isEmpty ? 0 : this.#retention.frontTime(),
      lastTimeMs: committedTimeMs,
      removed: committedSequence - firstSequence + 1 - records,
      keys: this.keyIndex.size,
    }
  }

  get firstSequence(): number {
    return this.segments.firstSequence
  }

  get committedSequence(): number {
    return this.segments.committedSequence
  }

  get acceptedSequence(): number {
    return this.#accepted
  }

  get backlogBytes(): number {
    return this.#backlogBytes
  }

  get frozen(): FanfareError | undefined {
    return this.#frozen
  }

  get keys(): KeyIndex {
    return this.keyIndex
  }

  listen(listener: LogListener): void {
    this.#listeners.push(listener)
  }

  append(
    timeMs: number,
    flags: number,
    key: Uint8Array,
    bytes: Uint8Array,
    headStart: number,
    headEnd: number,
    bodyStart: number,
    bodyEnd: number,
  ): number {
    if (this.#frozen !== undefined) throw this.#frozen
    if (key.length > MAX_KEY_BYTES) throw tooLongKey(key.length)
    this.checkUnit()
    if (timeMs > this.#acceptedTimeMs) this.#acceptedTimeMs = timeMs
    const sequence = this.#accepted + 1
    this.#accepted = sequence
    const length = this.writer.append(
      sequence,
      this.#acceptedTimeMs,
      flags,
      key,
      0,
      key.length,
      bytes,
      headStart,
      headEnd,
      bodyStart,
      bodyEnd,
    )
    this.#backlogBytes += length
    this.recordAccepted(length)
    return sequence
  }

  cursor(fromSequence: number, options?: CursorOptions): LogCursor {
    return new RecordCursor(this.segments, fromSequence, options)
  }

  remains(sinceMs: number): LogCursor {
    const from = this.segments.segmentSince(sinceMs)?.numberBefore(sinceMs)
    const terms = { showsRemoved: true }
    return new RecordCursor(this.segments, from ?? this.committedSequence + 1, terms)
  }

  read(sequence: number): Promise<LogRecord | undefined> {
    return readRecord(this.segments, sequence)
  }

  sequenceAt(timeMs: number): Promise<number> {
    return findTime(this.segments, timeMs)
  }

  setLimits(limits: LogLimits): void {
    const { firsts } = this.#accounting
    this.#retention.limits = limits
    this.limitsChanged(limits)
    firsts.isLinking = needsLinks(limits)
    if (!firsts.isLinking) for (const segment of this.segments.list) segment.links = undefined
    if (limits.maxRecordsPerKey !== undefined) this.#accounting.wantPass()
    this.#accounting.work()
    this.enforceLimits(this.clock.nowMs())
  }

  enforceLimits(nowMs: number): void {
    this.#retention.enforce(nowMs)
  }

  get nextExpiryMs(): number | undefined {
    return this.#retention.nextExpiryMs
  }

  remove(sequence: number, durably: boolean): boolean {
    const { segments } = this
    if (sequence > segments.committedSequence) return false
    const segment = sequence < segments.firstSequence ? undefined : segments.segmentOf(sequence)
    if (segment?.markRemoved(sequence) !== true) return durably && this.removeAgain(sequence)
    if (durably) {
      this.#makeDerivedRemovals()
      this.removalMade(sequence, sequence)
    }
    segments.uncount(segment)
    this.#accounting.removedOne(segment, sequence)
    return true
  }

  trim(sequence: number, durably: boolean): void {
    const through = Math.min(sequence, this.committedSequence)
    // What is gone already may have been removed by a call that a restart forgets.
    if (durably && through > 0) this.removalMade(1, through, true)
    if (through >= this.firstSequence) this.#trimTo(through)
  }

  /** Whether `state` and `keys` know of every removal. */
  get isExact(): boolean {
    return this.#accounting.isExact
  }

  /** Resolves when the limits hold, keys and bytes know of every removal, and the ends of each key are exact. */
  settled(): Promise<void> {
    return this.#accounting.settled()
  }

  /** What is known before the records are read again: those below `firstSequence` were removed. */
  beginRestore(firstSequence: number): void {
    this.segments.firstSequence = firstSequence
  }

  /** Where the log goes on after opening. */
  protected restorePosition(lastSequence: number, lastTimeMs: number, hasKeptLimits = false): void {
    const { segments } = this
    const accounting = this.#accounting
    segments.committedSequence = Math.max(segments.committedSequence, lastSequence)
    segments.committedTimeMs = Math.max(segments.committedTimeMs, lastTimeMs)
    this.#accepted = segments.committedSequence
    this.#acceptedTimeMs = segments.committedTimeMs
    segments.firstSequence = Math.min(segments.firstSequence, segments.committedSequence + 1)
    segments.moveFirst()
    segments.accountedThrough = segments.firstSequence - 1
    const limitsKeys = this.limits.maxRecordsPerKey !== undefined
    if (accounting.firsts.isLinking || (limitsKeys && !hasKeptLimits)) {
      if (segments.records > 0) accounting.wantPass()
    }
    for (const segment of segments.list) {
      if (segment.records === 0) this.#retirement.settleLater(segment)
    }
    accounting.clearJobs()
    accounting.work()
    this.enforceLimits(this.clock.nowMs())
  }

  /**
   * Counts and indexes the records of a block that was committed before the log was opened. Removed numbers of the segment
   * are marked; those that have no record become so.
   */
  protected readmit(segment: Segment, block: Block): void {
    const { keyIndex, segments } = this
    const { firsts } = this.#accounting
    const view = this.#view
    if (segment.firstTimeMs === 0) segment.firstTimeMs = block.baseTimeMs
    for (let at = block.recordsStart; at < block.end; at = view.bodyEnd) {
      view.show(block, at)
      const { sequence } = view
      this.readmitGap(segment, sequence - 1)
      segment.nextSequence = sequence + 1
      segment.storedBytes += view.length
      if (sequence < segments.firstSequence || !segment.has(sequence)) continue
      segment.records += 1
      segment.bytes += view.length
      segments.records += 1
      segments.bytes += view.length
      keyIndex.add(view.bytes, view.keyStart, view.keyEnd, sequence)
      if (firsts.isLinking && keyIndex.previousLast > 0) {
        firsts.link(keyIndex.previousLast, sequence)
      }
    }
    segment.lastTimeMs = view.timeMs
    segments.committedSequence = view.sequence
    segments.committedTimeMs = view.timeMs
  }

  /** Counts a segment whose keys are known already. */
  protected readmitSegment(segment: Segment): void {
    const { segments } = this
    segments.list.push(segment)
    segments.records += segment.records
    segments.bytes += segment.bytes
    segments.committedSequence = segment.nextSequence - 1
    segments.committedTimeMs = segment.lastTimeMs
  }

  /** The segment's numbers up to `throughSequence` that were not seen have no record. */
  protected readmitGap(segment: Segment, throughSequence: number): void {
    while (segment.nextSequence <= throughSequence) {
      segment.markRemoved(segment.nextSequence)
      segment.nextSequence += 1
      this.segments.committedSequence = segment.nextSequence - 1
    }
  }

  /** Gives up what was accepted after `sequence`; the numbers are given again. */
  protected refuse(error: FanfareError): void {
    const { committedSequence, committedTimeMs } = this.segments
    if (this.#accepted <= committedSequence) return
    this.#accepted = committedSequence
    this.#acceptedTimeMs = committedTimeMs
    this.#backlogBytes = 0
    this.writer.release()
    for (const listener of this.#listeners) listener.failed(committedSequence + 1, error)
  }

  /** The store is closed: nothing goes on in the background. */
  protected stop(): void {
    this.#accounting.stop()
  }

  /** From now on nothing can be appended. */
  protected freeze(error: FanfareError): void {
    this.#frozen ??= error
  }

  /** Counts and indexes the records of `block` from `start` on, which are being committed to `segment`. */
  protected admit(segment: Segment, block: Block, start: number): void {
    const { segments } = this
    const maxPerKey = this.limits.maxRecordsPerKey
    this.#retirement.isAdmitting = true
    if (segment.firstTimeMs === 0) segment.firstTimeMs = block.baseTimeMs
    if (maxPerKey === undefined) {
      const count = countKeys(this.keyIndex, block, start)
      this.#count(segment, count, block.end - start)
      segment.nextSequence = block.lastSequence + 1
    } else this.#admitLimited(segment, block, start, maxPerKey)
    segment.lastTimeMs = block.lastTimeMs
    this.#backlogBytes -= block.end - start
    segments.committedSequence = block.lastSequence
    segments.committedTimeMs = block.lastTimeMs
  }

  /** One by one, as each may be one too many of its key. */
  #admitLimited(segment: Segment, block: Block, start: number, maxPerKey: number): void {
    const { keyIndex, segments } = this
    const { firsts } = this.#accounting
    const view = this.#view
    for (let at = start; at < block.end; at = view.bodyEnd) {
      view.show(block, at)
      const slot = keyIndex.add(view.bytes, view.keyStart, view.keyEnd, view.sequence)
      segment.nextSequence = view.sequence + 1
      this.#count(segment, 1, view.length)
      if (firsts.isLinking && keyIndex.previousLast > 0) {
        firsts.link(keyIndex.previousLast, view.sequence)
      }
      if (keyIndex.countAt(slot) > maxPerKey) {
        segments.committedSequence = view.sequence
        this.#accounting.shrinkKey(slot, view)
      }
    }
  }

  #count(segment: Segment, records: number, bytes: number): void {
    segment.records += records
    segment.bytes += bytes
    segment.storedBytes += bytes
    this.segments.records += records
    this.segments.bytes += bytes
  }

  /** Tells of what was admitted and applies the limits. */
  protected tellCommitted(): void {
    const through = this.committedSequence
    this.#retirement.isAdmitting = false
    this.settleWaiting()
    this.#accounting.work()
    if (this.#retention.hasLimits) this.enforceLimits(this.clock.nowMs())
    for (const listener of this.#listeners) listener.committed(through)
  }

  /** Looks again at segments that could not go, or be compacted, when they were looked at. */
  protected settleWaiting(): void {
    this.#retirement.settleWaiting()
  }

  /** What compaction keeps: records that are there, and those whose key has still to be taken off. */
  protected isWanted(segment: Segment, sequence: number): boolean {
    return sequence > this.segments.accountedThrough && segment.has(sequence)
  }

  /** Called when a segment was rewritten and takes less room. */
  protected compacted(segment: Segment, storedBytes: number): void {
    segment.storedBytes = storedBytes
  }

  /** Whether a segment without records can go now; asked again by `settleWaiting`. */
  protected mayDrop(_segment: Segment): boolean {
    return true
  }

  protected readingFailed(_error: unknown): void {}

  #trimTo(through: number): void {
    this.segments.uncountThrough(through)
    if (this.segments.records > 0) {
      this.#accounting.removedThrough(through)
      return
    }
    this.#accounting.forgetAll()
    for (const listener of this.#listeners) listener.cleared?.()
  }

  /**
   * A record that is removed by hand no longer counts against the limit of its key; so what the limit removed before, on its
   * account, could not be derived again.
   */
  #makeDerivedRemovals(): void {
    for (const segment of this.segments.list) {
      for (const { from, through } of segment.takeDerivedRemovals()) {
        this.removalMade(from, through)
      }
    }
  }

  #makeRetention(limits: LogLimits | undefined): Retention {
    const accounting = this.#accounting
    return new Retention(limits, this.segments, accounting.finder, {
      get isIdle() {
        return accounting.isIdle
      },
      trimTo: (through) => this.#trimTo(through),
      loadFront: () => accounting.workWhenLoaded(),
    })
  }

  #accountingHome(): AccountingHome {
    const limits = (): LogLimits => this.limits
    return {
      get maxRecordsPerKey() {
        return limits().maxRecordsPerKey
      },
      removed: (sequence, { bytes, keyStart, keyEnd }) => {
        for (const listener of this.#listeners) {
          listener.removed?.(sequence, bytes, keyStart, keyEnd)
        }
      },
      settle: (segment) => this.#retirement.settle(segment),
      dropFront: () => this.#retirement.dropFront(),
      enforceLimits: () => this.enforceLimits(this.clock.nowMs()),
      readingFailed: (error) => this.readingFailed(error),
    }
  }
}

function needsLinks(limits: LogLimits): boolean {
  return limits.maxRecordsPerKey !== undefined && limits.maxRecordsPerKey > 1
}

function tooLongKey(length: number): FanfareError {
  return new FanfareError(
    'OPTION_INVALID',
    `A key of ${length} bytes is longer than ${MAX_KEY_BYTES}.`,
    { details: { length } },
  )
}
