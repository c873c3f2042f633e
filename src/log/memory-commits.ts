// Commits the logs in memory of a store with a directory, at the end of each turn. Only their numbers are kept on the disk, reserved
// ahead, so that none is given twice.
import type { Clock } from '../base/index.js'
import { RESERVED_NUMBERS } from './file-log.js'
import type { Done } from './group.js'
import type { GroupQueue } from './group-queue.js'
import type { EntryWriter } from './journal-entry.js'
import type { LogCatalogue } from './log-catalogue.js'
import type { MemoryLog } from './memory-log.js'

/** How long numbers wait for the next attempt to reserve them on a full disk. */
const RETRY_MS = 1_000

export class MemoryCommits {
  readonly #clock: Clock
  readonly #catalogue: LogCatalogue
  readonly #groups: GroupQueue
  #dirty: MemoryLog[] = []
  #dones: Done[] = []
  #flushes: (() => void)[] = []
  #isPlanned = false
  #isReserving = false

  constructor(clock: Clock, catalogue: LogCatalogue, groups: GroupQueue) {
    this.#clock = clock
    this.#catalogue = catalogue
    this.#groups = groups
  }

  accepted(log: MemoryLog): void {
    this.#dirty.push(log)
    this.#plan()
  }

  /** Calls `done` with the next commit. */
  whenCommitted(done: Done | undefined): void {
    if (done !== undefined) this.#dones.push(done)
    this.#plan()
  }

  /** Resolves when what was accepted is committed, or cannot be for now. */
  flush(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#isPlanned && !this.#isReserving) resolve()
      else this.#flushes.push(resolve)
    })
  }

  commit(): void {
    const waiting = this.#dirty.filter((log) => log.isWaiting)
    const unreserved = waiting.filter(
      (log) => log.acceptedSequence > this.#catalogue.ceilingOf(log),
    )
    if (unreserved.length > 0) {
      this.#reserve(unreserved)
      return
    }
    const dones = this.#dones
    this.#dirty = []
    this.#dones = []
    for (const log of waiting) log.admitWaiting()
    for (const log of waiting) log.tellCommitted()
    for (const done of dones) done()
    this.#answerFlushes()
  }

  #plan(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    this.#clock.afterTurn(() => {
      this.#isPlanned = false
      this.commit()
    })
  }

  #answerFlushes(): void {
    for (const resolve of this.#flushes.splice(0)) resolve()
  }

  /** Commits when the numbers are reserved durably: until then they could be given again after a restart. */
  #reserve(logs: readonly MemoryLog[]): void {
    if (this.#isReserving) return
    this.#isReserving = true
    const ceilings = logs.map((log) => log.acceptedSequence + RESERVED_NUMBERS)
    const write = (entries: EntryWriter): void => {
      logs.forEach((log, index) => entries.ceiling(log.incarnation, ceilings[index]!))
    }
    const done: Done = (error) => {
      this.#isReserving = false
      if (error === undefined) logs.forEach((log, i) => this.#catalogue.reserve(log, ceilings[i]!))
      else if (error.code !== 'DISK_FULL') for (const log of logs) log.end(error)
      if (error?.code === 'DISK_FULL') {
        this.#answerFlushes()
        this.#clock.startTimer(RETRY_MS, () => this.#plan())
      } else {
        this.#plan()
      }
    }
    this.#groups.enter({ write, done }, 'fsync')
  }
}
