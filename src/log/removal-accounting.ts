// What removals mean for keys and bytes. That needs the record, which may have to be read; so each removal is a job that is done at
// once where the record is at hand, and otherwise later, in slices. A pass over all records follows where only that can tell
// which record of a key is the first.
import type { Clock } from '../base/index.js'
import { RecordFinder } from './block-reader.js'
import { KeyFirsts } from './key-firsts.js'
import type { MutableKeyIndex } from './key-index.js'
import type { LogRecord } from './log.js'
import type { LogSegments } from './log-segments.js'
import type { Segment } from './segment.js'

/** Removed records that are accounted for in one turn: about 1 ms. */
const RECORDS_PER_SLICE = 4_096

/** How long removed records that could not be read wait for the next attempt. */
const RETRY_MS = 1_000

type Job =
  | { readonly kind: 'record'; readonly sequence: number; readonly segment: Segment }
  | { readonly kind: 'through'; readonly sequence: number }

export interface AccountingHome {
  /** Records that one key may have. */
  readonly maxRecordsPerKey: number | undefined
  /** A removed record was taken off its key. */
  removed(sequence: number, record: LogRecord): void
  /** A segment lost a record. */
  settle(segment: Segment): void
  /** The segments in front may be accounted for. */
  dropFront(): void
  /** There are no jobs: what limits say of bytes can be seen. */
  enforceLimits(): void
  readingFailed(error: unknown): void
}

export class RemovalAccounting {
  readonly firsts: KeyFirsts
  readonly finder: RecordFinder
  readonly #segments: LogSegments
  readonly #keys: MutableKeyIndex
  readonly #clock: Clock
  readonly #home: AccountingHome

  #jobs: Job[] = []
  #jobIndex = 0
  /** Where the pass over all records is; it goes on when there are no jobs, so that the counts of the keys are right. */
  #passAt: number | undefined
  #wantsPass = false
  #isWorkPlanned = false
  #isWorking = false
  /** Whether the records that the work needs could not be read; it is tried again after a while. */
  #isStalled = false
  #isStopped = false
  #settledWaiters: (() => void)[] = []

  constructor(segments: LogSegments, keys: MutableKeyIndex, clock: Clock, home: AccountingHome) {
    this.#segments = segments
    this.#keys = keys
    this.#clock = clock
    this.#home = home
    this.firsts = new KeyFirsts(keys, segments)
    this.finder = new RecordFinder(segments)
  }

  /** Whether the counts of the keys are right. */
  get isIdle(): boolean {
    return this.#jobIndex === this.#jobs.length
  }

  /** Whether keys and bytes know of every removal. */
  get isExact(): boolean {
    return this.#isQuiet && !this.firsts.needsPass
  }

