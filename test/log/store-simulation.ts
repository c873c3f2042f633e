// A store driven from a seed over a disk that loses power, is killed, fails and fills up; after each stop it is opened again
// and audited by a checker that knows only what was asked and what was answered.
import { FanfareError, SeededRandom, VirtualClock } from '../../src/base/index.js'
import { FaultDisk, type DiskOperation } from '../../src/base/faults/index.js'
import {
  openFileLogStore,
  type Log,
  type LogLimits,
  type LogSettings,
  type LogStore,
  type NoteLevel,
} from '../../src/log/index.js'
import { append, describeRecord, keysOf } from './log-access.js'

/** Unknown: accepted and not answered, or answered with an error that leaves it open. */
type Fate = 'unknown' | 'committed' | 'gone'

interface Accepted {
  readonly sequence: number
  readonly key: string
  readonly body: string
  readonly unit: number
  fate: Fate
  /** 'asked': removed, but the removal may be lost. */
  removal: 'none' | 'asked' | 'durable'
}

class ModelLog {
  readonly name: string
  settings: LogSettings
  records: Accepted[] = []
  /** The highest number that somebody was told of. */
  highestTold = 0
  /** Whether a create or drop was answered. */
  isCreated = false
  isDropped = false
  dropAsked = false
  constructor(name: string, settings: LogSettings) {
    this.name = name
    this.settings = settings
  }
}

interface Note {
  readonly id: number
  readonly level: NoteLevel
  readonly unit: number
  fate: Fate
}

class ModelOwner {
  readonly name: string
  notes: Note[] = []
  isAdopted = false
  constructor(name: string) {
    this.name = name
  }
  /** The owner's state: the ids of its notes. */
  snapshot(): Uint8Array {
    const ids = this.notes.filter(({ fate }) => fate !== 'gone').map(({ id }) => id)
    return new Uint8Array(new Uint32Array(ids).buffer)
  }
}

export interface SimulationOptions {
  readonly withFaults: boolean
  readonly withFullDisk: boolean
}

export class StoreSimulation {
  readonly #random: SeededRandom
  readonly #options: SimulationOptions
  #clock = new VirtualClock()
  #disk: FaultDisk
  #store!: LogStore
  #logs = new Map<string, ModelLog>()
  #owners = new Map<string, ModelOwner>()
  /** Notes that belong to units, while they are audited. */
  readonly #notesOfUnits = new Map<number, number[]>()
  #nextId = 1
  #wasPowerLost = false
  #hadFaults = false
  reopenings = 0

  constructor(seed: number, options: SimulationOptions) {
    this.#random = new SeededRandom(Math.imul(seed, 0x9e37_79b1) ^ 0x5bd1_e995)
    for (let i = 0; i < 8; i++) this.#random.nextUint32()
    this.#options = options
    this.#disk = new FaultDisk({ random: this.#random })
  }

  async run(generations: number, steps: number): Promise<void> {
    for (let generation = 0; generation < generations; generation++) {
      await this.#open()
      if (generation > 0) await this.#audit()
      await this.#live(steps)
      await this.#stop()
    }
    await this.#open()
    await this.#audit()
  }

