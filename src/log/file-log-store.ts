// Logs in a directory. This file opens the directory and composes the parts: the groups in which accepted things gather, the cycle
// that commits them, the journal and its successors, the owners of notes, logs in memory, and what is done with old segments.
import { FanfareError, type Clock, type Disk } from '../base/index.js'
import { BlockCache } from './block-cache.js'
import { Checkpoints } from './checkpoints.js'
import { CommitCycle } from './commit-cycle.js'
import { FileLog, RESERVED_NUMBERS, type FileLogHome } from './file-log.js'
import { FilePool } from './file-pool.js'
import type { FileSegment } from './file-segment.js'
import type { FoundLog, FoundState } from './found-state.js'
import type { Done } from './group.js'
import { GroupQueue } from './group-queue.js'
import { JOURNAL_DIRECTORY } from './journal.js'
import type { EntryWriter } from './journal-entry.js'
import { recoverJournals } from './journal-recovery.js'
import { LogCatalogue } from './log-catalogue.js'
import {
  adoptDirectories,
  LOG_DIRECTORY,
  logDirectory,
  removeLogDirectory,
  tidyDirectories,
} from './log-directories.js'
import { readIndex } from './log-index.js'
import { recoverLog } from './log-recovery.js'
import type {
  Log,
  LogLimits,
  LogSettings,
  LogStore,
  NoteLevel,
  NoteOwner,
  RecoveredOwner,
  RecoveryFinding,
} from './log.js'
import { MemoryCommits } from './memory-commits.js'
import { MemoryLog, type MemoryLogHome } from './memory-log.js'
import { NoteOwners } from './note-owners.js'
import type { ByteRange } from './segment-scan.js'
import { SegmentUpkeep } from './segment-upkeep.js'
import { closed, StoreHealth } from './store-health.js'
import { checkRoot, DiskReserve } from './store-root.js'

export interface FileLogStoreOptions {
  /** Bytes of a journal after which a new one is begun; default 64 MiB. */
  readonly checkpointBytes?: number
  /** Bytes of recent blocks kept in memory for readers, over all logs; default 32 MiB. */
  readonly cacheBytes?: number
  /** Bytes that must have gathered for the next group to be written before the one in front is told; default 256 KiB. */
  readonly overlapBytes?: number
  /** Told of damage that is met while reading, and of what goes wrong in the background. */
  readonly onFinding?: (finding: RecoveryFinding) => void
}

const DEFAULT_CHECKPOINT_BYTES = 67_108_864
const DEFAULT_CACHE_BYTES = 33_554_432
const DEFAULT_OVERLAP_BYTES = 262_144

/**
 * Opens the store in `disk`, which nobody else may use meanwhile. Throws FORMAT_TOO_NEW, LOG_DAMAGED, DISK_FULL, DISK_FAILED.
 */
export async function openFileLogStore(
  disk: Disk,
  clock: Clock,
  options: FileLogStoreOptions = {},
): Promise<LogStore> {
  await checkRoot(disk)
  const state = await recoverJournals(disk, true)
  const store = new FileLogStore(disk, clock, options, state)
  await store.open(state)
  return store
}

class FileLogStore implements LogStore, FileLogHome, MemoryLogHome {
  readonly pool: FilePool
  readonly cache: BlockCache
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #findings: RecoveryFinding[]
  readonly #catalogue: LogCatalogue
  readonly #owners: NoteOwners
  readonly #health: StoreHealth
  readonly #groups: GroupQueue
  readonly #checkpoints: Checkpoints
  readonly #reserve: DiskReserve
  readonly #cycle: CommitCycle
  readonly #memory: MemoryCommits
  readonly #upkeep: SegmentUpkeep

