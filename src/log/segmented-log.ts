// A log over segments, wherever those lie: numbers, commits, limits, removals, cursors and what is known of the keys.
//
// What must stay true:
// - A record is counted, indexed and shown from its commit on (`admit`), in order.
// - A removal shows at once; what it means for keys and bytes needs the record, and follows when that is at hand (`jobs`).
// - Numbers below `firstSequence` are gone; `#accountedThrough` says how far keys and bytes know it.
import { FanfareError, systemRandom, type Clock } from '../base/index.js'
import type { Block } from './block.js'
import type { ReadAhead } from './block-cache.js'
import { BlockWriter } from './block-writer.js'
import { RecordFinder } from './block-reader.js'
import { KeyFirsts } from './key-firsts.js'
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
import { MAX_KEY_BYTES, RecordView } from './record.js'
import { RecordCursor, type CursorSource } from './record-cursor.js'
import { firstIndex, type Segment } from './segment.js'
import { MutableKeyIndex } from './key-index.js'

/** Removed records that are accounted for in one turn: about 1 ms. */
const RECORDS_PER_SLICE = 4_096

/** A segment is rewritten when less than one third of its bytes is still wanted. */
const COMPACTION_SHARE = 3

/** How long removed records that could not be read wait for the next attempt. */
const RETRY_MS = 1_000

type Job =
  | { readonly kind: 'record'; readonly sequence: number; readonly segment: Segment }
  | { readonly kind: 'through'; readonly sequence: number }

export interface SegmentedLogOptions {
  readonly name: string
  readonly incarnation: number
  readonly settings: LogSettings
  readonly clock: Clock
}

export abstract class SegmentedLog implements Log, CursorSource {
  readonly name: string
  readonly incarnation: number
  readonly settings: LogSettings
  protected readonly clock: Clock
  protected readonly writer: BlockWriter
  protected segments: Segment[] = []
  protected readonly keyIndex = new MutableKeyIndex(systemRandom.nextUint32())
  readonly #firsts: KeyFirsts
  readonly #listeners: LogListener[] = []
  readonly #finder: RecordFinder
  readonly #view = new RecordView()
  #limits: LogLimits
  #frozen: FanfareError | undefined

  #accepted = 0
  #acceptedTimeMs = 0
  #backlogBytes = 0
  #committed = 0
  #committedTimeMs = 0

  #records = 0
  #bytes = 0
  #first = 1
  #accountedThrough = 0
  #frontSequence = 0
  #frontTimeMs = 0

  #jobs: Job[] = []
  #jobIndex = 0
  /** Where the pass over all records is; it goes on when there are no jobs, so that the counts of the keys are right. */
  #passAt: number | undefined
  #wantsPass = false
  /** Segments that lost records while others were being admitted to them, perhaps. */
  readonly #unsettled = new Set<Segment>()
  #isAdmitting = false
  #isWorkPlanned = false
  #isWorking = false
  /** Whether the records that the work needs could not be read; it is tried again after a while. */
  #isStalled = false
  #isStopped = false
  #settledWaiters: (() => void)[] = []
  #isEnforcing = false

