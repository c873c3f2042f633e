// A file of the FaultDisk: what a reader sees, what a loss of power could not take away, and what was written between.
import type { Random } from '../random.js'

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512

/** A change of a file that no sync has covered yet. */
interface FileChange {
  readonly kind: 'write' | 'truncate'
  /** Where it begins, or the new length. */
  readonly position: number
  bytes: Uint8Array
  /** Whether readers see it; a write under way is not seen yet. */
  isApplied: boolean
}

/** Bytes that grow by doubling. */
class GrowingBytes {
  #bytes = new Uint8Array(0)
  length = 0

  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  write(source: Uint8Array, position: number): void {
    if (source.length === 0) return
    if (position + source.length > this.length) this.setLength(position + source.length)
    this.#bytes.set(source, position)
  }

  setLength(length: number): void {
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2, SECTOR_BYTES))
      grown.set(this.view())
      this.#bytes = grown
    }
    if (length < this.length) this.#bytes.fill(0, length, this.length)
    this.length = length
  }
}

export class FaultFile {
  readonly #seen = new GrowingBytes()
  readonly #synced = new GrowingBytes()
  #pending: FileChange[] = []

  /** A file that holds `bytes`, all of it synced. */
  static of(bytes: Uint8Array): FaultFile {
    const file = new FaultFile()
    file.replace(bytes)
    return file
  }

  get length(): number {
    return this.#seen.length
  }

  /** What readers see; valid until the next change. */
  view(): Uint8Array {
    return this.#seen.view()
  }

  /** Puts other bytes in place, as if they had always been there. */
  replace(bytes: Uint8Array): void {
    this.#pending = []
    for (const content of [this.#seen, this.#synced]) {
      content.setLength(0)
      content.write(bytes, 0)
    }
  }

  /** A write begins: from now on a crash may have done any part of it. */
  begin(bytes: Uint8Array, position: number): FileChange {
    const change: FileChange = { kind: 'write', position, bytes, isApplied: false }
    this.#pending.push(change)
    return change
  }

  /** The write has reached the page cache, or its first `count` bytes have and it failed. */
  apply(change: FileChange, count = change.bytes.length): void {
    change.bytes = change.bytes.subarray(0, count)
    change.isApplied = true
    perform(change, this.#seen)
  }

  truncate(length: number): void {
    const bytes = new Uint8Array(0)
    const change: FileChange = { kind: 'truncate', position: length, bytes, isApplied: true }
    this.#pending.push(change)
    perform(change, this.#seen)
  }

  /** What a sync that begins now has to cover. */
  unsynced(): ReadonlySet<FileChange> {
    return new Set(this.#pending.filter((change) => change.isApplied))
  }

  /** A sync has succeeded. */
  sync(covered: ReadonlySet<FileChange>): void {
    for (const change of this.#takePending(covered)) perform(change, this.#synced)
  }

  /** A sync has failed: any part of what it had to cover is on the disk, and no later sync writes the rest. */
  loseUnsynced(covered: ReadonlySet<FileChange>, random: Random): void {
    for (const change of this.#takePending(covered)) performPartly(change, this.#synced, random)
  }

  /** The process ends: the page cache stays, and of writes under way any first part. */
  cutWritesUnderWay(random: Random): void {
    for (const change of this.#pending.filter(({ isApplied }) => !isApplied)) {
      this.apply(change, random.nextUint32() % (change.bytes.length + 1))
    }
  }

  /** What is found after a loss of power. */
  afterPowerLoss(random: Random): FaultFile {
    // The length is kept elsewhere than the bytes: it may be on the disk although they are not, which then read as zeros.
    let ends = [0]
    for (const change of this.#pending) {
      performPartly(change, this.#synced, random)
      if (change.kind === 'write') ends.push(change.position + change.bytes.length)
      else if (this.#synced.length <= change.position) ends = [0]
    }
    const end = ends[random.nextUint32() % ends.length]!
    if (end > this.#synced.length) this.#synced.setLength(end)
    return FaultFile.of(this.#synced.view())
  }

  #takePending(covered: ReadonlySet<FileChange>): FileChange[] {
    const taken = this.#pending.filter((change) => covered.has(change))
    this.#pending = this.#pending.filter((change) => !covered.has(change))
    return taken
  }
}

function perform(change: FileChange, content: GrowingBytes): void {
  if (change.kind === 'truncate') content.setLength(change.position)
  else content.write(change.bytes, change.position)
}

/** Does all of it, nothing of it, or any of its sectors. */
function performPartly(change: FileChange, content: GrowingBytes, random: Random): void {
  const fate = random.nextUint32() % 3
  if (fate === 0) return
  if (fate === 1 || change.kind === 'truncate') return perform(change, content)
  const end = change.position + change.bytes.length
  for (let at = change.position; at < end;) {
    const sectorEnd = Math.min(end, (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES)
    if (random.nextUint32() & 1) {
      content.write(change.bytes.subarray(at - change.position, sectorEnd - change.position), at)
    }
    at = sectorEnd
  }
}
