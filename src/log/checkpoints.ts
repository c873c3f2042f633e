// The journal that is written to, and how a new one takes its place: it begins with how everything is, and the old one is kept
// until what was committed by then is safe in the segments.
import type { Disk, FanfareError } from '../base/index.js'
import type { FileLog } from './file-log.js'
import { Journal, JOURNAL_DIRECTORY, journalPath } from './journal.js'
import type { EntryWriter } from './journal-entry.js'
import type { LogCatalogue } from './log-catalogue.js'
import { writeIndex } from './log-index.js'
import type { NoteOwners } from './note-owners.js'
import { toFanfareError, type StoreHealth } from './store-health.js'

export interface CheckpointParts {
  readonly disk: Disk
  readonly catalogue: LogCatalogue
  readonly owners: NoteOwners
  readonly health: StoreHealth
  /** Bytes of a journal after which a new one is begun. */
  readonly journalBytes: number
  /** Numbers of the journals that were found. */
  readonly found: readonly number[]
  /** A new journal may be there or not: nothing durable can go on. */
  readonly journalLost: (cause: FanfareError) => void
}

export class Checkpoints {
  readonly #parts: CheckpointParts
  #journal!: Journal
  #oldJournals: number[]
  #isSettling = false
  #settling: Promise<void> = Promise.resolve()

  constructor(parts: CheckpointParts) {
    this.#parts = parts
    this.#oldJournals = [...parts.found]
  }

  get journal(): Journal {
    return this.#journal
  }

  /** Whether the journal is long enough for a new one. */
  get isDue(): boolean {
    return this.#journal.length >= this.#parts.journalBytes
  }

  /** Begins the first journal; what those that were found hold goes to the segments. */
  async open(number: number, batchNumber: number): Promise<void> {
    const { disk, catalogue, owners } = this.#parts
    const snapshot = [catalogue.describe(), owners.snapshot()]
    this.#journal = await Journal.prepare(disk, number, batchNumber, snapshot)
    await this.#journal.publish()
    await this.#settle(number)
  }

  /** Begins a new journal, with the states of the owners as they were when the last group was closed. */
  async begin(owners: EntryWriter): Promise<void> {
    if (this.#isSettling) return
    const old = this.#journal
    if (!(await this.#replace([this.#parts.catalogue.describe(), owners]))) return
    this.#oldJournals.push(old.number)
    this.#settling = this.#settle(this.#journal.number)
  }

  /** Marks the directory as closed. When that cannot be, everything is safe in the journals that are there. */
  async markClosed(): Promise<void> {
    const { disk, catalogue, owners, health } = this.#parts
    while (this.#isSettling) await this.#settling
    const old = this.#journal
    try {
      for (const log of catalogue.findableFiles) await this.#settleLog(log)
      if (catalogue.hasBroken) return
      for (const log of catalogue.findableFiles) await writeIndex(disk, log, old.number + 1)
      if (!(await this.#replace([catalogue.describe(), owners.snapshot()], true))) return
      for (const number of [...this.#oldJournals, old.number]) {
        await disk.remove(journalPath(number))
      }
    } catch (error) {
      health.report({
        kind: 'unclean-stop',
        log: undefined,
        path: JOURNAL_DIRECTORY,
        description: `The directory could not be marked as closed: ${toFanfareError(error).message}`,
      })
    }
  }

  /** False when the old journal goes on: the next cycle tries again. */
  async #replace(snapshot: readonly EntryWriter[], isClosed = false): Promise<boolean> {
    const old = this.#journal
    const { disk, journalLost } = this.#parts
    let journal: Journal
    try {
      const { number, nextBatchNumber } = old
      journal = await Journal.prepare(disk, number + 1, nextBatchNumber, snapshot, isClosed)
    } catch {
      return false
    }
    try {
      await journal.publish()
    } catch (cause) {
      await journal.close().catch(() => undefined)
      journalLost(toFanfareError(cause))
      return false
    }
    this.#journal = journal
    await old.close().catch(() => undefined)
    return true
  }

  /** Makes all segments safe; then the journals before `number` are not needed any more. */
  async #settle(number: number): Promise<void> {
    const { disk, catalogue } = this.#parts
    this.#isSettling = true
    try {
      for (const log of catalogue.findableFiles) if (!log.isSafe) await this.#settleLog(log)
      if (catalogue.hasBroken) return
      const old = this.#oldJournals.filter((each) => each < number)
      for (const each of old) await disk.remove(journalPath(each))
      this.#oldJournals = this.#oldJournals.filter((each) => each >= number)
    } catch {
      // Old journals that stay do no harm: what they say is known already.
    } finally {
      this.#isSettling = false
    }
  }

  async #settleLog(log: FileLog): Promise<void> {
    if (log.isBroken) return
    try {
      await log.write()
      await log.sync()
    } catch (error) {
      const failure = toFanfareError(error)
      if (failure.code === 'DISK_FULL') throw failure
      this.#parts.health.breakLog(log, failure)
    }
  }
}
