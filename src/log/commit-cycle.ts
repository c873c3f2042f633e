// Commits one group at a time: writes it, makes it safe and tells of it, while the next group is being filled.
//
// Where a group is written:
// - One log that wants an fsync, and nothing that belongs together: to that log's segment, one fdatasync.
// - Otherwise, as one batch to the journal, one fdatasync; its blocks are copied to their segments later, without a sync.
// - Logs that want no fsync and are in no unit: to their segments, no sync.
import type { Clock, FanfareError } from '../base/index.js'
import type { Checkpoints } from './checkpoints.js'
import { type FileLog, RESERVED_NUMBERS, type PlacedPart } from './file-log.js'
import type { Group, GroupItem, Renewal } from './group.js'
import type { GroupQueue } from './group-queue.js'
import type { JournalMark } from './journal.js'
import { EntryWriter } from './journal-entry.js'
import type { NoteOwners } from './note-owners.js'
import { SegmentCopies } from './segment-copies.js'
import { toFanfareError, type StoreHealth } from './store-health.js'
import type { DiskReserve } from './store-root.js'

export interface CommitParts {
  readonly clock: Clock
  readonly groups: GroupQueue
  readonly owners: NoteOwners
  readonly checkpoints: Checkpoints
  readonly reserve: DiskReserve
  readonly health: StoreHealth
}

export class CommitCycle {
  readonly #parts: CommitParts
  readonly #copies: SegmentCopies
  readonly #entries = new EntryWriter()
  /** Reservations of the cycle, which hold when it is safe. */
  #reserved: { readonly log: FileLog; readonly ceiling: number }[] = []
  #number = 0
  #running: Promise<void> | undefined
  #isPlanned = false

  constructor(parts: CommitParts) {
    this.#parts = parts
    this.#copies = new SegmentCopies(parts.health)
  }