  constructor(options: SegmentedLogOptions) {
    this.name = options.name
    this.incarnation = options.incarnation
    this.settings = options.settings
    this.clock = options.clock
    this.#limits = options.settings.limits ?? NO_LIMITS
    this.writer = new BlockWriter(options.incarnation, (block) => this.blockOpened(block))
    this.#firsts = new KeyFirsts(this.keyIndex, this)
    this.#firsts.isLinking = needsLinks(this.#limits)
    this.#finder = new RecordFinder(this)
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
  protected abstract limitsChanged(limits: LogLimits): void

  get limits(): LogLimits {
    return this.#limits
  }

  get state(): LogState {
    const isEmpty = this.#records === 0
    return {
      records: this.#records,
      bytes: isEmpty ? 0 : this.#bytes,
      firstSequence: this.#first,
      lastSequence: this.#committed,
      firstTimeMs: isEmpty ? 0 : this.#frontTime(),
      lastTimeMs: this.#committedTimeMs,
      removed: this.#committed - this.#first + 1 - this.#records,
      keys: this.keyIndex.size,
    }
  }

  get firstSequence(): number {
    return this.#first
  }

  /** What its readers may read ahead; without it they do not. */
  get readAhead(): ReadAhead | undefined {
    return undefined
  }

  get committedSequence(): number {
    return this.#committed
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
    return new RecordCursor(this, fromSequence, options)
  }

  remains(sinceMs: number): LogCursor {
    const index = firstIndex(this.segments, (segment) => segment.lastTimeMs >= sinceMs)
    const from = this.segments[index]?.numberBefore(sinceMs) ?? this.#committed + 1
    return new RecordCursor(this, from, { showsRemoved: true })
  }

  async read(sequence: number): Promise<LogRecord | undefined> {
    const cursor = new RecordCursor(this, sequence)
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

  async sequenceAt(timeMs: number): Promise<number> {
    const index = firstIndex(this.segments, (segment) => segment.lastTimeMs >= timeMs)
    const segment = this.segments[index]
    if (segment === undefined) return this.#committed + 1
    const cursor = new RecordCursor(this, segment.numberBefore(timeMs))
    try {
      for (;;) {
        const step = cursor.next()
        if (step === 'wait') await cursor.loaded()
        else if (step === 'end') return this.#committed + 1
        else if (cursor.timeMs >= timeMs) return cursor.sequence
      }
    } finally {
      cursor.close()
    }
  }

  setLimits(limits: LogLimits): void {
    this.#limits = limits
    this.limitsChanged(limits)
    this.#firsts.isLinking = needsLinks(limits)
    if (!this.#firsts.isLinking) for (const segment of this.segments) segment.links = undefined
    if (limits.maxRecordsPerKey !== undefined) this.#wantsPass = true
    this.#work()
    this.enforceLimits(this.clock.nowMs())
  }

  enforceLimits(nowMs: number): void {
    if (this.#isEnforcing) return
    this.#isEnforcing = true
    this.#enforceRecords()
    this.#enforceBytes()
    this.#enforceAge(nowMs)
    this.#isEnforcing = false
  }

  get nextExpiryMs(): number | undefined {
    const maxAgeMs = this.#limits.maxAgeMs
    if (maxAgeMs === undefined || this.#records === 0) return undefined
    return this.#frontTime() + maxAgeMs
  }

  remove(sequence: number, durably: boolean): boolean {
    if (sequence < this.#first || sequence > this.#committed) return false
    const segment = this.segmentFrom(sequence)
    if (segment === undefined || sequence < segment.firstSequence) return false
    if (!segment.markRemoved(sequence)) return false
    if (durably) {
      this.#makeDerivedRemovals()
      this.removalMade(sequence, sequence)
    }
    this.#uncount(segment)
    segment.unaccounted += 1
    if (this.#isIdle && this.#accountRecord(segment, sequence)) {
      this.#settleSegment(segment)
    } else {
      this.#jobs.push({ kind: 'record', sequence, segment })
      this.#work()
    }
    return true
  }

  trim(sequence: number, durably: boolean): void {
    const through = Math.min(sequence, this.#committed)
    // What is gone already may have been removed by a call that a restart forgets.
    if (durably && through > 0) this.removalMade(1, through, true)
    if (through >= this.#first) this.#trimTo(through)
  }

  /** Whether `state` and `keys` know of every removal. */
  get isExact(): boolean {
    return this.#isQuiet && !this.#firsts.needsPass
  }

  /** Resolves when the limits hold, keys and bytes know of every removal, and the ends of each key are exact. */
  async settled(): Promise<void> {
    for (;;) {
      if (this.#firsts.needsPass) this.#wantsPass = true
      this.#work()
      if (this.#isQuiet) this.enforceLimits(this.clock.nowMs())
      if (this.isExact || this.#isStalled || this.#isStopped) return
      if (!this.#isQuiet) await new Promise<void>((resolve) => this.#settledWaiters.push(resolve))
    }
  }

  segmentFrom(sequence: number): Segment | undefined {
    const segments = this.segments
    const last = segments[segments.length - 1]
    if (last === undefined || last.nextSequence <= sequence) return undefined
    if (last.firstSequence <= sequence) return last
    const first = segments[0]!
    if (first.nextSequence > sequence) return first
    return segments[firstIndex(segments, (segment) => segment.nextSequence > sequence)]
  }

  protected get acceptedTimeMs(): number {
    return this.#acceptedTimeMs
  }

  /** What is known before the records are read again: those below `firstSequence` were removed. */
  beginRestore(firstSequence: number): void {
    this.#first = firstSequence
  }

  /** Where the log goes on after opening. */
  protected restorePosition(lastSequence: number, lastTimeMs: number, hasKeptLimits = false): void {
    this.#committed = Math.max(this.#committed, lastSequence)
    this.#accepted = this.#committed
    this.#committedTimeMs = Math.max(this.#committedTimeMs, lastTimeMs)
    this.#acceptedTimeMs = this.#committedTimeMs
    this.#first = Math.min(this.#first, this.#committed + 1)
    this.#moveFirst()
    this.#accountedThrough = this.#first - 1
    if (this.#firsts.isLinking || (this.#limits.maxRecordsPerKey !== undefined && !hasKeptLimits)) {
      this.#wantsPass = this.#records > 0
    }
    for (const segment of this.segments) if (segment.records === 0) this.#unsettled.add(segment)
    this.#clearJobs()
    this.#work()
    this.enforceLimits(this.clock.nowMs())
  }

  /**
   * Counts and indexes the records of a block that was committed before the log was opened. Removed numbers of the segment
   * are marked; those that have no record become so.
   */
  protected readmit(segment: Segment, block: Block): void {
    const { keyIndex } = this
    const view = this.#view
    if (segment.firstTimeMs === 0) segment.firstTimeMs = block.baseTimeMs
    for (let at = block.recordsStart; at < block.end; at = view.bodyEnd) {
      view.show(block, at)
      const { sequence } = view
      this.readmitGap(segment, sequence - 1)
      segment.nextSequence = sequence + 1
      segment.storedBytes += view.length
      if (sequence < this.#first || !segment.has(sequence)) continue
      segment.records += 1
      segment.bytes += view.length
      this.#records += 1
      this.#bytes += view.length
      keyIndex.add(view.bytes, view.keyStart, view.keyEnd, sequence)
      if (this.#firsts.isLinking && keyIndex.previousLast > 0) {
        this.#firsts.link(keyIndex.previousLast, sequence)
      }
    }
    segment.lastTimeMs = view.timeMs
    this.#committed = view.sequence
    this.#committedTimeMs = view.timeMs
  }

  /** Counts a segment whose keys are known already. */
  protected readmitSegment(segment: Segment): void {
    this.segments.push(segment)
    this.#records += segment.records
    this.#bytes += segment.bytes
    this.#committed = segment.nextSequence - 1
    this.#committedTimeMs = segment.lastTimeMs
  }

  /** The segment's numbers up to `throughSequence` that were not seen have no record. */
  protected readmitGap(segment: Segment, throughSequence: number): void {
    while (segment.nextSequence <= throughSequence) {
      segment.markRemoved(segment.nextSequence)
      segment.nextSequence += 1
      this.#committed = segment.nextSequence - 1
    }
  }

  /** Gives up what was accepted after `sequence`; the numbers are given again. */
  protected refuse(error: FanfareError): void {
    const from = this.#committed + 1
    if (this.#accepted < from) return
    this.#accepted = this.#committed
    this.#acceptedTimeMs = this.#committedTimeMs
    this.#backlogBytes = 0
    this.writer.release()
    for (const listener of this.#listeners) listener.failed(from, error)
  }

  /** The store is closed: nothing goes on in the background. */
  protected stop(): void {
    this.#isStopped = true
  }

  /** From now on nothing can be appended. */
  protected freeze(error: FanfareError): void {
    this.#frozen ??= error
  }

  /** Counts and indexes the records of `block` from `start` to `end`, which are being committed to `segment`. */
  protected admit(segment: Segment, block: Block, start: number, end: number): void {
    const { keyIndex } = this
    const view = this.#view
    const maxPerKey = this.#limits.maxRecordsPerKey
    this.#isAdmitting = true
    if (segment.firstTimeMs === 0) segment.firstTimeMs = block.baseTimeMs
    for (let at = start; at < end; at = view.bodyEnd) {
      view.show(block, at)
      const slot = keyIndex.add(view.bytes, view.keyStart, view.keyEnd, view.sequence)
      segment.nextSequence = view.sequence + 1
      segment.records += 1
      segment.bytes += view.length
      segment.storedBytes += view.length
      this.#records += 1
      this.#bytes += view.length
      if (maxPerKey === undefined) continue
      if (this.#firsts.isLinking && keyIndex.previousLast > 0) {
        this.#firsts.link(keyIndex.previousLast, view.sequence)
      }
      if (keyIndex.countAt(slot) > maxPerKey) {
        this.#committed = view.sequence
        this.#shrinkKey(slot)
      }
    }
    segment.lastTimeMs = view.timeMs
    this.#backlogBytes -= end - start
    this.#committed = view.sequence
    this.#committedTimeMs = view.timeMs
  }

  /** Tells of what was admitted and applies the limits. */
  protected tellCommitted(): void {
    const through = this.#committed
    this.#isAdmitting = false
    this.settleWaiting()
    this.#work()
    if (this.#limits !== NO_LIMITS) this.enforceLimits(this.clock.nowMs())
    for (const listener of this.#listeners) listener.committed(through)
  }

  /** Looks again at segments that could not go, or be compacted, when they were looked at. */
  protected settleWaiting(): void {
    const unsettled = [...this.#unsettled]
    this.#unsettled.clear()
    for (const segment of unsettled) this.#settleSegment(segment)
  }

  /** What compaction keeps: records that are there, and those whose key has still to be taken off. */
  protected isWanted(segment: Segment, sequence: number): boolean {
    return sequence > this.#accountedThrough && segment.has(sequence)
  }

  /** Called when a segment was rewritten and takes less room. */
  protected compacted(segment: Segment, storedBytes: number): void {
    segment.storedBytes = storedBytes
  }

  /** Whether a segment without records can go now; asked again by `settleWaiting`. */
  protected mayDrop(_segment: Segment): boolean {
    return true
  }

  /** Whether the counts of the keys are right. */
  get #isIdle(): boolean {
    return this.#jobIndex === this.#jobs.length
  }

  get #isSettled(): boolean {
    return this.#isIdle && this.#passAt === undefined && !this.#wantsPass
  }

  get #isQuiet(): boolean {
    return this.#isSettled && !this.#isWorkPlanned
  }

  // Removal

  #uncount(segment: Segment): void {
    segment.records -= 1
    this.#records -= 1
    this.#moveFirst()
  }

  /** Moves the first number over those that have no record. */
  #moveFirst(): void {
    if (this.#records === 0) {
      this.#first = this.#committed + 1
      return
    }
    let segment = this.segmentFrom(this.#first)
    while (segment !== undefined) {
      const live = segment.nextLive(this.#first)
      if (live < segment.nextSequence) {
        this.#first = live
        return
      }
      segment = this.segmentFrom(segment.nextSequence)
    }
  }

  #trimTo(through: number): void {
    for (const segment of this.segments) {
      if (segment.firstSequence > through) break
      const gone = segment.liveIn(this.#first, through + 1)
      segment.records -= gone
      this.#records -= gone
    }
    this.#first = through + 1
    this.#moveFirst()
    if (this.#records === 0) {
      this.#forgetAll()
      return
    }
    this.#jobs.push({ kind: 'through', sequence: through })
    this.#work()
  }

  /** Nothing is left, so nothing has to be read. */
  #forgetAll(): void {
    this.keyIndex.clear()
    this.#firsts.clear()
    this.#bytes = 0
    this.#accountedThrough = this.#committed
    for (const segment of this.segments) {
      segment.unaccounted = 0
      segment.bytes = 0
    }
    this.#clearJobs()
    for (const listener of this.#listeners) listener.cleared?.()
  }

  #shrinkKey(slot: number): void {
    const victim = this.keyIndex.firstAt(slot)
    if (!this.#isIdle || !Number.isInteger(victim)) {
      this.#wantsPass = true
      return
    }
    const segment = this.segmentFrom(victim)
    if (segment === undefined || segment.firstSequence > victim) return
    if (!segment.markRemoved(victim)) return
    segment.hasDerivedRemovals = true
    this.#firsts.forget(slot, victim)
    // The size of a record that is not at hand is taken to be the mean of its segment.
    const found = this.#finder.find(victim) === 'found' && this.#finder.view.sequence === victim
    this.#takeBytes(segment, found ? this.#finder.view.length : meanLength(segment))
    this.#uncount(segment)
    this.#tellRemoved(victim, this.#view)
    this.#settleSegment(segment)
  }

  /** `record` has the key of the one that is gone. */
  /**
   * A record that is removed by hand no longer counts against the limit of its key; so what the limit removed before, on its
   * account, could not be derived again.
   */
  #makeDerivedRemovals(): void {
    for (const segment of this.segments) {
      const { removed, firstSequence, nextSequence } = segment
      if (!segment.hasDerivedRemovals || removed === undefined) continue
      segment.hasDerivedRemovals = false
      let at = removed.nextPresent(firstSequence, nextSequence)
      while (at < nextSequence) {
        const end = removed.nextAbsent(at, nextSequence)
        this.removalMade(at, end - 1)
        at = removed.nextPresent(end, nextSequence)
      }
    }
  }

  #tellRemoved(sequence: number, { bytes, keyStart, keyEnd }: LogRecord): void {
    for (const listener of this.#listeners) listener.removed?.(sequence, bytes, keyStart, keyEnd)
  }

  #takeBytes(segment: Segment, length: number): void {
    const taken = Math.min(length, segment.bytes)
    segment.bytes -= taken
    this.#bytes -= taken
  }

  /** Takes a removed record off its key and the bytes; false when it has to be read first. */
  #accountRecord(segment: Segment, sequence: number): boolean {
    const step = this.#finder.find(sequence)
    if (step === 'wait') return false
    segment.unaccounted -= 1
    if (step === 'found' && this.#finder.view.sequence === sequence) this.#account(segment)
    return true
  }

  #account(segment: Segment): void {
    const view = this.#finder.view
    this.#takeBytes(segment, view.length)
    const slot = this.keyIndex.slotOf(view.bytes, view.keyStart, view.keyEnd)
    if (slot >= 0) this.#firsts.forget(slot, view.sequence)
    this.#tellRemoved(view.sequence, view)
  }

  // Jobs

  #work(): void {
    if (this.#isWorkPlanned || this.#isWorking || this.#isSettled || this.#isStopped) return
    this.#isWorking = true
    let budget = RECORDS_PER_SLICE
    while (!this.#isSettled && budget > 0) {
      const left = this.#isIdle ? this.#advancePass(budget) : this.#advanceJob(budget)
      if (left < 0) break
      budget = left
    }
    this.#isWorking = false
    if (this.#isIdle) this.#clearJobs()
    if (this.#isSettled) this.#tellSettled()
    else if (budget <= 0) this.#planWork()
    else this.#workWhenLoaded()
  }

  #clearJobs(): void {
    this.#jobs = []
    this.#jobIndex = 0
    this.#dropFront()
  }

  #workWhenLoaded(): void {
    this.#isWorkPlanned = true
    this.#finder.reader.loaded().then(
      () => this.#resumeWork(),
      (error: unknown) => this.#failWork(error),
    )
  }

  #planWork(): void {
    this.#isWorkPlanned = true
    this.clock.defer(() => this.#resumeWork())
  }

  #resumeWork(): void {
    this.#isWorkPlanned = false
    this.#work()
    if (this.#isIdle) this.enforceLimits(this.clock.nowMs())
    this.#work()
    if (this.#isQuiet) this.#tellSettled()
  }

  /** The disk does not give the records now: until it does, bytes and keys say a little too much. */
  #failWork(error: unknown): void {
    this.#isStalled = true
    if (this.#isStopped) return this.#tellSettled()
    this.readingFailed(error)
    this.#tellSettled()
    this.clock.startTimer(RETRY_MS, () => {
      this.#isStalled = false
      this.#resumeWork()
    })
  }

  protected readingFailed(_error: unknown): void {}

  #tellSettled(): void {
    for (const resolve of this.#settledWaiters.splice(0)) resolve()
  }

  /** Goes on with the first job; returns the budget that is left, or -1 when it has to wait for the disk. */
  #advanceJob(budget: number): number {
    const job = this.#jobs[this.#jobIndex]!
    if (job.kind === 'through') return this.#advanceThrough(job.sequence, budget)
    if (!this.#accountRecord(job.segment, job.sequence)) return -1
    this.#jobIndex += 1
    this.#settleSegment(job.segment)
    return budget - 1
  }

  #advanceThrough(through: number, budget: number): number {
    let left = budget
    while (this.#accountedThrough < through && left > 0) {
      const sequence = this.#accountedThrough + 1
      const step = this.#finder.find(sequence)
      if (step === 'wait') return -1
      const view = this.#finder.view
      if (step === 'none' || view.sequence > through) {
        this.#accountedThrough = through
        break
      }
      const segment = this.segmentFrom(view.sequence)!
      if (segment.has(view.sequence)) this.#account(segment)
      this.#accountedThrough = view.sequence
      left -= 1
    }
    if (this.#accountedThrough < through) return left
    this.#jobIndex += 1
    this.#dropFront()
    return left
  }

  /** Goes on with the pass, or begins the one that is wanted. */
  #advancePass(budget: number): number {
    if (this.#passAt === undefined) {
      this.#wantsPass = false
      this.#firsts.beginPass()
    }
    let left = budget
    let at = Math.max(this.#passAt ?? 0, this.#first)
    while (at <= this.#committed && left > 0) {
      this.#passAt = at
      const step = this.#finder.find(at)
      if (step === 'wait') return -1
      const sequence = this.#finder.view.sequence
      if (step === 'none' || sequence > this.#committed) {
        at = this.#committed + 1
        break
      }
      at = sequence + 1
      left -= 1
      if (this.segmentFrom(sequence)!.has(sequence)) this.#pass(sequence)
    }
    this.#passAt = at
    if (at <= this.#committed) return left
    this.#firsts.endPass()
    this.#passAt = undefined
    return left - 1
  }

  #pass(sequence: number): void {
    const view = this.#finder.view
    const slot = this.keyIndex.slotOf(view.bytes, view.keyStart, view.keyEnd)
    if (slot < 0) return
    this.#firsts.see(slot, view)
    const max = this.#limits.maxRecordsPerKey
    if (max === undefined || this.keyIndex.countAt(slot) <= max) return
    const segment = this.segmentFrom(sequence)!
    if (!segment.markRemoved(sequence)) return
    segment.hasDerivedRemovals = true
    this.#firsts.forget(slot, sequence)
    this.#takeBytes(segment, view.length)
    this.#uncount(segment)
    this.#tellRemoved(sequence, view)
    this.#settleSegment(segment)
  }

  // Segments

  /** Drops or rewrites a segment that lost a record, when it is time. */
  #settleSegment(segment: Segment): void {
    if (this.#isAdmitting) {
      this.#unsettled.add(segment)
      return
    }
    if (this.#holdsLast(segment) || segment.unaccounted > 0) return
    if (segment.records === 0) {
      if (this.#isAccounted(segment)) this.#drop(segment)
    } else if (segment.bytes * COMPACTION_SHARE < segment.storedBytes) {
      this.compact(segment)
    }
  }

  /** The last committed number must be found again, so its segment stays, and what is being filled does. */
  #holdsLast(segment: Segment): boolean {
    return segment.nextSequence > this.#committed
  }

  #isAccounted(segment: Segment): boolean {
    return this.#accountedThrough >= Math.min(this.#first, segment.nextSequence) - 1
  }

  #drop(segment: Segment): boolean {
    const index = this.segments.indexOf(segment)
    if (index < 0) return false
    if (!this.mayDrop(segment)) {
      this.#unsettled.add(segment)
      return false
    }
    for (const listener of this.#listeners) listener.dropping?.(segment.nextSequence - 1)
    this.segments.splice(index, 1)
    this.#bytes -= segment.bytes
    segment.bytes = 0
    this.segmentDropped(segment)
    return true
  }

  /** Drops the segments in front that hold nothing and are accounted for. */
  #dropFront(): void {
    for (;;) {
      const front = this.segments[0]
      if (front === undefined || this.#holdsLast(front)) return
      if (front.records > 0 || front.unaccounted > 0) return
      if (!this.#isAccounted(front) || !this.#drop(front)) return
    }
  }

  // Limits

  #enforceRecords(): void {
    const maxRecords = this.#limits.maxRecords
    if (maxRecords === undefined || this.#records <= maxRecords) return
    let excess = this.#records - maxRecords
    let sequence = this.#first
    while (excess > 0) {
      const segment = this.segmentFrom(sequence)!
      const live = segment.liveIn(sequence, segment.nextSequence)
      if (live > excess) {
        sequence = segment.skipLive(sequence, excess)
        break
      }
      excess -= live
      sequence = segment.nextSequence
    }
    this.#trimTo(sequence - 1)
  }

  /** Bytes are known when the jobs are done; each end of them enforces again. */
  #enforceBytes(): void {
    const maxBytes = this.#limits.maxBytes
    if (maxBytes === undefined) return
    while (this.#bytes > maxBytes && this.#records > 0 && this.#isIdle) this.#trimTo(this.#first)
  }

  #enforceAge(nowMs: number): void {
    const maxAgeMs = this.#limits.maxAgeMs
    if (maxAgeMs === undefined) return
    const bound = nowMs - maxAgeMs
    while (this.#records > 0) {
      const segment = this.segmentFrom(this.#first)!
      if (segment.lastTimeMs <= bound) {
        this.#trimTo(segment.nextSequence - 1)
        continue
      }
      const step = this.#findFront()
      if (step === 'wait') {
        this.#loadFront()
        return
      }
      if (this.#frontTimeMs > bound) return
      this.#trimTo(this.#first)
    }
  }

  /** When the oldest record was stored; its segment's first time while it has to be read. */
  #frontTime(): number {
    if (this.#findFront() === 'found') return this.#frontTimeMs
    return this.segmentFrom(this.#first)?.firstTimeMs ?? 0
  }

  #findFront(): 'found' | 'wait' {
    if (this.#frontSequence === this.#first) return 'found'
    const step = this.#finder.find(this.#first)
    if (step === 'wait') return 'wait'
    this.#frontSequence = this.#first
    this.#frontTimeMs = step === 'found' ? this.#finder.view.timeMs : this.#committedTimeMs
    return 'found'
  }

  #loadFront(): void {
    if (this.#isWorkPlanned) return
    this.#workWhenLoaded()
  }
}

/** One object for all, so that a log without limits is known by looking. */
const NO_LIMITS: LogLimits = {}

function needsLinks(limits: LogLimits): boolean {
  return limits.maxRecordsPerKey !== undefined && limits.maxRecordsPerKey > 1
}

function meanLength(segment: Segment): number {
  return Math.round(segment.bytes / (segment.records + 1))
}

function tooLongKey(length: number): FanfareError {
  return new FanfareError(
    'OPTION_INVALID',
    `A key of ${length} bytes is longer than ${MAX_KEY_BYTES}.`,
    { details: { length } },
  )
}
