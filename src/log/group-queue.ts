// What is accepted gathers here: in the open group, and in groups that were closed because they are full. A unit is never divided
// between groups.
import { FanfareError, type Clock } from '../base/index.js'
import type { FileLog } from './file-log.js'
import { Group, type Done, type GroupItem } from './group.js'
import type { NoteLevel } from './log.js'
import type { StoreHealth } from './store-health.js'

/** A group that has taken so many bytes is closed and the next begun, so that nobody waits for too much at once. */
const GROUP_BYTES = 4_194_304

interface OpenUnit {
  isDurable: boolean
  hasMemory: boolean
  parts: number
}

export class GroupQueue {
  readonly #clock: Clock
  readonly #health: StoreHealth
  readonly #becameUrgent: () => void
  #open = new Group()
  #full: Group[] = []
  #unit: OpenUnit | undefined

  /** `becameUrgent` is told when something is worth a cycle. */
  constructor(clock: Clock, health: StoreHealth, becameUrgent: () => void) {
    this.#clock = clock
    this.#health = health
    this.#becameUrgent = becameUrgent
  }

  get isUrgent(): boolean {
    return this.#open.isUrgent
  }

  /** Whether a group waits that takes nothing more. */
  get hasFull(): boolean {
    return this.#full.length > 0
  }

  /** Bytes of records in the open group. */
  get waitingBytes(): number {
    return this.#open.bytes
  }

  /** Whether the open unit has parts in memory. */
  get isMemoryUnit(): boolean {
    return this.#unit?.hasMemory === true
  }

  beginUnit(): void {
    if (this.#unit !== undefined) {
      throw new FanfareError('INTERNAL', 'Units of a log store do not nest.')
    }
    this.#unit = { isDurable: false, hasMemory: false, parts: 0 }
  }

  /** Throws when the open unit cannot have parts of that kind. */
  checkUnit(isDurable: boolean): void {
    const unit = this.#unit
    if (unit === undefined) return
    if (isDurable ? unit.hasMemory : unit.isDurable) throw mismatch()
  }

  endUnit(done: Done | undefined): void {
    const unit = this.#unit
    if (unit === undefined) throw new FanfareError('INTERNAL', 'There is no unit to end.')
    // One record or note alone is whole or absent in any case.
    if (unit.parts > 1) this.#open.needsSync = true
    this.enter({ done }, 'written')
    this.#unit = undefined
    this.#closeIfFull()
  }

  /** Ends a unit in memory. */
  endMemoryUnit(): void {
    this.#unit = undefined
  }

  acceptedInMemory(): void {
    if (this.#unit !== undefined) this.#unit.hasMemory = true
  }

  /** A record of `log` was accepted. */
  accepted(log: FileLog, bytes: number): void {
    const group = this.#open
    if (log.group !== group) {
      log.group = group
      group.logs.push(log)
      group.isUrgent = true
      this.#becameUrgent()
    }
    group.bytes += bytes
    if (this.#unit !== undefined) {
      this.#unit.isDurable = true
      this.#unit.parts += 1
    } else if (group.bytes >= GROUP_BYTES) {
      this.#closeIfFull()
    }
  }

  enter(item: Omit<GroupItem, 'isOfUnit'>, level: NoteLevel): void {
    const refusal = this.#health.refusal
    if (refusal !== undefined) {
      if (item.done !== undefined) this.#clock.afterTurn(() => item.done!(refusal))
      return
    }
    const group = this.#open
    if (this.#unit !== undefined) this.#unit.parts += 1
    group.items.push({ ...item, isOfUnit: this.#unit !== undefined })
    if (level === 'fsync') group.needsSync = true
    if (level === 'rides') return
    group.isUrgent = true
    this.#becameUrgent()
  }

  /** Resolves when the item is as safe as its level says. */
  entered(item: Pick<GroupItem, 'write' | 'done'>, level: NoteLevel = 'fsync'): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: FanfareError): void => {
        item.done?.(error)
        if (error === undefined) resolve()
        else reject(error)
      }
      this.enter({ ...item, done }, level)
    })
  }

  /** A full group, to be committed before the open one. */
  takeFull(): Group | undefined {
    return this.#full.shift()
  }

  /** The open group, if it is worth a cycle and no unit is open. */
  takeOpen(): Group | undefined {
    return this.#open.isUrgent && this.#unit === undefined ? this.#close() : undefined
  }

  /** Everything that waits; what is in the open group is not closed, as it will not be written. */
  takeAll(): Group[] {
    const groups = [...this.#full, this.#open]
    this.#full = []
    this.#open = new Group()
    return groups
  }

  #closeIfFull(): void {
    if (this.#open.bytes >= GROUP_BYTES) this.#full.push(this.#close())
  }

  #close(): Group {
    const group = this.#open
    this.#open = new Group()
    group.close()
    return group
  }
}

function mismatch(): FanfareError {
  return new FanfareError(
    'DURABILITY_MISMATCH',
    'A unit cannot have parts in memory and parts on the disk.',
  )
}