  /** Something waits: begins when the code that runs has returned. */
  plan(): void {
    if (this.#isPlanned || this.#running !== undefined) return
    this.#isPlanned = true
    this.#parts.clock.afterTurn(() => {
      this.#isPlanned = false
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined
        if (this.#parts.groups.isUrgent) this.plan()
      })
    })
  }

  /** Resolves when no cycle is under way. */
  async finished(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  /** A new journal may be there or not: what waits is refused. */
  journalLost(cause: FanfareError): void {
    this.#refuseAll(this.#parts.groups.takeAll(), cause)
  }

  async #run(): Promise<void> {
    const copies = this.#copies
    for (;;) {
      const group = this.#take()
      if (group !== undefined) await this.#commit(group)
      else if (!copies.isWaiting) return
      if (copies.isOverdue || (copies.isWaiting && group === undefined)) {
        if (!(await copies.copySome()) && group === undefined) return
      }
    }
  }

  #take(): Group | undefined {
    const { groups, owners, checkpoints } = this.#parts
    const full = groups.takeFull()
    if (full !== undefined) return full
    const group = groups.takeOpen()
    if (group === undefined) return undefined
    group.renewals = owners.renewals()
    if (checkpoints.isDue) group.snapshot = owners.snapshot()
    return group
  }

  async #commit(group: Group): Promise<void> {
    const { checkpoints, reserve } = this.#parts
    this.#number += 1
    const parts = group.parts.filter(({ log }) => !log.isDropped)
    const placed = parts.map(({ log, blocks }) => log.place(blocks, this.#number))
    const mark = checkpoints.journal.mark()
    try {
      await this.#write(group, placed)
    } catch (error) {
      await this.#fail(group, placed, mark, toFanfareError(error))
      return
    }
    this.#tell(group, placed)
    if (group.snapshot !== undefined) await checkpoints.begin(group.snapshot)
    if (!reserve.isThere && placed.length > 0) await reserve.keep()
  }

  async #write(group: Group, placed: readonly PlacedPart[]): Promise<void> {
    const { journal } = this.#parts.checkpoints
    const entries = this.#entries
    entries.clear()
    this.#reserved = []
    let needsSync = this.#reserveAhead(placed) || group.needsSync
    const fsyncParts = placed.filter(({ log }) => log.settings.durability === 'fsync')
    if (fsyncParts.length > 1 || placed.some(({ log }) => log.isBroken)) needsSync = true
    // In a journal that is synced, blocks that may belong together lie in one batch.
    const journaled = needsSync
      ? placed.filter((part) => group.needsSync || fsyncParts.includes(part) || part.log.isBroken)
      : []
    for (const part of journaled) addBlocks(entries, part)
    for (const item of group.items) item.write?.(entries)
    for (const { name, snapshot } of group.renewals) entries.owner(name, snapshot)
    if (entries.count > 0) {
      await journal.write(entries)
      if (needsSync) await journal.sync()
    }
    for (const part of placed) {
      if (journaled.includes(part)) this.#copies.add(part)
      else await this.#writeDirectly(part)
    }
  }

  /** Reserves numbers for the logs that need it; whether there was one. */
  #reserveAhead(placed: readonly PlacedPart[]): boolean {
    for (const { log } of placed) {
      if (!log.isReserving || log.acceptedSequence <= log.ceiling) continue
      const ceiling = log.acceptedSequence + RESERVED_NUMBERS
      this.#entries.ceiling(log.incarnation, ceiling)
      this.#reserved.push({ log, ceiling })
    }
    return this.#reserved.length > 0
  }

  /** To the log's own segment. When that fails the log is frozen, and what it accepted goes to the journal. */
  async #writeDirectly(part: PlacedPart): Promise<void> {
    const { checkpoints, health } = this.#parts
    const { log } = part
    try {
      await log.write(Infinity)
      if (log.settings.durability === 'fsync') await log.sync()
    } catch (error) {
      const failure = toFanfareError(error)
      if (failure.code === 'DISK_FULL') throw failure
      health.breakLog(log, failure)
      const entries = this.#entries
      entries.clear()
      addBlocks(entries, part)
      await checkpoints.journal.write(entries)
      await checkpoints.journal.sync()
    }
  }

  #tell(group: Group, placed: readonly PlacedPart[]): void {
    for (const { log, ceiling } of this.#reserved) log.ceiling = ceiling
    const admitted = placed.filter(({ log }) => !log.isDropped)
    for (const { log, blocks } of admitted) log.admitPart(blocks)
    for (const { log } of admitted) log.tellCommitted()
    this.#parts.owners.renewed(group.renewals)
    for (const { done } of group.items) done?.()
  }

  // Failure

  async #fail(
    group: Group,
    placed: readonly PlacedPart[],
    mark: JournalMark,
    error: FanfareError,
  ): Promise<void> {
    const { checkpoints, groups, health } = this.#parts
    let failure = error.code === 'DISK_FULL' ? undefined : error
    await checkpoints.journal.rollBack(mark).catch((cause: unknown) => {
      failure ??= toFanfareError(cause)
    })
    for (const part of placed) {
      await part.log.unplace(part).catch((cause: unknown) => {
        health.breakLog(part.log, toFanfareError(cause))
      })
    }
    const waiting = [group, ...groups.takeAll()]
    if (failure === undefined) await this.#refuse(waiting, error)
    else this.#refuseAll(waiting, failure)
  }

  /** The disk is full: what waits in logs is refused; what else waits for the journal has the reserve. */
  async #refuse(groups: readonly Group[], error: FanfareError): Promise<void> {
    const { owners } = this.#parts
    const items = groups.flatMap((each) => each.items)
    for (const log of new Set(groups.flatMap((each) => each.logs))) log.refuse(error)
    for (const { isOfUnit, owner, done } of items) {
      if (!isOfUnit) continue
      if (owner !== undefined) owners.lostNote(owner)
      done?.(error)
    }
    const others = items.filter((item) => !item.isOfUnit)
    await this.#writeItems(others, owners.renewals(), error)
  }

  async #writeItems(
    items: readonly GroupItem[],
    renewals: readonly Renewal[],
    reason: FanfareError,
  ): Promise<void> {
    if (items.length === 0 && renewals.length === 0) return
    const { checkpoints, owners, reserve } = this.#parts
    const { journal } = checkpoints
    await reserve.giveUp()
    const mark = journal.mark()
    const entries = this.#entries
    entries.clear()
    for (const item of items) item.write?.(entries)
    for (const { name, snapshot } of renewals) entries.owner(name, snapshot)
    try {
      if (entries.count > 0) {
        await journal.write(entries)
        await journal.sync()
      }
      owners.renewed(renewals)
      for (const item of items) item.done?.()
    } catch (cause) {
      for (const { owner } of items) if (owner !== undefined) owners.lostNote(owner)
      const error = toFanfareError(cause)
      await journal.rollBack(mark).catch(() => undefined)
      if (error.code !== 'DISK_FULL') this.#parts.health.breakJournal(journal.number, error)
      for (const item of items) item.done?.(reason)
    }
  }

  /** The journal cannot be written: nothing durable goes on. */
  #refuseAll(groups: readonly Group[], cause: FanfareError): void {
    const { checkpoints, health } = this.#parts
    const failure = health.breakJournal(checkpoints.journal.number, cause)
    for (const log of new Set(groups.flatMap((each) => each.logs))) log.refuse(failure)
    for (const each of groups) for (const { done } of each.items) done?.(failure)
  }
}

function addBlocks(entries: EntryWriter, { log, blocks }: PlacedPart): void {
  for (const block of blocks) entries.block(log.incarnation, block.bytes, block.start, block.end)
}