  constructor(disk: Disk, clock: Clock, options: FileLogStoreOptions, state: FoundState) {
    this.#disk = disk
    this.#clock = clock
    this.pool = new FilePool(disk)
    this.cache = new BlockCache(options.cacheBytes ?? DEFAULT_CACHE_BYTES)
    this.#findings = state.findings
    const catalogue = (this.#catalogue = new LogCatalogue(state.nextIncarnation))
    const owners = (this.#owners = new NoteOwners(state.owners))
    const health = (this.#health = new StoreHealth(catalogue, options.onFinding))
    const groups = (this.#groups = new GroupQueue(clock, health, () => this.#cycle.plan()))
    const checkpoints = (this.#checkpoints = new Checkpoints({
      disk,
      catalogue,
      owners,
      health,
      journalBytes: options.checkpointBytes ?? DEFAULT_CHECKPOINT_BYTES,
      found: state.journals,
      journalLost: (cause) => this.#cycle.journalLost(cause),
    }))
    const reserve = (this.#reserve = new DiskReserve(disk))
    const overlapBytes = options.overlapBytes ?? DEFAULT_OVERLAP_BYTES
    this.#cycle = new CommitCycle({
      ...{ clock, groups, owners, checkpoints, reserve, health },
      overlapBytes,
    })
    this.#memory = new MemoryCommits(clock, catalogue, groups)
    this.#upkeep = new SegmentUpkeep(this.pool, clock, health)
  }

  /** Fills the logs and begins a new journal; what the old ones hold goes to the segments. */
  async open(state: FoundState): Promise<void> {
    await this.#disk.makeDirectory(LOG_DIRECTORY)
    await this.#disk.makeDirectory(JOURNAL_DIRECTORY)
    await adoptDirectories(this.#disk, state)
    for (const found of state.logs.values()) await this.#restoreLog(found, state)
    await tidyDirectories(this.#disk, state)
    await this.#disk.syncDirectory(LOG_DIRECTORY)
    await this.#disk.syncDirectory('')
    await this.#checkpoints.open(state.lastJournal + 1, state.nextBatchNumber)
    await this.#reserve.keep()
  }

  get findings(): readonly RecoveryFinding[] {
    return this.#findings
  }

  get logs(): ReadonlyMap<string, Log> {
    return this.#catalogue.logs
  }

  get recovered(): ReadonlyMap<string, RecoveredOwner> {
    return this.#owners.recovered
  }

  async create(name: string, settings: LogSettings): Promise<Log> {
    const { isClosed, journalFailure } = this.#health
    if (isClosed) throw closed()
    if (journalFailure !== undefined) throw journalFailure
    const incarnation = this.#catalogue.takeIncarnation()
    if (settings.durability !== 'memory') {
      await this.#disk.makeDirectory(logDirectory(name, incarnation))
      await this.#disk.syncDirectory(LOG_DIRECTORY)
    }
    const log = this.#makeLog(name, incarnation, settings)
    await this.#groups.entered({
      write: (entries) => {
        entries.create({ name, incarnation, settings })
        if (settings.durability !== 'fsync') entries.ceiling(incarnation, RESERVED_NUMBERS)
      },
      // At once, as the same cycle may begin a journal with the catalogue.
      done: (error) => {
        if (error !== undefined) return
        this.#catalogue.reserve(log, RESERVED_NUMBERS)
        this.#catalogue.add(log)
      },
    })
    return log
  }

  async drop(log: Log): Promise<void> {
    const dropped = this.#catalogue.logs.get(log.name)
    if (dropped !== log) return
    this.#catalogue.drop(dropped)
    const error = new FanfareError('CLOSED', `The log ${log.name} was dropped.`)
    if (dropped instanceof MemoryLog) dropped.end(error)
    else {
      dropped.isDropped = true
      dropped.freeze(error)
      dropped.refuse(error)
    }
    await this.#groups.entered({
      write: (entries) => entries.drop(dropped.incarnation),
      done: (error) => {
        if (error === undefined) this.#catalogue.forget(dropped)
      },
    })
    if (dropped instanceof MemoryLog) return
    for (const segment of dropped.fileSegments) this.pool.forget(segment.path)
    // What cannot be removed now is removed when the directory is opened the next time.
    await removeLogDirectory(this.#disk, dropped.directory).catch(() => undefined)
  }

  adopt(name: string, owner: NoteOwner, done?: Done): void {
    const snapshot = owner.snapshot()
    this.#owners.add(name, owner)
    this.#groups.enter({ write: (entries) => entries.owner(name, snapshot), done }, 'fsync')
  }

  disown(name: string, done?: Done): void {
    this.#owners.remove(name)
    this.#groups.enter({ write: (entries) => entries.disown(name), done }, 'fsync')
  }

  note(owner: string, bytes: Uint8Array, level: NoteLevel, done?: Done): void {
    if (level !== 'rides') this.#groups.checkUnit(true)
    this.#groups.enter({ write: (entries) => entries.note(owner, bytes), done, owner }, level)
  }

  beginUnit(): void {
    this.#groups.beginUnit()
  }

  endUnit(done?: Done): void {
    if (this.#groups.isMemoryUnit) {
      this.#groups.endMemoryUnit()
      this.#memory.whenCommitted(done)
    } else {
      this.#groups.endUnit(done)
    }
  }

