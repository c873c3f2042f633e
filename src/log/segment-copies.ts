// Blocks that are safe in the journal and have still to be written to their segments, which nobody waits for.
import type { FileLog, PlacedPart } from './file-log.js'
import { toFanfareError, type StoreHealth } from './store-health.js'

/** Blocks in the journal only, beyond which they are copied before anything else is written. */
const UNCOPIED_BYTES = 33_554_432
/** Logs whose blocks are copied between two groups. */
const COPIES_AT_A_TIME = 32

export class SegmentCopies {
  readonly #health: StoreHealth
  readonly #logs = new Set<FileLog>()
  #bytes = 0

  constructor(health: StoreHealth) {
    this.#health = health
  }

  get isWaiting(): boolean {
    return this.#logs.size > 0
  }

  /** Whether so much waits that it comes before the next group. */
  get isOverdue(): boolean {
    return this.#logs.size > 0 && this.#bytes >= UNCOPIED_BYTES
  }

  add({ log, blocks }: PlacedPart): void {
    if (log.isBroken) return
    this.#logs.add(log)
    for (const block of blocks) this.#bytes += block.length
  }

  /** Writes some logs' blocks to their segments; false when there is no room for it now. */
  async copySome(): Promise<boolean> {
    let count = 0
    for (const log of this.#logs) {
      if (count++ === COPIES_AT_A_TIME && this.#bytes < UNCOPIED_BYTES) return true
      if (!(await this.#copy(log))) return false
    }
    this.#bytes = 0
    return true
  }

  async #copy(log: FileLog): Promise<boolean> {
    try {
      if (!log.isBroken && !log.isDropped) await log.write()
    } catch (error) {
      const failure = toFanfareError(error)
      if (failure.code === 'DISK_FULL') return false
      this.#health.breakLog(log, failure)
    }
    this.#logs.delete(log)
    return true
  }
}
