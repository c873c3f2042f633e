// What is done with segments in the background: those that hold nothing any more are removed, those that hold little are
// rewritten, one after another.
import type { Disk } from '../base/index.js'
import type { FileLog } from './file-log.js'
import type { FilePool } from './file-pool.js'
import type { FileSegment } from './file-segment.js'
import { toFanfareError, type StoreHealth } from './store-health.js'

export class SegmentUpkeep {
  readonly #disk: Disk
  readonly #pool: FilePool
  readonly #health: StoreHealth
  readonly #compactions: { readonly log: FileLog; readonly segment: FileSegment }[] = []
  #compacting: Promise<void> | undefined
  #removing: Promise<void> = Promise.resolve()

  constructor(pool: FilePool, health: StoreHealth) {
    this.#disk = pool.disk
    this.#pool = pool
    this.#health = health
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
    this.#compacting ??= this.#compactAll()
  }

  async compacted(): Promise<void> {
    await this.#compacting
  }

  async #compactAll(): Promise<void> {
    for (;;) {
      const next = this.#compactions.shift()
      if (next === undefined) break
      try {
        await next.log.rewrite(next.segment)
      } catch (error) {
        this.#health.report({
          kind: 'unclean-stop',
          log: next.log.name,
          path: next.segment.path,
          description: `The segment could not be compacted and stays as it is: ${toFanfareError(error).message}`,
        })
      }
    }
    this.#compacting = undefined
  }
}