  async flush(): Promise<void> {
    const memory = this.#memory.flush()
    await this.#groups.entered({}, 'written').catch(() => undefined)
    await memory
  }

  async close(): Promise<void> {
    if (this.#health.isClosed) return
    await this.flush()
    this.#health.isClosed = true
    await this.#cycle.finished()
    await this.#upkeep.finished()
    this.#memory.commit()
    if (this.#health.journalFailure === undefined) await this.#checkpoints.markClosed()
    const error = closed()
    for (const log of this.#catalogue.logs.values()) {
      if (log instanceof MemoryLog) log.end(error)
      else {
        log.freeze(error)
        log.stop()
      }
    }
    await this.#upkeep.removed()
    await this.#checkpoints.journal.close().catch(() => undefined)
    await this.pool.close()
  }

  // What logs tell

  checkUnit(isDurable: boolean): void {
    this.#groups.checkUnit(isDurable)
  }

  accepted(log: FileLog, bytes: number): void
  accepted(log: MemoryLog): void
  accepted(log: FileLog | MemoryLog, bytes = 0): void {
    if (log instanceof MemoryLog) {
      this.#groups.acceptedInMemory()
      this.#memory.accepted(log)
    } else {
      this.#groups.accepted(log, bytes)
    }
  }

  removed(log: FileLog, from: number, through: number, done: Done): void {
    const level = log.settings.durability === 'fsync' ? 'fsync' : 'written'
    const write = (entries: EntryWriter): void => entries.removed(log.incarnation, from, through)
    this.#groups.enter({ write, done }, level)
  }

  limitsSet(log: FileLog | MemoryLog, limits: LogLimits): void {
    const write = (entries: EntryWriter): void => entries.limits(log.incarnation, limits)
    this.#groups.enter({ write }, 'fsync')
  }

  discard(segment: FileSegment): Promise<void> {
    return this.#upkeep.discard(segment)
  }

  dropped(log: FileLog, segment: FileSegment): void {
    this.#upkeep.remove(log, segment, async () => {
      // What owners noted of the records when they were told of this is written first.
      if (this.#owners.size > 0 && !this.#health.isClosed) await this.flush()
    })
  }

  wantsCompaction(log: FileLog, segment: FileSegment): void {
    this.#upkeep.compact(log, segment)
  }

  sealed(log: FileLog, segment: FileSegment): void {
    this.#upkeep.index(log, segment)
  }

  damaged(segment: FileSegment, range: ByteRange, fromSequence: number, toSequence: number): void {
    this.#health.report({
      kind: 'damaged-block',
      log: segment.logName,
      path: segment.path,
      description: `Bytes ${range.from} to ${range.to} are damaged; reading goes on behind them.`,
      fromSequence,
      toSequence,
    })
  }

  readingFailed(log: FileLog, error: unknown): void {
    this.#health.report({
      kind: 'damaged-block',
      log: log.name,
      path: log.directory,
      description: `Removed records cannot be read, so that counts of keys may be too high: ${String(error)}`,
    })
  }

  // Logs

  #makeLog(name: string, incarnation: number, settings: LogSettings): FileLog | MemoryLog {
    const options = { name, incarnation, settings, clock: this.#clock }
    if (settings.durability === 'memory') return new MemoryLog(options, this)
    return new FileLog(options, logDirectory(name, incarnation), this)
  }

  async #restoreLog(found: FoundLog, state: FoundState): Promise<void> {
    const log = this.#makeLog(found.name, found.incarnation, found.settings)
    this.#catalogue.add(log)
    if (log instanceof FileLog) {
      if (!(await this.#restoreFromIndex(found, log, state))) {
        await recoverLog(this.#disk, found, log, this.#findings, state.wasClosed)
      }
      if (log.isReserving) log.ceiling = Math.max(log.ceiling, log.committedSequence)
      return
    }
    const last = state.wasClosed ? found.lastSequence : Math.max(found.lastSequence, found.ceiling)
    log.continueAfter(last)
    this.#catalogue.reserve(log, Math.max(last, found.ceiling))
  }

  /** After a clean close the index says what reading all segments would. */
  async #restoreFromIndex(found: FoundLog, log: FileLog, state: FoundState): Promise<boolean> {
    if (!state.wasClosed || found.blocks.length > 0) return false
    const isRestored = await readIndex(this.#disk, found, log, state.lastJournal)
    if (!isRestored && found.lastSequence > 0) {
      this.#findings.push({
        kind: 'damaged-index',
        log: found.name,
        path: log.directory,
        description: 'The index is missing or damaged; the segments are read instead.',
      })
    }
    return isRestored
  }
}
