// A disk in memory that does, from a seed, what disks and machines do: it loses what was not synced, tears writes, fails and
// fills up. Where it has to wait it waits for the microtask queue only, so the same seed gives the same run.
//
//   const disk = new FaultDisk({ random: new SeededRandom(7) })
//   disk.haltAt(120)              // stands still in the middle of the 120th call from now, as the program then does
//   …                             // run until disk.isHalted
//   const found = disk.crash()    // the disk that the next start finds; `disk` itself never answers again
//
// Without faults it is the plain memory disk of tests.
import { crc32 } from './crc32.js'
import type { Disk, DiskFile, OpenMode } from '../disk.js'
import { diskFailure } from '../disk/disk-failure.js'
import { checkDiskDirectory, checkDiskPath } from '../disk/disk-path.js'
import { assert, FanfareError } from '../errors.js'
import { FaultFile } from './fault-file.js'
import { FaultDirectory, FaultTree } from './fault-tree.js'
import { SeededRandom, type Random } from '../random.js'

export type DiskOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'size'
  | 'close'
  | 'list'
  | 'exists'
  | 'makeDirectory'
  | 'remove'
  | 'removeDirectory'
  | 'rename'
  | 'syncDirectory'
  | 'freeBytes'

export interface FaultDiskOptions {
  /** What decides about every fate; default seeded with 1. */
  readonly random?: Random
  /** Bytes that all files together may hold; default unlimited. */
  readonly capacityBytes?: number
}

/** One failure to come. */
interface Fault {
  readonly operation: DiskOperation
  readonly path: string
  remaining: number
}

/** What the disk was asked to do since it was made. */
export interface DiskCounters {
  /** All calls. */
  calls: number
  writes: number
  bytesWritten: number
  reads: number
  bytesRead: number
  /** Syncs of files. */
  syncs: number
  directorySyncs: number
}

