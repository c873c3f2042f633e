// Removes the oldest records of a log where its limits on number, bytes and age say so.
import type { RecordFinder } from './block-reader.js'
import type { LogLimits } from './log.js'
import type { LogSegments } from './log-segments.js'

export interface RetentionHome {
  /** Whether bytes are exact. */
  readonly isIdle: boolean
  trimTo(through: number): void
  /** The oldest record has to be read; limits are enforced again when it is there. */
  loadFront(): void
}

/** One object for all, so that a log without limits is known by looking. */
const NO_LIMITS: LogLimits = {}

export class Retention {
  limits: LogLimits
  readonly #segments: LogSegments
  readonly #finder: RecordFinder
  readonly #home: RetentionHome
  /** The oldest record that was looked at last, and its time. */
  #frontSequence = 0
  #frontTimeMs = 0
  #isEnforcing = false

  constructor(
    limits: LogLimits | undefined,
    segments: LogSegments,
    finder: RecordFinder,
    home: RetentionHome,
  ) {
    this.limits = limits ?? NO_LIMITS
    this.#segments = segments
    this.#finder = finder
    this.#home = home
  }

  get hasLimits(): boolean {
    return this.limits !== NO_LIMITS
  }

  /** When the oldest record becomes too old, or undefined. */
  get nextExpiryMs(): number | undefined {
    const { maxAgeMs } = this.limits
    if (maxAgeMs === undefined || this.#segments.records === 0) return undefined
    return this.frontTime() + maxAgeMs
  }

  enforce(nowMs: number): void {
    if (this.#isEnforcing) return
    this.#isEnforcing = true
    this.#enforceRecords()
    this.#enforceBytes()
    this.#enforceAge(nowMs)
    this.#isEnforcing = false
  }

  /** When the oldest record was stored; its segment's first time while it has to be read. */
  frontTime(): number {
    if (this.#findFront() === 'found') return this.#frontTimeMs
    return this.#segments.segmentFrom(this.#segments.firstSequence)?.firstTimeMs ?? 0
  }

  #enforceRecords(): void {
    const { maxRecords } = this.limits
    const segments = this.#segments
    if (maxRecords === undefined || segments.records <= maxRecords) return
    let excess = segments.records - maxRecords
    let sequence = segments.firstSequence
    while (excess > 0) {
      const segment = segments.segmentFrom(sequence)!
      const live = segment.liveIn(sequence, segment.nextSequence)
      if (live > excess) {
        sequence = segment.skipLive(sequence, excess)
        break
      }
      excess -= live
      sequence = segment.nextSequence
    }
    this.#home.trimTo(sequence - 1)
  }

  /** Bytes are known when the jobs are done; each end of them enforces again. */
  #enforceBytes(): void {
    const { maxBytes } = this.limits
    const segments = this.#segments
    if (maxBytes === undefined) return
    while (segments.bytes > maxBytes && segments.records > 0 && this.#home.isIdle) {
      this.#home.trimTo(segments.firstSequence)
    }
  }

  #enforceAge(nowMs: number): void {
    const { maxAgeMs } = this.limits
    if (maxAgeMs === undefined) return
    const segments = this.#segments
    const bound = nowMs - maxAgeMs
    while (segments.records > 0) {
      const segment = segments.segmentFrom(segments.firstSequence)!
      if (segment.lastTimeMs <= bound) {
        this.#home.trimTo(segment.nextSequence - 1)
        continue
      }
      const step = this.#findFront()
      if (step === 'wait') {
        this.#home.loadFront()
        return
      }
      if (this.#frontTimeMs > bound) return
      this.#home.trimTo(segments.firstSequence)
    }
  }

  #findFront(): 'found' | 'wait' {
    const { firstSequence, committedTimeMs } = this.#segments
    if (this.#frontSequence === firstSequence) return 'found'
    const step = this.#finder.find(firstSequence)
    if (step === 'wait') return 'wait'
    this.#frontSequence = firstSequence
    this.#frontTimeMs = step === 'found' ? this.#finder.view.timeMs : committedTimeMs
    return 'found'
  }
}
