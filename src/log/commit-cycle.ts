// Commits one group after another: writes it, makes it safe and tells of it, while the next group is being filled. Where much has
// gathered meanwhile, the next one is on its way to the disk before the one before it is told.
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

/** Over about so many groups the times of a cycle are averaged. */
const AVERAGED_GROUPS = 4

export interface CommitParts {
  readonly clock: Clock
  readonly groups: GroupQueue
  readonly owners: NoteOwners
  readonly checkpoints: Checkpoints
  readonly reserve: DiskReserve
  readonly health: StoreHealth
  /** So many bytes must wait for them to be on their way to the disk before the group in front is told (`#mayOverlap`). */
  readonly overlapBytes: number
}

/** A group on its way to the disk. */
interface Commit {
  readonly group: Group
  readonly placed: readonly PlacedPart[]
  readonly mark: JournalMark
  /** Reservations, which hold when it is safe. */
  readonly reserved: readonly Reservation[]
  /** Resolves when it is safe, with the error when it cannot be. */
  readonly written: Promise<FanfareError | undefined>
}

interface Reservation {
  readonly log: FileLog
  readonly ceiling: number
}

export class CommitCycle {
  readonly #parts: CommitParts
  readonly #copies: SegmentCopies
  readonly #entries = new EntryWriter()
  #number = 0
  /** How long a group takes, of late: on the disk, and those who are told of it. */
  #diskMs = 0
  #tellingMs = 0
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
    let next: Commit | undefined
    for (;;) {
      const commit: Commit | undefined = next ?? this.#begin()
      next = undefined
      if (commit !== undefined) next = await this.#finish(commit)
      else if (!copies.isWaiting) return
      if (next !== undefined) continue
      if (copies.isOverdue || (copies.isWaiting && commit === undefined)) {
        if (!(await copies.copySome()) && commit === undefined) return
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

  /** Gives the next group its place and begins to write it. */
  #begin(): Commit | undefined {
    const group = this.#take()
    if (group === undefined) return undefined
    this.#number += 1
    const parts = group.parts.filter(({ log }) => !log.isDropped)
    const placed = parts.map(({ log, blocks }) => log.place(blocks, this.#number))
    const mark = this.#parts.checkpoints.journal.mark()
    const reserved = reservationsFor(placed)
    const startedMs = this.#parts.clock.elapsedMs()
    const written = this.#write(group, placed, reserved).then(() => {
      this.#diskMs = this.#average(this.#diskMs, startedMs)
      return undefined
    }, toFanfareError)
    return { group, placed, mark, reserved, written }
  }

  /** Tells of a group when it is safe. Answers the next, if that was begun meanwhile. */
  async #finish(commit: Commit): Promise<Commit | undefined> {
    const { checkpoints, reserve } = this.#parts
    const error = await commit.written
    if (error !== undefined) {
      await this.#fail(commit, error)
      return undefined
    }
    const { snapshot } = commit.group
    const next = snapshot === undefined && this.#mayOverlap() ? this.#begin() : undefined
    // The call of the disk is some promises away, and those who are told may be at work for milliseconds.
    if (next !== undefined) await new Promise<void>((go) => this.#parts.clock.defer(go))
    const startedMs = this.#parts.clock.elapsedMs()
    this.#tell(commit)
    this.#tellingMs = this.#average(this.#tellingMs, startedMs)
    if (next !== undefined) return next
    if (snapshot !== undefined) await checkpoints.begin(snapshot)
    if (!reserve.isThere && commit.placed.length > 0) await reserve.keep()
    return undefined
  }

  /**
   * Whether the next group is on its way to the disk before the one in front of it is told. What is told calls publishers, who publish on:
   * the disk had better wait for them and sync all of it at once, as each sync has its price, unless nothing more fits into the group, or
   * those who are told take as long as the disk.
   */
  #mayOverlap(): boolean {
    const { groups, reserve, overlapBytes } = this.#parts
    if (!reserve.isThere || this.#copies.isOverdue) return false
    if (groups.hasFull) return true
    return groups.waitingBytes >= overlapBytes && this.#tellingMs * 2 >= this.#diskMs
  }

  #average(beforeMs: number, startedMs: number): number {
    return beforeMs + (this.#parts.clock.elapsedMs() - startedMs - beforeMs) / AVERAGED_GROUPS
  }

  async #write(
    group: Group,
    placed: readonly PlacedPart[],
    reserved: readonly Reservation[],
  ): Promise<void> {
    const { journal } = this.#parts.checkpoints
    const entries = this.#entries
    entries.clear()
    for (const { log, ceiling } of reserved) entries.ceiling(log.incarnation, ceiling)
    let needsSync = reserved.length > 0 || group.needsSync
    const isSynced = ({ log }: PlacedPart): boolean => log.settings.durability === 'fsync'
    if (placed.filter(isSynced).length > 1 || placed.some(({ log }) => log.isBroken)) {
      needsSync = true
    }
    // In a journal that is synced, blocks that may belong together lie in one batch.
    const isJournaled = (part: PlacedPart): boolean =>
      needsSync && (group.needsSync || isSynced(part) || part.log.isBroken)
    const journaled = new Set(placed.filter(isJournaled))
    for (const part of journaled) addBlocks(entries, part)
    for (const item of group.items) item.write?.(entries)
    for (const { name, snapshot } of group.renewals) entries.owner(name, snapshot)
    if (entries.count > 0) await (needsSync ? journal.commit(entries) : journal.write(entries))
    for (const part of placed) {
      if (journaled.has(part)) this.#copies.add(part)
      else await this.#writeDirectly(part)
    }
  }

  /** To the log's own segment. When that fails the log is frozen, and what it accepted goes to the journal. */
  async #writeDirectly(part: PlacedPart): Promise<void> {
    const { checkpoints, health } = this.#parts
    const { log } = part
    try {
      if (log.settings.durability === 'fsync') await log.commit()
      else await log.write(Infinity)
    } catch (error) {
      const failure = toFanfareError(error)
      if (failure.code === 'DISK_FULL') throw failure
      health.breakLog(log, failure)
      const entries = this.#entries
      entries.clear()
      addBlocks(entries, part)
      await checkpoints.journal.commit(entries)
    }
  }

  #tell({ group, placed, reserved }: Commit): void {
    for (const { log, ceiling } of reserved) log.ceiling = ceiling
    const admitted = placed.filter(({ log }) => !log.isDropped)
    for (const { log, blocks } of admitted) log.admitPart(blocks)
    for (const { log } of admitted) log.tellCommitted()
    this.#parts.owners.renewed(group.renewals)
    for (const { done } of group.items) done?.()
  }

  // Failure

  async #fail({ group, placed, mark }: Commit, error: FanfareError): Promise<void> {
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
      if (entries.count > 0) await journal.commit(entries)
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

/** Numbers that have to be reserved before the group is told. */
function reservationsFor(placed: readonly PlacedPart[]): Reservation[] {
  return placed.flatMap(({ log }) => {
    if (!log.isReserving || log.acceptedSequence <= log.ceiling) return []
    return [{ log, ceiling: log.acceptedSequence + RESERVED_NUMBERS }]
  })
}

function addBlocks(entries: EntryWriter, { log, blocks }: PlacedPart): void {
  for (const block of blocks) entries.block(log.incarnation, block.bytes, block.start, block.end)
}
