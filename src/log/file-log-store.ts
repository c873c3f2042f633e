// Logs in a directory. Whatever is accepted goes into the open group; one commit cycle at a time takes a group, writes it,
// makes it safe and tells of it, while the next group is being filled.
//
// Where a group is written:
// - One log that wants an fsync, and nothing that belongs together: to that log's segment, one fdatasync.
// - Otherwise, as one batch to the journal, one fdatasync; its blocks are copied to their segments later, without a sync.
// - Logs that want no fsync and are in no unit: to their segments, no sync.
import { FanfareError, type Clock, type Disk } from '../base/index.js'
import { BlockCache } from './block-cache.js'
import { FileLog, RESERVED_NUMBERS, type FileLogHome, type PlacedPart } from './file-log.js'
import { checkVersion, FORMAT_VERSION } from './file-header.js'
import { FilePool } from './file-pool.js'
import type { FileSegment } from './file-segment.js'
import { readIndex, writeIndex } from './log-index.js'
import { Group, type Done, type GroupItem } from './group.js'
import { Journal, JOURNAL_DIRECTORY, journalBroken, journalPath } from './journal.js'
import { EntryWriter } from './journal-entry.js'
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
import { MemoryLog, type MemoryLogHome } from './memory-log.js'
import {
  adoptDirectories,
  LOG_DIRECTORY,
  logDirectory,
  recoverJournals,
  recoverLog,
  removeLogDirectory,
  tidyDirectories,
  type FoundLog,
  type FoundState,
} from './recovery.js'
import type { ByteRange } from './segment-scan.js'

export interface FileLogStoreOptions {
  /** Bytes of a journal after which a new one is begun; default 64 MiB. */
  readonly checkpointBytes?: number
  /** Bytes of recent blocks kept in memory for readers, over all logs; default 32 MiB. */
  readonly cacheBytes?: number
  /** Told of damage that is met while reading, and of what goes wrong in the background. */
  readonly onFinding?: (finding: RecoveryFinding) => void
}

/** The file that says that a directory holds a store. */
export const ROOT_FILE = 'fanfare.json'
const RESERVE_FILE = 'reserve'
const RESERVE_BYTES = 1_048_576
const DEFAULT_CHECKPOINT_BYTES = 67_108_864
const DEFAULT_CACHE_BYTES = 33_554_432
/** A group that has taken so many bytes is closed and the next begun, so that one is filled while one is written. */
const GROUP_BYTES = 1_048_576
/** Blocks in the journal only, beyond which they are copied before anything else is written. */
const UNCOPIED_BYTES = 33_554_432
/** How long numbers of logs in memory wait for the next attempt to reserve them on a full disk. */
const RETRY_MS = 1_000
/** Logs whose blocks are copied between two groups. */
const COPIES_AT_A_TIME = 32

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

interface OpenUnit {
  isDurable: boolean
  hasMemory: boolean
  parts: number
}

class FileLogStore implements LogStore, FileLogHome, MemoryLogHome {
  readonly pool: FilePool
  readonly cache: BlockCache
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #options: FileLogStoreOptions
  readonly #findings: RecoveryFinding[]
  readonly #logs = new Map<string, FileLog | MemoryLog>()
  /** Logs that are being dropped: until that is safe, an opening would find them, with all that was committed to them. */
  readonly #dropping = new Set<FileLog | MemoryLog>()
  readonly #ceilings = new Map<MemoryLog, number>()
  readonly #owners = new Map<string, NoteOwner>()
  readonly #recovered: Map<string, RecoveredOwner>
  #nextIncarnation: number

  #journal!: Journal
  #oldJournals: number[]
  #isSettlingJournals = false
  #settling: Promise<void> = Promise.resolve()
  #journalFailure: FanfareError | undefined
  readonly #entries = new EntryWriter()
  /** Reservations of the cycle, which hold when it is safe. */
  #reserved: { readonly log: FileLog; readonly ceiling: number }[] = []
  #cycle = 0

  #group = new Group()
  #queue: Group[] = []
  #running: Promise<void> | undefined
  #isPlanned = false
  #unit: OpenUnit | undefined
  #uncopied = new Set<FileLog>()
  #uncopiedBytes = 0