export class FaultDisk implements Disk {
  readonly counters: DiskCounters = {
    calls: 0,
    writes: 0,
    bytesWritten: 0,
    reads: 0,
    bytesRead: 0,
    syncs: 0,
    directorySyncs: 0,
  }
  /** Bytes that all files together may hold; what goes beyond is DISK_FULL. May be changed at any time. */
  capacityBytes: number
  /** Files that are open now. */
  openFiles = 0
  readonly #random: Random
  readonly #tree: FaultTree
  /** What calls of a machine that stands still wait for: its own, so that who waits is forgotten with it. */
  readonly #never = new Promise<never>(() => {})
  #faults: Fault[] = []
  #callsUntilHalt = Infinity
  #isHalted = false
  /** What open files need of the disk. */
  readonly #access: FaultDiskAccess = {
    isHalted: () => this.#isHalted,
    never: this.#never,
    run: (operation, path, effect, failed) => this.#run(operation, path, effect, failed),
    roomBytes: () => this.#roomBytes(),
    counters: this.counters,
    random: () => this.#random,
    closed: () => (this.openFiles -= 1),
  }

  constructor(options: FaultDiskOptions = {}, tree = new FaultTree()) {
    this.#random = options.random ?? new SeededRandom(1)
    this.capacityBytes = options.capacityBytes ?? Infinity
    this.#tree = tree
  }

  /** Whether the disk stands still: no call that is under way, or comes, is ever answered. */
  get isHalted(): boolean {
    return this.#isHalted
  }

  /** Bytes that all files hold. */
  get usedBytes(): number {
    let bytes = 0
    for (const [, file] of this.#tree.files()) bytes += file.length
    return bytes
  }

  /** Stands still within the `call`-th call from now (1: the next), which may have been done or not, or in part. */
  haltAt(call: number): void {
    this.#callsUntilHalt = call
  }

  /** Stands still now, whatever is under way. */
  halt(): void {
    this.#isHalted = true
  }

  /**
   * Lets the `call`-th such call from now (1: the next) fail with DISK_FAILED; with a `path`, of those on that file or
   * directory or below it. A failed write may have written a first part. After a failed sync what it had to cover is
   * lost, silently, as on Linux: readers see it until the machine stops, later syncs succeed without it.
   */
  failAt(operation: DiskOperation, call = 1, path = ''): void {
    this.#faults.push({ operation, path, remaining: call })
  }

  /** Forgets the failures that have not happened yet. */
  forgetFaults(): void {
    this.#faults = []
  }

  /** Turns over one bit of a file at rest. */
  flipBit(path: string, bit: number): void {
    const bytes = this.contents(path)
    bytes[bit >>> 3]! ^= 1 << (bit & 7)
    this.replaceContents(path, bytes)
  }

  /** A copy of what a reader of the file would see. */
  contents(path: string): Uint8Array {
    return this.#existingFile(path).view().slice()
  }

  /** Puts other bytes in an existing file, as if they had always been there. */
  replaceContents(path: string, bytes: Uint8Array): void {
    this.#existingFile(path).replace(bytes)
  }

  /** The paths of all files, sorted. */
  paths(): string[] {
    return [...this.#tree.files()].map(([path]) => path)
  }

  /** Another disk that holds the same, all of it synced; this one goes on. */
  copy(): FaultDisk {
    return this.#successor(this.#tree.copy())
  }

  /**
   * Loss of power: the disk as it is found. Each write and each change of a directory that no sync covers is kept or
   * not, a write also torn at sectors of 512 bytes. This disk never answers again.
   */
  crash(): FaultDisk {
    this.halt()
    return this.#successor(this.#tree.afterPowerLoss(this.#random))
  }

  /**
   * The process is killed, the machine runs on: all is found as it was written, still unsynced where it was; a write under way
   * is cut at any byte. This disk never answers again.
   */
  kill(): FaultDisk {
    this.halt()
    for (const [, file] of this.#tree.files()) file.cutWritesUnderWay(this.#random)
    return this.#successor(this.#tree)
  }

  #successor(tree: FaultTree): FaultDisk {
    return new FaultDisk({ random: this.#random, capacityBytes: this.capacityBytes }, tree)
  }

  async open(path: string, mode: OpenMode): Promise<DiskFile> {
    checkDiskPath(path)
    return this.#run('open', path, () => {
      const found = this.#tree.find(path)
      if (found instanceof FaultDirectory) throw failure('open', path, 'is a directory')
      if (mode === 'create' && found !== undefined) throw failure('open', path, 'is there already')
      if (mode !== 'create' && found === undefined) throw failure('open', path, 'is not there')
      const file = found ?? this.#createFile(path)
      this.openFiles += 1
      return new OpenFaultFile(this.#access, path, file, mode !== 'read')
    })
  }

  #createFile(path: string): FaultFile {
    const place = this.#tree.placeOf(path)
    if (place === undefined) throw failure('open', path, 'has no directory')
    const file = new FaultFile()
    this.#tree.create(place, file)
    return file
  }

  list(directory: string): Promise<string[]> {
    return this.#run('list', directory, () => {
      const found = this.#tree.find(directory)
      if (found instanceof FaultFile) throw failure('list', directory, 'is a file')
      return found === undefined ? [] : [...found.seen.keys()].sort()
    })
  }

  exists(path: string): Promise<boolean> {
    return this.#run('exists', path, () => this.#tree.find(path) !== undefined)
  }

  makeDirectory(directory: string): Promise<void> {
    return this.#run('makeDirectory', directory, () => {
      const parts = directory === '' ? [] : directory.split('/')
      for (let count = 1; count <= parts.length; count++) {
        const path = parts.slice(0, count).join('/')
        const found = this.#tree.find(path)
        if (found instanceof FaultFile) throw failure('makeDirectory', path, 'is a file')
        if (found === undefined) this.#tree.create(this.#tree.placeOf(path)!, new FaultDirectory())
      }
    })
  }

  async remove(path: string): Promise<void> {
    checkDiskPath(path)
    return this.#run('remove', path, () => {
      const found = this.#tree.find(path)
      if (found instanceof FaultDirectory) throw failure('remove', path, 'is a directory')
      if (found !== undefined) this.#tree.remove(this.#tree.placeOf(path)!)
    })
  }

  async removeDirectory(directory: string): Promise<void> {
    checkDiskPath(directory)
    return this.#run('removeDirectory', directory, () => {
      const found = this.#tree.find(directory)
      if (found === undefined) return
      if (found instanceof FaultFile) throw failure('removeDirectory', directory, 'is a file')
      if (found.seen.size > 0) throw failure('removeDirectory', directory, 'is not empty')
      this.#tree.remove(this.#tree.placeOf(directory)!)
    })
  }

  async rename(from: string, to: string): Promise<void> {
    checkDiskPath(from)
    checkDiskPath(to)
    return this.#run('rename', from, () => {
      const entry = this.#tree.find(from)
      const target = this.#tree.placeOf(to)
      if (entry === undefined) throw failure('rename', from, 'is not there')
      if (target === undefined) throw failure('rename', to, 'has no directory')
      const replaced = this.#tree.find(to)
      if (replaced === entry) return
      if (replaced instanceof FaultDirectory) throw failure('rename', to, 'is a directory')
      if (replaced !== undefined && entry instanceof FaultDirectory) {
        throw failure('rename', to, 'is a file')
      }
      if (`${to}/`.startsWith(`${from}/`)) throw failure('rename', to, 'lies within it')
      this.#tree.rename(this.#tree.placeOf(from)!, target)
    })
  }

  syncDirectory(directory: string): Promise<void> {
    return this.#run('syncDirectory', directory, () => {
      const found = this.#tree.find(directory)
      if (!(found instanceof FaultDirectory)) {
        throw failure('syncDirectory', directory, 'is no directory')
      }
      this.#tree.syncDirectory(found)
      this.counters.directorySyncs += 1
    })
  }

  freeBytes(): Promise<number | undefined> {
    return this.#run('freeBytes', '', () => {
      return this.capacityBytes === Infinity ? undefined : Math.max(0, this.#roomBytes())
    })
  }

  checksum(bytes: Uint8Array, from: number, to: number, seed?: number): number {
    return crc32(bytes, from, to, seed)
  }

  #roomBytes(): number {
    return this.capacityBytes === Infinity ? Infinity : this.capacityBytes - this.usedBytes
  }

  #existingFile(path: string): FaultFile {
    const found = this.#tree.find(path)
    assert(found instanceof FaultFile, `'${path}' is a file of this disk`)
    return found
  }

  /** One call: takes a moment, has its effect, or fails, or is cut off by the machine, and takes another moment. */
  async #run<T>(
    operation: DiskOperation,
    path: string,
    effect: () => T,
    failed?: () => void,
  ): Promise<T> {
    checkDiskDirectory(path)
    if (this.#isHalted) return this.#never
    const isLast = this.#countCall()
    const isFailing = this.#takeFault(operation, path)
    await this.#moment()
    if (isLast) this.#haltWithin(isFailing ? undefined : effect)
    if (this.#isHalted) return this.#never
    if (isFailing) {
      failed?.()
      throw failure(operation, path, 'input/output error')
    }
    const result = effect()
    await this.#moment()
    return this.#isHalted ? this.#never : result
  }

  /** Stands still before or after the call has had its effect; nobody learns how it ended. */
  #haltWithin(effect: (() => unknown) | undefined): void {
    try {
      if (this.#flipCoin()) effect?.()
    } catch (error) {
      if (!FanfareError.is(error) || error.code === 'INTERNAL') throw error
    }
    this.halt()
  }

  /** Whether this is the call to stand still at. */
  #countCall(): boolean {
    this.counters.calls += 1
    this.#callsUntilHalt -= 1
    return this.#callsUntilHalt === 0
  }

  #takeFault(operation: DiskOperation, path: string): boolean {
    const concerned = this.#faults.filter(
      (fault) =>
        fault.operation === operation &&
        (fault.path === '' || `${path}/`.startsWith(`${fault.path}/`)),
    )
    for (const fault of concerned) fault.remaining -= 1
    this.#faults = this.#faults.filter(({ remaining }) => remaining > 0)
    return concerned.some(({ remaining }) => remaining === 0)
  }

  async #moment(): Promise<void> {
    await Promise.resolve()
    if (this.#flipCoin()) await Promise.resolve()
  }

  #flipCoin(): boolean {
    return (this.#random.nextUint32() & 1) === 1
  }
}

