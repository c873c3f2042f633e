// Logs in the memory of this process: every durability is 'memory', nothing outlives the store. What is accepted in one
// turn is committed at its end, units and notes with it.
import { FanfareError, type Clock } from '../base/index.js'
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

export interface MemoryLogStoreOptions {
  readonly clock: Clock
}

type Done = (error?: FanfareError) => void

export class MemoryLogStore implements LogStore, MemoryLogHome {
  readonly findings: readonly RecoveryFinding[] = []
  readonly recovered: ReadonlyMap<string, RecoveredOwner> = new Map()
  readonly #clock: Clock
  readonly #logs = new Map<string, MemoryLog>()
  #created = 0
  #dirty: MemoryLog[] = []
  #dones: Done[] = []
  #flushes: (() => void)[] = []
  #isPlanned = false
  #isInUnit = false
  #isClosed = false

  constructor(options: MemoryLogStoreOptions) {
    this.#clock = options.clock
  }

  get logs(): ReadonlyMap<string, Log> {
    return this.#logs
  }

  create(name: string, settings: LogSettings): Promise<Log> {
    if (this.#isClosed) return Promise.reject(closed())
    this.#created += 1
    const log = new MemoryLog(
      {
        name,
        incarnation: this.#created,
        settings: { ...settings, durability: 'memory' },
        clock: this.#clock,
      },
      this,
    )
    this.#logs.set(name, log)
    return Promise.resolve(log)
  }

  drop(log: Log): Promise<void> {
    const dropped = this.#logs.get(log.name)
    if (dropped !== log) return Promise.resolve()
    this.#logs.delete(log.name)
    dropped.end(new FanfareError('CLOSED', `The log ${log.name} was dropped.`))
    return Promise.resolve()
  }

  adopt(_name: string, _owner: NoteOwner, done?: Done): void {
    this.#answer(done)
  }

  disown(_name: string, done?: Done): void {
    this.#answer(done)
  }

  note(_owner: string, _bytes: Uint8Array, _level: NoteLevel, done?: Done): void {
    this.#answer(done)
  }

  beginUnit(): void {
    if (this.#isInUnit) throw new FanfareError('INTERNAL', 'Units of a log store do not nest.')
    this.#isInUnit = true
  }

  endUnit(done?: Done): void {
    this.#isInUnit = false
    this.#answer(done)
  }

  flush(): Promise<void> {
    if (!this.#isPlanned) return Promise.resolve()
    return new Promise((resolve) => this.#flushes.push(resolve))
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    this.#isClosed = true
    this.#commit()
    for (const log of this.#logs.values()) log.end(closed())
    return Promise.resolve()
  }

  checkUnit(_isDurable: boolean): void {}

  limitsSet(_log: MemoryLog, _limits: LogLimits): void {}

  accepted(log: MemoryLog): void {
    this.#dirty.push(log)
    this.#plan()
  }

  #answer(done: Done | undefined): void {
    if (done === undefined) return
    this.#dones.push(done)
    this.#plan()
  }

  #plan(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    this.#clock.afterTurn(() => this.#commit())
  }

  /** All logs first, so that whoever is told of one sees the others' part of a unit. */
  #commit(): void {
    const dirty = this.#dirty
    const dones = this.#dones
    const flushes = this.#flushes
    this.#isPlanned = false
    this.#dirty = []
    this.#dones = []
    this.#flushes = []
    const waiting = dirty.filter((log) => log.isWaiting)
    for (const log of waiting) log.admitWaiting()
    for (const log of waiting) log.tellCommitted()
    for (const done of dones) done()
    for (const resolve of flushes) resolve()
  }
}

function closed(): FanfareError {
  return new FanfareError('CLOSED', 'The log store is closed.')
}