  #dirtyMemory: MemoryLog[] = []
  #memoryDones: Done[] = []
  #memoryFlushes: (() => void)[] = []
  #isMemoryPlanned = false
  #isReservingMemory = false

  #compactions: { readonly log: FileLog; readonly segment: FileSegment }[] = []
  #compacting: Promise<void> | undefined
  #removing: Promise<void> = Promise.resolve()
  #hasReserve = false
  #isClosed = false

  constructor(disk: Disk, clock: Clock, options: FileLogStoreOptions, state: FoundState) {
    this.#disk = disk
    this.#clock = clock
    this.#options = options
    this.pool = new FilePool(disk)
    this.cache = new BlockCache(options.cacheBytes ?? DEFAULT_CACHE_BYTES)
    this.#findings = state.findings
    this.#recovered = new Map(state.owners)
    this.#nextIncarnation = state.nextIncarnation
    this.#oldJournals = state.journals
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
    this.#journal = await Journal.prepare(
      this.#disk,
      state.lastJournal + 1,
      state.nextBatchNumber,
      [this.#catalogue(), this.#ownersSnapshot()],
    )
    await this.#journal.publish()
    await this.#settleJournals(this.#journal.number)
    await this.#keepReserve()
  }

  get findings(): readonly RecoveryFinding[] {
    return this.#findings
  }

  get logs(): ReadonlyMap<string, Log> {
    return this.#logs
  }

  get recovered(): ReadonlyMap<string, RecoveredOwner> {
    return this.#recovered
  }

