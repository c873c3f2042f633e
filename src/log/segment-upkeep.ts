// What is done with segments in the background: those that hold nothing any more are removed, those that hold little are
// rewritten, those that are full get an index, one after another.
import type { Clock, Disk } from '../base/index.js'
import type { FileLog } from './file-log.js'
import type { FilePool } from './file-pool.js'
import type { FileSegment } from './file-segment.js'
import { indexSegment } from './segment-index.js'
import { toFanfareError, type StoreHealth } from './store-health.js'

export class SegmentUpkeep {
  readonly #disk: Disk
  readonly #pool: FilePool
  readonly #health: StoreHealth
  readonly #clock: Clock
  readonly #compactions: Task[] = []
  /** Full segments without an index; of those in front that are gone by then nothing is done. */
  readonly #unindexed: Task[] = []
  #working: Promise<void> | undefined
  #isClosing = false
  #removing: Promise<void> = Promise.resolve()

  constructor(pool: FilePool, clock: Clock, health: StoreHealth) {
    this.#disk = pool.disk
    this.#pool = pool
    this.#health = health
    this.#clock = clock
  }

  /** Removes the file of a segment that never came to be, durably. */
  async discard(segment: FileSegment): Promise<void> {
    this.#pool.forget(segment.path)
    await this.#disk.remove(segment.path)
    await this.#disk.syncDirectory(segment.directory)
  }

  /** Removes the file of a segment that holds nothing, when `before` is done. */
  remove(log: FileLog, segment: FileSegment, before: () => Promise<void>): void {
    this.#pool.forget(segment.path)
    const remove = async (): Promise<void> => {
      await before()
      await this.#disk.remove(segment.path)
      await this.#disk.remove(segment.indexPath)
      if (log.isDropped) return
      await this.#disk.syncDirectory(segment.directory)
      log.forgetGone(segment)
    }
    // A file that stays is known to be gone, and is removed when the directory is opened the next time.
    this.#removing = this.#removing.then(remove).catch(() => undefined)
  }

  /** Resolves when the files that were to be removed are. */
  removed(): Promise<void> {
    return this.#removing
  }

  compact(log: FileLog, segment: FileSegment): void {
    if (this.#compactions.some((waiting) => waiting.segment === segment)) return
    this.#compactions.push({ log, segment })
    this.#work()
  }

  /** Writes the index of a full segment. */
  index(log: FileLog, segment: FileSegment): void {
    this.#unindexed.push({ log, segment })
    this.#work()
  }

  /** Resolves when what was to be rewritten is; indexes that are not written by then are not written. */
  async finished(): Promise<void> {
    this.#isClosing = true
    await this.#working
  }

  #work(): void {
    this.#working ??= this.#workOff()
  }

  async #workOff(): Promise<void> {
    // Not in the turn of whoever asks.
    await Promise.resolve()
    for (;;) {
      const compaction = this.#compactions.shift()
      if (compaction !== undefined) await this.#compact(compaction)
      else if (this.#unindexed.length > 0 && !this.#isClosing) await this.#indexNext()
      else break
    }
    this.#working = undefined
  }

  async #compact({ log, segment }: Task): Promise<void> {
    try {
      await log.rewrite(segment)
    } catch (error) {
      this.#health.report({
        kind: 'unclean-stop',
        log: log.name,
        path: segment.path,
        description: `The segment could not be compacted and stays as it is: ${toFanfareError(error).message}`,
      })
    }
  }

  /** Without an index the segment is read when the directory is opened, and nothing is lost. */
  async #indexNext(): Promise<void> {
    const { log, segment } = this.#unindexed.shift()!
    const isWanted = (): boolean => !this.#isClosing && !log.isDropped
    await indexSegment(this.#disk, this.#clock, log, segment, isWanted).catch(() => undefined)
  }
}

interface Task {
  readonly log: FileLog
  readonly segment: FileSegment
}
