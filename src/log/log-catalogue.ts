// The logs of a store, and how they are described at the beginning of a journal.
import { FileLog } from './file-log.js'
import { EntryWriter } from './journal-entry.js'
import { MemoryLog } from './memory-log.js'

export class LogCatalogue {
  readonly #logs = new Map<string, FileLog | MemoryLog>()
  /** Logs that are being dropped: until that is safe, an opening would find them, with all that was committed to them. */
  readonly #dropping = new Set<FileLog | MemoryLog>()
  /** Numbers up to which logs in memory have reserved theirs. */
  readonly #ceilings = new Map<MemoryLog, number>()
  #nextIncarnation: number

  constructor(nextIncarnation: number) {
    this.#nextIncarnation = nextIncarnation
  }

  get logs(): ReadonlyMap<string, FileLog | MemoryLog> {
    return this.#logs
  }

  /** Those that an opening would find. */
  get findable(): (FileLog | MemoryLog)[] {
    return [...this.#dropping, ...this.#logs.values()]
  }

  get findableFiles(): FileLog[] {
    return this.findable.filter((log) => log instanceof FileLog)
  }

  get hasBroken(): boolean {
    return this.findableFiles.some((log) => log.isBroken)
  }

  takeIncarnation(): number {
    return this.#nextIncarnation++
  }

  add(log: FileLog | MemoryLog): void {
    this.#logs.set(log.name, log)
  }

  /** The log is being dropped; `forget` follows when that is safe. */
  drop(log: FileLog | MemoryLog): void {
    this.#logs.delete(log.name)
    this.#dropping.add(log)
  }

  forget(log: FileLog | MemoryLog): void {
    this.#dropping.delete(log)
  }

  /** Numbers up to `ceiling` are reserved, durably. */
  reserve(log: FileLog | MemoryLog, ceiling: number): void {
    if (log instanceof MemoryLog) this.#ceilings.set(log, ceiling)
    else log.ceiling = ceiling
  }

  ceilingOf(log: FileLog | MemoryLog): number {
    return log instanceof MemoryLog ? this.#ceilings.get(log)! : log.ceiling
  }

  /** The logs and how they are. */
  describe(): EntryWriter {
    const entries = new EntryWriter()
    entries.store(this.#nextIncarnation)
    for (const log of this.findable) {
      const { name, incarnation, settings, limits } = log
      entries.create({ name, incarnation, settings: { ...settings, limits } })
      const { lastSequence, lastTimeMs } = log.state
      const firstSequence = log instanceof FileLog ? log.certainFirst : log.firstSequence
      entries.state(incarnation, firstSequence, lastSequence, this.ceilingOf(log), lastTimeMs)
      if (log instanceof FileLog) log.describeRemoved(entries)
    }
    return entries
  }
}