  async create(name: string, settings: LogSettings): Promise<Log> {
    this.#checkOpen()
    const incarnation = this.#nextIncarnation++
    if (settings.durability !== 'memory') {
      await this.#disk.makeDirectory(logDirectory(name, incarnation))
      await this.#disk.syncDirectory(LOG_DIRECTORY)
    }
    const log = this.#makeLog(name, incarnation, settings)
    await this.#entered({
      write: (entries) => {
        entries.create({ name, incarnation, settings })
        if (settings.durability !== 'fsync') entries.ceiling(incarnation, RESERVED_NUMBERS)
      },
      // At once, as the same cycle may begin a journal with the catalogue.
      done: (error) => {
        if (error !== undefined) return
        this.#reserve(log, RESERVED_NUMBERS)
        this.#logs.set(name, log)
      },
    })
    return log
  }

  async drop(log: Log): Promise<void> {
    const dropped = this.#logs.get(log.name)
    if (dropped !== log) return
    this.#logs.delete(log.name)
    this.#dropping.add(dropped)
    const error = new FanfareError('CLOSED', `The log ${log.name} was dropped.`)
    if (dropped instanceof MemoryLog) dropped.end(error)
    else {
      dropped.isDropped = true
      dropped.freeze(error)
      dropped.refuse(error)
    }
    await this.#entered({
      write: (entries) => entries.drop(dropped.incarnation),
      done: (error) => {
        if (error !== undefined) return
        this.#dropping.delete(dropped)
      },
    })
    if (dropped instanceof MemoryLog) return
    this.#uncopied.delete(dropped)
    for (const segment of dropped.fileSegments) this.pool.forget(segment.path)
    // What cannot be removed now is removed when the directory is opened the next time.
    await removeLogDirectory(this.#disk, dropped.directory).catch(() => undefined)
  }

  adopt(name: string, owner: NoteOwner, done?: Done): void {
    const snapshot = owner.snapshot()
    this.#owners.set(name, owner)
    this.#recovered.delete(name)
    this.#enter({ write: (entries) => entries.owner(name, snapshot), done }, 'fsync')
  }

  disown(name: string, done?: Done): void {
    this.#owners.delete(name)
    this.#recovered.delete(name)
    this.#enter({ write: (entries) => entries.disown(name), done }, 'fsync')
  }

  note(owner: string, bytes: Uint8Array, level: NoteLevel, done?: Done): void {
    if (this.#unit !== undefined && level !== 'rides') this.checkUnit(true)
    if (this.#unit !== undefined && !this.#unit.hasMemory) this.#unit.parts += 1
    this.#enter({ write: (entries) => entries.note(owner, bytes), done }, level)
  }

  beginUnit(): void {
    if (this.#unit !== undefined) {
      throw new FanfareError('INTERNAL', 'Units of a log store do not nest.')
    }
    this.#unit = { isDurable: false, hasMemory: false, parts: 0 }
  }

  endUnit(done?: Done): void {
    const unit = this.#unit
    if (unit === undefined) throw new FanfareError('INTERNAL', 'There is no unit to end.')
    if (unit.hasMemory) {
      this.#unit = undefined
      if (done !== undefined) this.#memoryDones.push(done)
      this.#planMemory()
      return
    }
    // One record or note alone is whole or absent in any case.
    if (unit.parts > 1) this.#group.needsSync = true
    this.#enter({ done }, 'written')
    this.#unit = undefined
    this.#closeFullGroup()
  }

  async flush(): Promise<void> {
    const memory = new Promise<void>((resolve) => {
      if (!this.#isMemoryPlanned && !this.#isReservingMemory) resolve()
      else this.#memoryFlushes.push(resolve)
    })
    await this.#entered({}, 'written').catch(() => undefined)
    await memory
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    await this.flush()
    this.#isClosed = true
    while (this.#running !== undefined) await this.#running
    await this.#compacting
    this.#commitMemory()
    if (this.#journalFailure === undefined) await this.#closeJournal()
    const error = closed()
    for (const log of this.#logs.values()) {
      if (log instanceof MemoryLog) log.end(error)
      else {
        log.freeze(error)
        log.stop()
      }
    }
    await this.#removing
    await this.#journal.close().catch(() => undefined)
    await this.pool.close()
  }

  // What logs tell

  checkUnit(isDurable: boolean): void {
    const unit = this.#unit
    if (unit === undefined) return
    if (isDurable ? unit.hasMemory : unit.isDurable) throw mismatch()
  }

  accepted(log: FileLog, bytes: number): void
  accepted(log: MemoryLog): void
  accepted(log: FileLog | MemoryLog, bytes = 0): void {
    if (log instanceof MemoryLog) {
      if (this.#unit !== undefined) this.#unit.hasMemory = true
      this.#dirtyMemory.push(log)
      this.#planMemory()
      return
    }
    const group = this.#group
    if (log.group !== group) {
      log.group = group
      group.logs.push(log)
      group.isUrgent = true
      this.#plan()
    }
    group.bytes += bytes
    if (this.#unit !== undefined) {
      this.#unit.isDurable = true
      this.#unit.parts += 1
    } else if (group.bytes >= GROUP_BYTES) {
      this.#closeFullGroup()
    }
  }

  removed(log: FileLog, from: number, through: number): void {
    const level = log.settings.durability === 'fsync' ? 'fsync' : 'written'
    this.#enter({ write: (entries) => entries.removed(log.incarnation, from, through) }, level)
  }

  limitsSet(log: FileLog | MemoryLog, limits: LogLimits): void {
    this.#enter({ write: (entries) => entries.limits(log.incarnation, limits) }, 'fsync')
  }

  async discard(segment: FileSegment): Promise<void> {
    this.pool.forget(segment.path)
    await this.#disk.remove(segment.path)
    await this.#disk.syncDirectory(segment.directory)
  }

  dropped(log: FileLog, segment: FileSegment): void {
    this.pool.forget(segment.path)
    const remove = async (): Promise<void> => {
      await this.#disk.remove(segment.path)
      if (log.isDropped) return
      await this.#disk.syncDirectory(segment.directory)
      log.forgetGone(segment)
    }
    // A file that stays is known to be gone, and is removed when the directory is opened the next time.
    this.#removing = this.#removing.then(remove).catch(() => undefined)
  }

  wantsCompaction(log: FileLog, segment: FileSegment): void {
    if (this.#compactions.some((waiting) => waiting.segment === segment)) return
    this.#compactions.push({ log, segment })
    this.#compacting ??= this.#compact()
  }

  damaged(segment: FileSegment, range: ByteRange, fromSequence: number, toSequence: number): void {
    this.#report({
      kind: 'damaged-block',
      log: segment.logName,
      path: segment.path,
      description: `Bytes ${range.from} to ${range.to} are damaged; reading goes on behind them.`,
      fromSequence,
      toSequence,
    })
  }

  readingFailed(log: FileLog, error: unknown): void {
    this.#report({
      kind: 'damaged-block',
      log: log.name,
      path: log.directory,
      description: `Removed records cannot be read, so that counts of keys may be too high: ${String(error)}`,
    })
  }

  // Groups

  #enter(item: Pick<GroupItem, 'write' | 'done'>, level: NoteLevel): void {
    if (this.#journalFailure !== undefined || this.#isClosed) {
      const error = this.#journalFailure ?? closed()
      if (item.done !== undefined) this.#clock.afterTurn(() => item.done!(error))
      return
    }
    const group = this.#group
    group.items.push({ ...item, isOfUnit: this.#unit !== undefined })
    if (level === 'fsync') group.needsSync = true
    if (level === 'rides') return
    group.isUrgent = true
    this.#plan()
  }

  #entered(item: Pick<GroupItem, 'write' | 'done'>, level: NoteLevel = 'fsync'): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: FanfareError): void => {
        item.done?.(error)
        if (error === undefined) resolve()
        else reject(error)
      }
      this.#enter({ ...item, done }, level)
    })
  }

  #plan(): void {
    if (this.#isPlanned || this.#running !== undefined) return
    this.#isPlanned = true
    this.#clock.afterTurn(() => {
      this.#isPlanned = false
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined
        if (this.#group.isUrgent) this.#plan()
      })
    })
  }

  #closeFullGroup(): void {
    if (this.#group.bytes < GROUP_BYTES) return
    this.#queue.push(this.#closeGroup())
  }

  #closeGroup(): Group {
    const group = this.#group
    this.#group = new Group()
    group.close()
    return group
  }

  #takeGroup(): Group | undefined {
    const waiting = this.#queue.shift()
    if (waiting !== undefined) return waiting
    if (!this.#group.isUrgent || this.#unit !== undefined) return undefined
    const group = this.#closeGroup()
    if (this.#journal.length >= (this.#options.checkpointBytes ?? DEFAULT_CHECKPOINT_BYTES)) {
      group.snapshot = this.#ownersSnapshot()
    }
    return group
  }

  async #run(): Promise<void> {
    for (;;) {
      const group = this.#takeGroup()
      if (group !== undefined) await this.#commit(group)
      else if (this.#uncopied.size === 0) return
      const isBusy = group !== undefined && this.#uncopiedBytes < UNCOPIED_BYTES
      if (this.#uncopied.size > 0 && !isBusy) {
        if (!(await this.#copySome()) && group === undefined) return
      }
    }
  }

  /** Writes a group, makes it safe and tells of it. */
  async #commit(group: Group): Promise<void> {
    this.#cycle += 1
    const parts = group.parts.filter(({ log }) => !log.isDropped)
    const placed = parts.map(({ log, blocks }) => log.place(blocks, this.#cycle))
    const mark = this.#journal.mark()
    try {
      await this.#writeGroup(group, placed)
    } catch (error) {
      await this.#fail(group, placed, mark, toFanfareError(error))
      return
    }
    this.#tell(group, placed)
    if (group.snapshot !== undefined) await this.#beginJournal(group.snapshot)
    if (!this.#hasReserve && placed.length > 0) await this.#keepReserve()
  }

  async #writeGroup(group: Group, placed: readonly PlacedPart[]): Promise<void> {
    const entries = this.#entries
    entries.clear()
    this.#reserved = []
    let needsSync = this.#reserveAhead(placed, entries) || group.needsSync
    const fsyncParts = placed.filter(({ log }) => log.settings.durability === 'fsync')
    if (fsyncParts.length > 1 || placed.some(({ log }) => log.isBroken)) needsSync = true
    // In a journal that is synced, blocks that may belong together lie in one batch.
    const journaled = needsSync
      ? placed.filter((part) => group.needsSync || fsyncParts.includes(part) || part.log.isBroken)
      : []
    for (const { log, blocks } of journaled) {
      for (const block of blocks) {
        entries.block(log.incarnation, block.bytes, block.start, block.end)
      }
    }
    for (const item of group.items) item.write?.(entries)
    if (entries.count > 0) {
      await this.#journal.write(entries)
      if (needsSync) await this.#journal.sync()
    }
    for (const part of placed) {
      if (journaled.includes(part)) this.#addCopy(part)
      else await this.#writeDirectly(part)
    }
  }

  /** To the log's own segment. When that fails the log is frozen, and what it accepted goes to the journal. */
  async #writeDirectly(part: PlacedPart): Promise<void> {
    const { log, blocks } = part
    try {
      await log.write(Infinity)
      if (log.settings.durability === 'fsync') await log.sync()
    } catch (error) {
      const failure = toFanfareError(error)
      if (failure.code === 'DISK_FULL') throw failure
      this.#breakLog(log, failure)
      const entries = this.#entries
      entries.clear()
      for (const block of blocks) {
        entries.block(log.incarnation, block.bytes, block.start, block.end)
      }
      await this.#journal.write(entries)
      await this.#journal.sync()
    }
  }

  #breakLog(log: FileLog, cause: FanfareError): void {
    if (log.isBroken) return
    log.isBroken = true
    this.#uncopied.delete(log)
    log.freeze(
      new FanfareError(
        'STREAM_FROZEN',
        `The files of ${log.name} cannot be written: nothing is accepted until the directory is opened again.`,
        { cause, details: { log: log.name } },
      ),
    )
    this.#report({
      kind: 'unclean-stop',
      log: log.name,
      path: log.directory,
      description: `The log is frozen: ${cause.message}`,
    })
  }

  #tell(group: Group, placed: readonly PlacedPart[]): void {
    for (const { log, ceiling } of this.#reserved) log.ceiling = ceiling
    const admitted = placed.filter(({ log }) => !log.isDropped)
    for (const { log, blocks } of admitted) log.admitPart(blocks)
    for (const { log } of admitted) log.tellCommitted()
    for (const { done } of group.items) done?.()
  }

  // Failure

  async #fail(
    group: Group,
    placed: readonly PlacedPart[],
    mark: ReturnType<Journal['mark']>,
    error: FanfareError,
  ): Promise<void> {
    let failure = error.code === 'DISK_FULL' ? undefined : error
    await this.#journal.rollBack(mark).catch((cause: unknown) => {
      failure ??= toFanfareError(cause)
    })
    for (const part of placed) {
      await part.log.unplace(part).catch((cause: unknown) => {
        this.#breakLog(part.log, toFanfareError(cause))
      })
    }
    if (failure === undefined) await this.#refuse(group, error)
    else this.#breakJournal(group, failure)
  }

  /** The disk is full: what waits in logs is refused; what else waits for the journal has the reserve. */
  async #refuse(group: Group, error: FanfareError): Promise<void> {
    const groups = this.#takeAllGroups(group)
    const items = groups.flatMap((each) => each.items)
    for (const log of new Set(groups.flatMap((each) => each.logs))) log.refuse(error)
    for (const item of items) if (item.isOfUnit) item.done?.(error)
    await this.#writeItems(
      items.filter((item) => !item.isOfUnit),
      error,
    )
  }

  async #writeItems(items: readonly GroupItem[], reason: FanfareError): Promise<void> {
    if (items.length === 0) return
    if (this.#hasReserve) {
      this.#hasReserve = false
      await this.#disk.remove(RESERVE_FILE).catch(() => undefined)
    }
    const mark = this.#journal.mark()
    const entries = this.#entries
    entries.clear()
    for (const item of items) item.write?.(entries)
    try {
      if (entries.count > 0) {
        await this.#journal.write(entries)
        await this.#journal.sync()
      }
      for (const item of items) item.done?.()
    } catch (cause) {
      const error = toFanfareError(cause)
      await this.#journal.rollBack(mark).catch(() => undefined)
      if (error.code !== 'DISK_FULL') this.#failJournal(error)
      for (const item of items) item.done?.(reason)
    }
  }

  #takeAllGroups(first: Group): Group[] {
    const groups = [first, ...this.#queue, this.#group]
    this.#queue = []
    this.#group = new Group()
    return groups
  }

  #breakJournal(group: Group, cause: FanfareError): void {
    const groups = this.#takeAllGroups(group)
    const failure = this.#failJournal(cause)
    for (const log of new Set(groups.flatMap((each) => each.logs))) log.refuse(failure)
    for (const each of groups) for (const { done } of each.items) done?.(failure)
  }

  #failJournal(cause: FanfareError): FanfareError {
    const failure = journalBroken(cause)
    this.#journalFailure = failure
    for (const log of this.#logs.values()) if (log instanceof FileLog) log.freeze(failure)
    this.#report({
      kind: 'unclean-stop',
      log: undefined,
      path: journalPath(this.#journal.number),
      description: `${failure.message} ${cause.message}`,
    })
    return failure
  }

  // Copies and journals

  #addCopy({ log, blocks }: PlacedPart): void {
    if (log.isBroken) return
    this.#uncopied.add(log)
    for (const block of blocks) this.#uncopiedBytes += block.length
  }

  /** Writes some logs' blocks to their segments; false when there is no room for it now. */
  async #copySome(): Promise<boolean> {
    let count = 0
    for (const log of this.#uncopied) {
      if (count++ === COPIES_AT_A_TIME && this.#uncopiedBytes < UNCOPIED_BYTES) return true
      try {
        await log.write()
        this.#uncopied.delete(log)
      } catch (error) {
        const failure = toFanfareError(error)
        if (failure.code === 'DISK_FULL') return false
        this.#breakLog(log, failure)
      }
    }
    this.#uncopiedBytes = 0
    return true
  }

  /** A new journal begins with how things are; the old one is kept until the segments are safe. */
  async #beginJournal(owners: EntryWriter): Promise<void> {
    if (this.#isSettlingJournals) return
    const old = this.#journal
    if (!(await this.#replaceJournal([this.#catalogue(), owners]))) return
    this.#oldJournals.push(old.number)
    this.#settling = this.#settleJournals(this.#journal.number)
  }

  /** False when the old journal goes on: the next cycle tries again. */
  async #replaceJournal(snapshot: readonly EntryWriter[], isClosed = false): Promise<boolean> {
    const old = this.#journal
    let journal: Journal
    try {
      journal = await Journal.prepare(
        this.#disk,
        old.number + 1,
        old.nextBatchNumber,
        snapshot,
        isClosed,
      )
    } catch {
      return false
    }
    try {
      await journal.publish()
    } catch (cause) {
      await journal.close().catch(() => undefined)
      this.#breakJournal(new Group(), toFanfareError(cause))
      return false
    }
    this.#journal = journal
    await old.close().catch(() => undefined)
    return true
  }

  /** Makes all segments safe; then the journals before `number` are not needed any more. */
  async #settleJournals(number: number): Promise<void> {
    this.#isSettlingJournals = true
    try {
      for (const log of this.#findableLogs()) {
        if (log instanceof FileLog && !log.isSafe) await this.#settleLog(log)
      }
      if (this.#hasBrokenLog()) return
      const old = this.#oldJournals.filter((each) => each < number)
      for (const each of old) await this.#disk.remove(journalPath(each))
      this.#oldJournals = this.#oldJournals.filter((each) => each >= number)
    } catch {
      // Old journals that stay do no harm: what they say is known already.
    } finally {
      this.#isSettlingJournals = false
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
      this.#breakLog(log, failure)
    }
  }

  #findableLogs(): (FileLog | MemoryLog)[] {
    return [...this.#dropping, ...this.#logs.values()]
  }

  #hasBrokenLog(): boolean {
    return this.#findableLogs().some((log) => log instanceof FileLog && log.isBroken)
  }

  /** Marks the directory as closed. When that cannot be, everything is safe in the journals that are there. */
  async #closeJournal(): Promise<void> {
    while (this.#isSettlingJournals) await this.#settling
    const old = this.#journal
    try {
      for (const log of this.#findableLogs()) {
        if (log instanceof FileLog) await this.#settleLog(log)
      }
      if (this.#hasBrokenLog()) return
      for (const log of this.#findableLogs()) {
        if (log instanceof FileLog) await writeIndex(this.#disk, log, old.number + 1)
      }
      const snapshot = [this.#catalogue(), this.#ownersSnapshot()]
      if (!(await this.#replaceJournal(snapshot, true))) return
      for (const number of [...this.#oldJournals, old.number]) {
        await this.#disk.remove(journalPath(number))
      }
    } catch (error) {
      this.#report({
        kind: 'unclean-stop',
        log: undefined,
        path: JOURNAL_DIRECTORY,
        description: `The directory could not be marked as closed: ${toFanfareError(error).message}`,
      })
    }
  }

  #ownersSnapshot(): EntryWriter {
    const entries = new EntryWriter()
    for (const [name, owner] of this.#owners) entries.owner(name, owner.snapshot())
    for (const [name, { snapshot, notes }] of this.#recovered) {
      entries.owner(name, snapshot)
      for (const note of notes) entries.note(name, note)
    }
    return entries
  }

  /** The logs and how they are. */
  #catalogue(): EntryWriter {
    const entries = new EntryWriter()
    entries.store(this.#nextIncarnation)
    for (const log of this.#findableLogs()) {
      const { name, incarnation, settings, limits } = log
      entries.create({ name, incarnation, settings: { ...settings, limits } })
      const { firstSequence, lastSequence, lastTimeMs } = log.state
      const ceiling = log instanceof FileLog ? log.ceiling : this.#ceilings.get(log)!
      entries.state(incarnation, firstSequence, lastSequence, ceiling, lastTimeMs)
      if (log instanceof FileLog) log.describeRemoved(entries)
    }
    return entries
  }

  // Logs

  #makeLog(name: string, incarnation: number, settings: LogSettings): FileLog | MemoryLog {
    const options = { name, incarnation, settings, clock: this.#clock }
    if (settings.durability === 'memory') return new MemoryLog(options, this)
    return new FileLog(options, logDirectory(name, incarnation), this)
  }

  async #restoreLog(found: FoundLog, state: FoundState): Promise<void> {
    const log = this.#makeLog(found.name, found.incarnation, found.settings)
    this.#logs.set(found.name, log)
    if (log instanceof FileLog) {
      if (!(await this.#restoreFromIndex(found, log, state))) {
        await recoverLog(this.#disk, found, log, this.#findings, state.wasClosed)
      }
      if (log.isReserving) log.ceiling = Math.max(log.ceiling, log.committedSequence)
      return
    }
    const last = state.wasClosed ? found.lastSequence : Math.max(found.lastSequence, found.ceiling)
    log.continueAfter(last)
    this.#ceilings.set(log, Math.max(last, found.ceiling))
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

  #reserve(log: FileLog | MemoryLog, ceiling: number): void {
    if (log instanceof MemoryLog) this.#ceilings.set(log, ceiling)
    else log.ceiling = ceiling
  }

  /** Reserves numbers for the logs that need it; whether there was one. */
  #reserveAhead(placed: readonly PlacedPart[], entries: EntryWriter): boolean {
    let isReserving = false
    for (const { log } of placed) {
      if (!log.isReserving || log.acceptedSequence <= log.ceiling) continue
      const ceiling = log.acceptedSequence + RESERVED_NUMBERS
      entries.ceiling(log.incarnation, ceiling)
      this.#reserved.push({ log, ceiling })
      isReserving = true
    }
    return isReserving
  }

  async #compact(): Promise<void> {
    for (;;) {
      const next = this.#compactions.shift()
      if (next === undefined) break
      try {
        await next.log.rewrite(next.segment)
      } catch (error) {
        this.#report({
          kind: 'unclean-stop',
          log: next.log.name,
          path: next.segment.path,
          description: `The segment could not be compacted and stays as it is: ${toFanfareError(error).message}`,
        })
      }
    }
    this.#compacting = undefined
  }

  // Logs in memory

  #planMemory(): void {
    if (this.#isMemoryPlanned) return
    this.#isMemoryPlanned = true
    this.#clock.afterTurn(() => {
      this.#isMemoryPlanned = false
      this.#commitMemory()
    })
  }

  #commitMemory(): void {
    const waiting = this.#dirtyMemory.filter((log) => log.isWaiting)
    const unreserved = waiting.filter((log) => log.acceptedSequence > this.#ceilings.get(log)!)
    if (unreserved.length > 0) {
      this.#reserveMemory(unreserved)
      return
    }
    const dones = this.#memoryDones
    this.#dirtyMemory = []
    this.#memoryDones = []
    for (const log of waiting) log.admitWaiting()
    for (const log of waiting) log.tellCommitted()
    for (const done of dones) done()
    this.#answerMemoryFlushes()
  }

  #answerMemoryFlushes(): void {
    for (const resolve of this.#memoryFlushes.splice(0)) resolve()
  }

  /** Commits when the numbers are reserved durably: until then they could be given again after a restart. */
  #reserveMemory(logs: readonly MemoryLog[]): void {
    if (this.#isReservingMemory) return
    this.#isReservingMemory = true
    const ceilings = logs.map((log) => log.acceptedSequence + RESERVED_NUMBERS)
    const write = (entries: EntryWriter): void => {
      logs.forEach((log, index) => entries.ceiling(log.incarnation, ceilings[index]!))
    }
    const done = (error?: FanfareError): void => {
      this.#isReservingMemory = false
      if (error === undefined) logs.forEach((log, i) => this.#ceilings.set(log, ceilings[i]!))
      else if (error.code !== 'DISK_FULL') for (const log of logs) log.end(error)
      if (error?.code === 'DISK_FULL') {
        this.#answerMemoryFlushes()
        this.#clock.startTimer(RETRY_MS, () => this.#planMemory())
      } else {
        this.#planMemory()
      }
    }
    this.#enter({ write, done }, 'fsync')
  }

  // The rest

  async #keepReserve(): Promise<void> {
    try {
      if (!(await this.#disk.exists(RESERVE_FILE))) {
        const file = await this.#disk.open(RESERVE_FILE, 'create', 'background')
        try {
          await file.write(new Uint8Array(RESERVE_BYTES), 0, RESERVE_BYTES, 0)
        } finally {
          await file.close()
        }
      }
      this.#hasReserve = true
    } catch {
      await this.#disk.remove(RESERVE_FILE).catch(() => undefined)
    }
  }

  #report(finding: RecoveryFinding): void {
    this.#options.onFinding?.(finding)
  }

  #checkOpen(): void {
    if (this.#isClosed) throw closed()
    if (this.#journalFailure !== undefined) throw this.#journalFailure
  }
}