interface FaultDiskAccess {
  isHalted(): boolean
  readonly never: Promise<never>
  run<T>(operation: DiskOperation, path: string, effect: () => T, failed?: () => void): Promise<T>
  roomBytes(): number
  readonly counters: DiskCounters
  random(): Random
  closed(): void
}

class OpenFaultFile implements DiskFile {
  readonly #disk: FaultDiskAccess
  readonly #path: string
  readonly #file: FaultFile
  readonly #isWritable: boolean
  #isClosed = false

  constructor(disk: FaultDiskAccess, path: string, file: FaultFile, isWritable: boolean) {
    this.#disk = disk
    this.#path = path
    this.#file = file
    this.#isWritable = isWritable
  }

  async read(bytes: Uint8Array, from: number, to: number, position: number): Promise<number> {
    this.#checkOpen()
    return this.#disk.run('read', this.#path, () => {
      const found = this.#file.view().subarray(position, position + to - from)
      bytes.set(found, from)
      this.#disk.counters.reads += 1
      this.#disk.counters.bytesRead += found.length
      return found.length
    })
  }

  async write(bytes: Uint8Array, from: number, to: number, position: number): Promise<void> {
    this.#checkWritable('write')
    // A program that was killed writes nothing more, however long its promises live on.
    if (this.#disk.isHalted()) return this.#disk.never
    const change = this.#file.begin(bytes.slice(from, to), position)
    const { counters } = this.#disk
    const perform = (): void => {
      assert(isAt(change.bytes, bytes, from), 'bytes that are being written do not change')
      const growth = Math.max(0, position + to - from - this.#file.length)
      const missing = Math.max(0, growth - this.#disk.roomBytes())
      const fitting = Math.max(0, to - from - missing)
      if (missing > 0) {
        this.#writePart(change, fitting)
        throw fullDisk(this.#path)
      }
      this.#file.apply(change)
      counters.writes += 1
      counters.bytesWritten += to - from
    }
    await this.#disk.run('write', this.#path, perform, () => this.#writePart(change, to - from))
  }

  /** Any first part of a write, up to `most` bytes of it. */
  #writePart(change: Parameters<FaultFile['apply']>[0], most: number): void {
    this.#file.apply(change, this.#disk.random().nextUint32() % (most + 1))
  }

  /** Any part of it may be done when it is interrupted; what was written before is as unsafe as ever. */
  async writeDurably(pieces: readonly Uint8Array[], position: number): Promise<void> {
    this.#checkWritable('write')
    const before = this.#file.unsynced()
    let at = position
    for (const piece of pieces) {
      await this.write(piece, 0, piece.length, at)
      at += piece.length
    }
    await this.#sync(new Set([...this.#file.unsynced()].filter((change) => !before.has(change))))
  }

  async sync(): Promise<void> {
    this.#checkOpen()
    await this.#sync(this.#file.unsynced())
  }

  async #sync(covered: ReturnType<FaultFile['unsynced']>): Promise<void> {
    const perform = (): void => {
      this.#file.sync(covered)
      this.#disk.counters.syncs += 1
    }
    await this.#disk.run('sync', this.#path, perform, () =>
      this.#file.loseUnsynced(covered, this.#disk.random()),
    )
  }

  async truncate(length: number): Promise<void> {
    this.#checkWritable('truncate')
    await this.#disk.run('truncate', this.#path, () => this.#file.truncate(length))
  }

  async size(): Promise<number> {
    this.#checkOpen()
    return this.#disk.run('size', this.#path, () => this.#file.length)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#disk.run('close', this.#path, () => this.#disk.closed())
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new FanfareError('CLOSED', `the file '${this.#path}' is closed`)
  }

  #checkWritable(operation: string): void {
    this.#checkOpen()
    if (!this.#isWritable) throw failure(operation, this.#path, 'is open for reading only')
  }
}

function isAt(part: Uint8Array, bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < part.length; i++) if (part[i] !== bytes[from + i]) return false
  return true
}

function failure(operation: string, path: string, reason: string): FanfareError {
  return diskFailure(operation, path, new Error(reason))
}

function fullDisk(path: string): FanfareError {
  return diskFailure('write', path, Object.assign(new Error('no space left'), { code: 'ENOSPC' }))
}