  get #isSettled(): boolean {
    return this.isIdle && this.#passAt === undefined && !this.#wantsPass
  }

  get #isQuiet(): boolean {
    return this.#isSettled && !this.#isWorkPlanned
  }

  wantPass(): void {
    this.#wantsPass = true
  }

  /** Nothing goes on in the background any more. */
  stop(): void {
    this.#isStopped = true
  }

  /** Resolves when the limits hold, keys and bytes know of every removal, and the ends of each key are exact. */
  async settled(): Promise<void> {
    for (;;) {
      if (this.firsts.needsPass) this.#wantsPass = true
      this.work()
      if (this.#isQuiet) this.#home.enforceLimits()
      if (this.isExact || this.#isStalled || this.#isStopped) return
      if (!this.#isQuiet) await new Promise<void>((resolve) => this.#settledWaiters.push(resolve))
    }
  }

  /** A record of `segment` was removed. */
  removedOne(segment: Segment, sequence: number): void {
    segment.unaccounted += 1
    if (this.isIdle && this.#accountRecord(segment, sequence)) {
      this.#home.settle(segment)
    } else {
      this.#jobs.push({ kind: 'record', sequence, segment })
      this.work()
    }
  }

  /** Everything up to a number was removed. */
  removedThrough(sequence: number): void {
    this.#jobs.push({ kind: 'through', sequence })
    this.work()
  }

  /** Nothing is left, so nothing has to be read. */
  forgetAll(): void {
    this.#keys.clear()
    this.firsts.clear()
    this.#segments.forgetAll()
    this.clearJobs()
  }

  clearJobs(): void {
    this.#jobs = []
    this.#jobIndex = 0
    this.#home.dropFront()
  }

  /** A key has one record too many: removes its first. `newest` is the one that has just come, with the same key. */
  shrinkKey(slot: number, newest: LogRecord): void {
    const victim = this.#keys.firstAt(slot)
    if (!this.isIdle || !Number.isInteger(victim)) {
      this.#wantsPass = true
      return
    }
    const segment = this.#segments.segmentOf(victim)
    if (segment === undefined || !segment.markRemoved(victim)) return
    // The size of a record that is not at hand is taken to be the mean of its segment.
    const isFound = this.finder.find(victim) === 'found' && this.finder.view.sequence === victim
    const length = isFound ? this.finder.view.length : meanLength(segment)
    this.#takeDerived(slot, segment, victim, length, newest)
  }

  /** Does what can be done now, and plans the rest. */
  work(): void {
    if (this.#isWorkPlanned || this.#isWorking || this.#isSettled || this.#isStopped) return
    this.#isWorking = true
    let budget = RECORDS_PER_SLICE
    while (!this.#isSettled && budget > 0) {
      const left = this.isIdle ? this.#advancePass(budget) : this.#advanceJob(budget)
      if (left < 0) break
      budget = left
    }
    this.#isWorking = false
    if (this.isIdle) this.clearJobs()
    if (this.#isSettled) this.#tellSettled()
    else if (budget <= 0) this.#planWork()
    else this.workWhenLoaded()
  }

  /** Goes on when the record that `finder` waits for is there. */
  workWhenLoaded(): void {
    if (this.#isWorkPlanned) return
    this.#isWorkPlanned = true
    this.finder.reader.loaded().then(
      () => this.#resumeWork(),
      (error: unknown) => this.#failWork(error),
    )
  }

  #planWork(): void {
    this.#isWorkPlanned = true
    this.#clock.defer(() => this.#resumeWork())
  }

  #resumeWork(): void {
    this.#isWorkPlanned = false
    this.work()
    if (this.isIdle) this.#home.enforceLimits()
    this.work()
    if (this.#isQuiet) this.#tellSettled()
  }

  /** The disk does not give the records now: until it does, bytes and keys say a little too much. */
  #failWork(error: unknown): void {
    this.#isStalled = true
    if (this.#isStopped) return this.#tellSettled()
    this.#home.readingFailed(error)
    this.#tellSettled()
    this.#clock.startTimer(RETRY_MS, () => {
      this.#isStalled = false
      this.#resumeWork()
    })
  }

  #tellSettled(): void {
    for (const resolve of this.#settledWaiters.splice(0)) resolve()
  }

  // Jobs

  /** Takes a removed record off its key and the bytes; false when it has to be read first. */
  #accountRecord(segment: Segment, sequence: number): boolean {
    const step = this.finder.find(sequence)
    if (step === 'wait') return false
    segment.unaccounted -= 1
    if (step === 'found' && this.finder.view.sequence === sequence) this.#account(segment)
    return true
  }

  #account(segment: Segment): void {
    const view = this.finder.view
    this.#segments.takeBytes(segment, view.length)
    const slot = this.#keys.slotOf(view.bytes, view.keyStart, view.keyEnd)
    if (slot >= 0) this.firsts.forget(slot, view.sequence)
    this.#home.removed(view.sequence, view)
  }

  /** Goes on with the first job; returns the budget that is left, or -1 when it has to wait for the disk. */
  #advanceJob(budget: number): number {
    const job = this.#jobs[this.#jobIndex]!
    if (job.kind === 'through') return this.#advanceThrough(job.sequence, budget)
    if (!this.#accountRecord(job.segment, job.sequence)) return -1
    this.#jobIndex += 1
    this.#home.settle(job.segment)
    return budget - 1
  }

  #advanceThrough(through: number, budget: number): number {
    const segments = this.#segments
    let left = budget
    while (segments.accountedThrough < through && left > 0) {
      const step = this.finder.find(segments.accountedThrough + 1)
      if (step === 'wait') return -1
      const view = this.finder.view
      if (step === 'none' || view.sequence > through) {
        segments.accountedThrough = through
        break
      }
      const segment = segments.segmentFrom(view.sequence)!
      if (segment.has(view.sequence)) this.#account(segment)
      segments.accountedThrough = view.sequence
      left -= 1
    }
    if (segments.accountedThrough < through) return left
    this.#jobIndex += 1
    this.#home.dropFront()
    return left
  }

  // The pass

  /** Goes on with the pass, or begins the one that is wanted. */
  #advancePass(budget: number): number {
    if (this.#passAt === undefined) {
      this.#wantsPass = false
      this.firsts.beginPass()
    }
    const segments = this.#segments
    let left = budget
    let at = Math.max(this.#passAt ?? 0, segments.firstSequence)
    while (at <= segments.committedSequence && left > 0) {
      this.#passAt = at
      const step = this.finder.find(at)
      if (step === 'wait') return -1
      const sequence = this.finder.view.sequence
      if (step === 'none' || sequence > segments.committedSequence) {
        at = segments.committedSequence + 1
        break
      }
      at = sequence + 1
      left -= 1
      if (segments.segmentFrom(sequence)!.has(sequence)) this.#pass(sequence)
    }
    this.#passAt = at
    if (at <= segments.committedSequence) return left
    this.firsts.endPass()
    this.#passAt = undefined
    return left - 1
  }

  #pass(sequence: number): void {
    const view = this.finder.view
    const slot = this.#keys.slotOf(view.bytes, view.keyStart, view.keyEnd)
    if (slot < 0) return
    this.firsts.see(slot, view)
    const max = this.#home.maxRecordsPerKey
    if (max === undefined || this.#keys.countAt(slot) <= max) return
    const segment = this.#segments.segmentFrom(sequence)!
    if (segment.markRemoved(sequence)) {
      this.#takeDerived(slot, segment, sequence, view.length, view)
    }
  }

  /** A record was removed by the limit of its key; `ofKey` is one with the same. */
  #takeDerived(
    slot: number,
    segment: Segment,
    sequence: number,
    length: number,
    ofKey: LogRecord,
  ): void {
    segment.hasDerivedRemovals = true
    this.firsts.forget(slot, sequence)
    this.#segments.takeBytes(segment, length)
    this.#segments.uncount(segment)
    this.#home.removed(sequence, ofKey)
    this.#home.settle(segment)
  }
}

function meanLength(segment: Segment): number {
  return Math.round(segment.bytes / (segment.records + 1))
}