/** The file that says what the directory is, made when it is not there. */
async function checkRoot(disk: Disk): Promise<void> {
  await disk.makeDirectory('')
  if (await disk.exists(ROOT_FILE)) {
    const file = await disk.open(ROOT_FILE, 'read')
    try {
      const bytes = new Uint8Array(await file.size())
      await file.read(bytes, 0, bytes.length, 0)
      checkVersion(readVersion(bytes))
    } finally {
      await file.close()
    }
    return
  }
  const temporary = `${ROOT_FILE}.new`
  await disk.remove(temporary)
  const file = await disk.open(temporary, 'create')
  try {
    const bytes = new TextEncoder().encode(
      `{ "product": "fanfare", "format": ${FORMAT_VERSION} }\n`,
    )
    await file.write(bytes, 0, bytes.length, 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await disk.rename(temporary, ROOT_FILE)
  await disk.syncDirectory('')
}

/** Every file says its version again, so that a damaged root file hides nothing. */
function readVersion(bytes: Uint8Array): number {
  try {
    const content = JSON.parse(new TextDecoder().decode(bytes)) as { format?: unknown }
    return typeof content.format === 'number' ? content.format : FORMAT_VERSION
  } catch {
    return FORMAT_VERSION
  }
}

function toFanfareError(error: unknown): FanfareError {
  if (FanfareError.is(error)) return error
  return new FanfareError('INTERNAL', `The log store failed: ${String(error)}`, { cause: error })
}

function mismatch(): FanfareError {
  return new FanfareError(
    'DURABILITY_MISMATCH',
    'A unit cannot have parts in memory and parts on the disk.',
  )
}

function closed(): FanfareError {
  return new FanfareError('CLOSED', 'The log store is closed.')
}