  #below(bound: number): number {
    return this.#random.nextUint32() % bound
  }

  #oneIn(count: number): boolean {
    return this.#below(count) === 0
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)]!
  }

  async #pump(turns: number): Promise<void> {
    for (let i = 0; i < turns; i++) {
      this.#clock.runDeferred()
      await Promise.resolve()
    }
  }

  /** Goes on until `work` settles or the disk stands still. */
  async #until<T>(work: Promise<T>): Promise<{ value: T } | 'halted'> {
    let outcome: { value: T } | { error: unknown } | undefined
    work.then(
      (value) => (outcome = { value }),
      (error: unknown) => (outcome = { error }),
    )
    for (let i = 0; outcome === undefined; i++) {
      if (this.#disk.isHalted) return 'halted'
      if (i > 300_000) throw new Error('hangs')
      await this.#pump(1)
    }
    if ('error' in outcome) throw outcome.error
    return outcome
  }

  async #open(): Promise<void> {
    for (;;) {
      this.reopenings += 1
      this.#clock = new VirtualClock()
      if (this.#oneIn(4)) this.#disk.haltAt(1 + this.#below(60))
      const options = {
        checkpointBytes: 3_000,
        cacheBytes: 2_500,
        ...(this.#oneIn(2) ? { overlapBytes: 1 } : {}),
      }
      const opened = await this.#until(openFileLogStore(this.#disk, this.#clock, options))
      if (opened !== 'halted') {
        this.#store = opened.value
        this.#disk.haltAt(Infinity)
        return
      }
      this.#lose()
    }
  }

  #lose(): void {
    if (this.#oneIn(2)) {
      this.#disk = this.#disk.kill()
    } else {
      this.#wasPowerLost = true
      this.#disk = this.#disk.crash()
    }
    this.#disk.capacityBytes = Infinity
  }

  async #stop(): Promise<void> {
    this.#wasPowerLost = false
    if (this.#oneIn(4)) {
      const closed = await this.#until(this.#store.close())
      if (closed !== 'halted' && this.#oneIn(2)) {
        this.#disk = this.#disk.copy()
        this.#disk.capacityBytes = Infinity
        this.#disk.forgetFaults()
        return
      }
    } else {
      this.#disk.haltAt(1 + this.#below(40))
      await this.#pump(this.#below(200))
    }
    this.#lose()
  }

  async #live(steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) {
      await this.#step()
      if (this.#oneIn(2)) await this.#pump(this.#below(40))
      if (this.#disk.isHalted) return
    }
  }

  async #step(): Promise<void> {
    const choice = this.#below(100)
    if (choice < 50) this.#appendSome(0)
    else if (choice < 60) this.#unit()
    else if (choice < 70) this.#note(0)
    else if (choice < 78) this.#remove()
    else if (choice < 82) await this.#create()
    else if (choice < 84) this.#drop()
    else if (choice < 86) this.#adopt()
    else if (choice < 89) await this.#flush()
    else if (choice < 93) await this.#readSome()
    else if (choice < 95) this.#clock.advance(this.#below(50))
    else this.#disturb()
  }

  #disturb(): void {
    if (this.#options.withFullDisk && this.#oneIn(2)) {
      const isFull = this.#disk.capacityBytes !== Infinity
      this.#disk.capacityBytes = isFull ? Infinity : this.#disk.usedBytes + this.#below(3_000)
    } else if (this.#options.withFaults && this.#oneIn(4)) {
      this.#hadFaults = true
      this.#disk.failAt(
        this.#pick<DiskOperation>(['write', 'sync', 'rename', 'open', 'truncate', 'syncDirectory']),
        1 + this.#below(10),
      )
    }
  }

  #liveLogs(): ModelLog[] {
    return [...this.#logs.values()].filter((log) => log.isCreated && !log.dropAsked)
  }

  #appendSome(unit: number): void {
    const logs = this.#liveLogs()
    if (logs.length === 0) return
    for (let count = 1 + this.#below(4); count > 0; count--) this.#append(this.#pick(logs), unit)
  }

  #append(model: ModelLog, unit: number): void {
    const log = this.#store.logs.get(model.name)!
    const key = `key-${this.#below(5)}`
    const body = `${model.name}-${this.#nextId++}-${'x'.repeat(this.#oneIn(12) ? 900 : this.#below(60))}`
    try {
      const sequence = append(log, this.#clock.nowMs(), 0, key, '', body)
      if (sequence <= model.highestTold) throw new Error(`${model.name}: ${sequence} given again`)
      // A refused number may be given again; what had it is not there.
      model.records = model.records.filter((record) => record.sequence !== sequence)
      model.records.push({ sequence, key, body, unit, fate: 'unknown', removal: 'none' })
    } catch (error) {
      if (!FanfareError.is(error) || error.code !== 'STREAM_FROZEN') throw error
    }
  }

  #unit(): void {
    const unit = this.#nextId++
    const logs = this.#liveLogs().filter((log) => log.settings.durability !== 'memory')
    if (logs.some((log) => this.#store.logs.get(log.name)!.frozen !== undefined)) return
    this.#store.beginUnit()
    for (let count = this.#below(4); count > 0 && logs.length > 0; count--) {
      this.#append(this.#pick(logs), unit)
    }
    for (let count = this.#below(3); count > 0; count--) this.#note(unit)
    this.#store.endUnit()
  }

  #note(unit: number): void {
    const owners = [...this.#owners.values()].filter((owner) => owner.isAdopted)
    if (owners.length === 0) return
    const owner = this.#pick(owners)
    const level = this.#pick<NoteLevel>(['rides', 'written', 'fsync'])
    const note: Note = { id: this.#nextId++, level, unit, fate: 'unknown' }
    owner.notes.push(note)
    this.#store.note(
      owner.name,
      new Uint8Array(new Uint32Array([note.id]).buffer),
      level,
      (error) => {
        if (error === undefined) note.fate = 'committed'
        else if (error.code === 'DISK_FULL') note.fate = 'gone'
      },
    )
  }

  #adopt(): void {
    const name = `owner-${this.#below(3)}`
    const owner = this.#owners.get(name) ?? new ModelOwner(name)
    if (owner.isAdopted) return
    this.#owners.set(name, owner)
    owner.isAdopted = true
    this.#store.adopt(name, owner)
  }

  #remove(): void {
    const logs = this.#liveLogs()
    if (logs.length === 0) return
    const model = this.#pick(logs)
    const log = this.#store.logs.get(model.name)!
    const isDurable = this.#oneIn(2)
    const committed = model.records.filter(({ fate }) => fate === 'committed')
    if (committed.length === 0) return
    const { sequence } = this.#pick(committed)
    const isTrim = this.#oneIn(4)
    const gone = isTrim
      ? committed.filter((record) => record.sequence <= sequence)
      : committed.filter((record) => record.sequence === sequence)
    if (isTrim) log.trim(sequence, isDurable)
    else if (!log.remove(sequence, isDurable)) return
    for (const record of gone) if (record.removal === 'none') record.removal = 'asked'
    if (!isDurable) return
    void this.#store.flush().then(() => {
      const isSafe = log.frozen === undefined && this.#disk.capacityBytes === Infinity
      if (isSafe && model.settings.durability === 'fsync') {
        for (const record of gone) record.removal = 'durable'
      }
    })
  }

  async #create(): Promise<void> {
    if (this.#logs.size > 6) return
    const name = `log-${this.#below(9)}`
    if (this.#logs.has(name)) return
    const limits = this.#pick<LogLimits>([
      {},
      {},
      { maxRecords: 15 },
      { maxRecordsPerKey: 2 },
      { maxRecordsPerKey: 1 },
      { maxBytes: 1_500 },
    ])
    const settings: LogSettings = {
      durability: this.#pick(['fsync', 'fsync', 'fsync', 'os', 'memory']),
      limits,
      segmentBytes: 700,
    }
    const model = new ModelLog(name, settings)
    this.#logs.set(name, model)
    try {
      const created = await this.#until(this.#store.create(name, settings))
      if (created === 'halted') return
      model.isCreated = true
      this.#listen(model, created.value)
    } catch (error) {
      this.#logs.delete(name)
      if (!FanfareError.is(error) || error.code === 'INTERNAL') throw error
      // It may be there after all when it could not be said.
      if (error.code !== 'DISK_FULL') this.#logs.set(name, model)
    }
  }

  #listen(model: ModelLog, log: Log): void {
    log.listen({
      committed: (through) => {
        model.highestTold = Math.max(model.highestTold, through)
        for (const record of model.records) {
          if (record.sequence <= through && record.fate === 'unknown') record.fate = 'committed'
        }
      },
      failed: (from, error) => {
        for (const record of model.records) {
          if (record.sequence < from || record.fate !== 'unknown') continue
          if (error.code === 'DISK_FULL') record.fate = 'gone'
        }
      },
    })
  }

  #drop(): void {
    const logs = this.#liveLogs()
    if (logs.length < 3) return
    const model = this.#pick(logs)
    model.dropAsked = true
    this.#store.drop(this.#store.logs.get(model.name)!).then(
      () => {
        model.isDropped = true
        if (this.#logs.get(model.name) === model) this.#logs.delete(model.name)
        this.#logs.set(`dropped-${this.#nextId++}`, model)
      },
      () => undefined,
    )
  }

  async #flush(): Promise<void> {
    await this.#until(this.#store.flush())
  }

  async #readSome(): Promise<void> {
    const logs = this.#liveLogs()
    if (logs.length === 0) return
    const model = this.#pick(logs)
    try {
      await this.#check(model, this.#store.logs.get(model.name)!, false)
    } catch (error) {
      if (!FanfareError.is(error) || error.code !== 'DISK_FAILED') throw error
    }
  }

  /** Reads a log and holds it against the model. `isNew`: the store was opened anew, which decides what is open. */
  async #check(model: ModelLog, log: Log, isNew: boolean): Promise<void> {
    const found = new Map<number, string>()
    const before = model.records.map((record) => ({ ...record }))
    const cursor = log.cursor(1)
    let last = 0
    for (;;) {
      const step = cursor.next()
      if (step === 'end') break
      if (step === 'wait') {
        if ((await this.#until(cursor.loaded())) === 'halted') return
        continue
      }
      const record = describeRecord(cursor)
      if (record.sequence <= last) throw new Error(`${model.name}: out of order`)
      last = record.sequence
      found.set(record.sequence, record.body)
    }
    cursor.close()
    for (const [sequence, body] of found) {
      const record = model.records.find((each) => each.sequence === sequence)
      if (record?.body !== body || record.fate === 'gone') {
        throw new Error(`${model.name}: ${sequence} ${body.slice(0, 20)} was never accepted`)
      }
      if (record.removal === 'durable') throw new Error(`${model.name}: ${sequence} came back`)
      if (
        !isNew &&
        record.removal !== 'none' &&
        before.some((b) => b.sequence === sequence && b.removal !== 'none')
      ) {
        throw new Error(`${model.name}: ${sequence} is shown though removed`)
      }
    }
    for (const record of before) {
      if (record.fate !== 'committed' || record.removal !== 'none' || found.has(record.sequence))
        continue
      if (!this.#mayBeMissing(model, record, isNew)) {
        throw new Error(
          `${model.name}: committed ${record.sequence} of ${log.state.lastSequence} is lost`,
        )
      }
    }
    if (!isNew) return
    if (log.state.lastSequence < model.highestTold) throw new Error(`${model.name}: went back`)
    model.records = model.records.filter(({ sequence }) => found.has(sequence))
    for (const record of model.records) {
      record.fate = 'committed'
      record.removal = 'none'
    }
  }

  #mayBeMissing(model: ModelLog, record: Accepted, isNew: boolean): boolean {
    const { durability, limits = {} } = model.settings
    if (isNew && (durability === 'memory' || (durability === 'os' && this.#wasPowerLost)))
      return true
    const newer = model.records.filter(
      ({ sequence, fate }) => sequence > record.sequence && fate !== 'gone',
    )
    if (limits.maxRecords !== undefined && newer.length >= limits.maxRecords) return true
    if (limits.maxBytes !== undefined) {
      const bytes = newer.reduce((sum, { key, body }) => sum + 20 + key.length + body.length, 0)
      if (bytes + 20 + record.key.length + record.body.length > limits.maxBytes) return true
    }
    const ofKey = newer.filter(({ key }) => key === record.key)
    return limits.maxRecordsPerKey !== undefined && ofKey.length >= limits.maxRecordsPerKey
  }

  async #audit(): Promise<void> {
    for (const finding of this.#store.findings) {
      if (finding.kind === 'damaged-block') {
        throw new Error(`damage found where there is none: ${JSON.stringify(finding)}`)
      }
    }
    const notes = this.#auditOwners()
    const shown = await this.#auditUnits(notes)
    if (!shown) return
    for (const [name, model] of [...this.#logs]) await this.#auditLog(name, model)
    for (const name of this.#store.logs.keys()) {
      if (!this.#logs.has(name)) throw new Error(`${name} was never created`)
    }
    this.#hadFaults = false
  }

  async #auditLog(name: string, model: ModelLog): Promise<void> {
    const log = this.#store.logs.get(model.name)
    if (model.isDropped) {
      this.#logs.delete(name)
      return
    }
    if (log === undefined) {
      if (model.isCreated && !model.dropAsked) throw new Error(`${name} is lost`)
      this.#logs.delete(name)
      return
    }
    model.isCreated = true
    model.dropAsked = false
    this.#listen(model, log)
    await this.#check(model, log, true)
    model.highestTold = Math.max(model.highestTold, ...model.records.map((r) => r.sequence), 0)
    await this.#auditKeys(model, log)
  }

  async #auditKeys(model: ModelLog, log: Log): Promise<void> {
    if ((await this.#until(log.settled())) === 'halted' || this.#hadFaults) return
    const cursor = log.cursor(1)
    const expected = new Map<string, [number, number, number]>()
    let count = 0
    for (;;) {
      const step = cursor.next()
      if (step === 'end') break
      if (step === 'wait') {
        if ((await this.#until(cursor.loaded())) === 'halted') return
        continue
      }
      const { key, sequence } = describeRecord(cursor)
      const state = expected.get(key)
      expected.set(key, [(state?.[0] ?? 0) + 1, state?.[1] ?? sequence, sequence])
      count += 1
    }
    if (count !== log.state.records) {
      throw new Error(`${model.name}: ${log.state.records} records counted, ${count} there`)
    }
    const found = keysOf(log)
    for (const [key, [records, first, last]] of expected) {
      const state = found.get(key)
      if (
        state?.count !== records ||
        state.firstSequence !== first ||
        state.lastSequence !== last
      ) {
        throw new Error(
          `${model.name}: ${key} is ${JSON.stringify(state)}, not ${[records, first, last].join()}`,
        )
      }
    }
    if (found.size !== expected.size) throw new Error(`${model.name}: keys without records`)
    const max = model.settings.limits?.maxRecords ?? Infinity
    if (count > max) throw new Error(`${model.name}: more than its limit`)
  }

  /** Which notes are there: those answered as safe, in order, and nothing after one that is missing. */
  #auditOwners(): Set<number> {
    const all = new Set<number>()
    for (const [name, owner] of [...this.#owners]) {
      const recovered = this.#store.recovered.get(name)
      const ids =
        recovered === undefined ? [] : [recovered.snapshot, ...recovered.notes].flatMap(toIds)
      const asked = owner.notes.filter(({ fate }) => fate !== 'gone')
      for (const { id, unit } of asked) {
        if (unit !== 0) this.#notesOfUnits.set(unit, [...(this.#notesOfUnits.get(unit) ?? []), id])
      }
      let at = 0
      for (const id of ids) {
        // A whole state that was written anew may be followed by notes that it has.
        if (all.has(id)) continue
        all.add(id)
        const index = asked.findIndex((note, i) => i >= at && note.id === id)
        if (index < 0) throw new Error(`${name}: note ${id} is out of place in ${ids.join()}`)
        if (index > at && !this.#hadFaults)
          throw new Error(`${name}: note ${asked[at]!.id} is missing`)
        at = index + 1
      }
      for (const note of asked) {
        const isSafe = note.fate === 'committed' && (note.level === 'fsync' || !this.#wasPowerLost)
        if (isSafe && !all.has(note.id)) throw new Error(`${name}: note ${note.id} is lost`)
      }
      owner.notes = owner.notes.filter(({ id }) => all.has(id))
      for (const note of owner.notes) note.fate = 'committed'
      owner.isAdopted = false
      if (recovered === undefined) this.#owners.delete(name)
    }
    return all
  }

  /** All of a unit is there, or none. Records that may have been removed say nothing. */
  async #auditUnits(notes: ReadonlySet<number>): Promise<boolean> {
    const parts = new Map<number, { there: number; missing: number }>()
    const count = (unit: number, isThere: boolean): void => {
      if (unit === 0) return
      const part = parts.get(unit) ?? { there: 0, missing: 0 }
      if (isThere) part.there += 1
      else part.missing += 1
      parts.set(unit, part)
    }
    for (const [unit, ids] of this.#notesOfUnits) for (const id of ids) count(unit, notes.has(id))
    for (const model of this.#logs.values()) {
      const log = this.#store.logs.get(model.name)
      if (log === undefined || model.isDropped || model.dropAsked) continue
      for (const record of model.records) {
        if (record.unit === 0 || record.removal !== 'none' || record.fate === 'gone') continue
        const read = await this.#until(log.read(record.sequence))
        if (read === 'halted') return false
        const isThere = read.value !== undefined
        if (!isThere && this.#mayBeRemovedByLimits(model, record)) continue
        count(record.unit, isThere)
      }
    }
    for (const [unit, { there, missing }] of parts) {
      if (there > 0 && missing > 0) throw new Error(`unit ${unit}: half of it is there`)
    }
    this.#notesOfUnits.clear()
    return true
  }

  #mayBeRemovedByLimits(model: ModelLog, record: Accepted): boolean {
    return this.#mayBeMissing(
      { ...model, settings: { ...model.settings, durability: 'fsync' } },
      record,
      false,
    )
  }
}

function toIds(bytes: Uint8Array): number[] {
  return [...new Uint32Array(bytes.slice().buffer)]
}
