// A segment in a file: where its blocks lie, which of them are in memory still, what is written and what is safe.
//
// A block is *placed* (it has its position, and its header says what came before it), then *committed* by a sync of this file
// or of the journal, and *written* here before or after that.
import type { DiskFile, FanfareError } from '../base/index.js'
import { type Block, claimedLength, readBlock } from './block.js'
import type { BlockCache, CachedBlocks } from './block-cache.js'
import { encodeFileHeader, failedSync, isDiskFull, readRange } from './file-header.js'
import type { FilePool } from './file-pool.js'
import { firstIndex, READ_BYTES, Segment, type LoadedBlocks, type ReadTerms } from './segment.js'
import { scanSegment, type ByteRange } from './segment-scan.js'

/** One entry of the sparse index for so many bytes. */
const INDEX_STEP_BYTES = 131_072

const NUMBER_DIGITS = 16

export function segmentFileName(firstSequence: number): string {
  return `${String(firstSequence).padStart(NUMBER_DIGITS, '0')}.segment`
}

/** The first number in a segment's file name, or 0. */
export function segmentFileNumber(name: string): number {
  return /^\d{16}\.segment$/.test(name) ? Number(name.slice(0, NUMBER_DIGITS)) : 0
}

/** Where the index of the segment lies that begins with this number. */
export function segmentIndexName(firstSequence: number): string {
  return segmentFileName(firstSequence).replace(/segment$/, 'index')
}

/** What a segment needs of its store. */
export interface SegmentHome {
  readonly pool: FilePool
  readonly cache: BlockCache
  /** Damage met while reading; the numbers in between are lost. */
  damaged(segment: FileSegment, range: ByteRange, fromSequence: number, toSequence: number): void
}

/** A sealed or clean segment, but for its removed numbers. */
export interface SegmentDescription {
  readonly firstSequence: number
  readonly nextSequence: number
  readonly placedNext: number
  readonly records: number
  readonly bytes: number
  readonly storedBytes: number
  readonly firstTimeMs: number
  readonly lastTimeMs: number
  readonly length: number
  readonly headerLength: number
  readonly chain: number
  /** Numbers, positions and times of the sparse index. */
  readonly index: readonly [readonly number[], readonly number[], readonly number[]]
}

export interface SegmentMark {
  readonly length: number
  readonly chain: number
  readonly placedNext: number
}

export class FileSegment extends Segment implements CachedBlocks {
  readonly logName: string
  readonly directory: string
  readonly path: string
  readonly incarnation: number
  readonly #home: SegmentHome
  readonly #description: object
  #header: Uint8Array
  #headerLength: number
  /** Length of the file once everything placed is written. */
  length: number
  /** One more than the last number placed. */
  placedNext: number
  #writtenLength = 0
  #syncedLength = 0
  #chain = 0
  #isNamed = false
  /** Placed blocks that are not in the file yet. */
  #unwritten: Block[] = []
  /** Committed blocks that are in memory: the last ones, without a gap. */
  #recent: Block[] = []
  #recentHead = 0
  /** The sparse index: number, position and time of every so many bytes' first block. */
  #indexNumbers: number[] = []
  #indexPositions: number[] = []
  #indexTimes: number[] = []
  isDropped = false
  #syncFailure: FanfareError | undefined
  /** Which file it is: another after each compaction. */
  #file = 0
  /** Set while compaction puts another file in place. */
  swapping: Promise<void> | undefined

  constructor(
    home: SegmentHome,
    logName: string,
    directory: string,
    incarnation: number,
    firstSequence: number,
    description: object,
  ) {
    super(firstSequence)
    this.#home = home
    this.logName = logName
    this.directory = directory
    this.path = `${directory}/${segmentFileName(firstSequence)}`
    this.incarnation = incarnation
    this.#description = description
    this.#header = encodeFileHeader(home.pool.disk, 's', description)
    this.#headerLength = this.#header.length
    this.length = this.#header.length
    this.placedNext = firstSequence
  }

  get indexPath(): string {
    return `${this.directory}/${segmentIndexName(this.firstSequence)}`
  }

  get isWritten(): boolean {
    return this.#unwritten.length === 0
  }

  get isSafe(): boolean {
    return this.#syncedLength === this.length && this.#isNamed
  }

  /** Whether it would be found, with records, after a loss of power. */
  get isFindable(): boolean {
    return this.#isNamed && this.#syncedLength > this.#headerLength
  }

  get hasFile(): boolean {
    return this.#writtenLength > 0
  }

  /** Gives a block its place behind the others. */
  place(block: Block, cycle: number): void {
    block.position = this.length
    this.#chain = block.stamp(this.#home.pool.disk, this.#chain, this.#syncedLength, cycle)
    this.length += block.length
    this.placedNext = block.lastSequence + 1
    this.#unwritten.push(block)
  }

  mark(): SegmentMark {
    return { length: this.length, chain: this.#chain, placedNext: this.placedNext }
  }

  /** Takes back what was placed since `mark`, in the file too. */
  async rollBack(mark: SegmentMark): Promise<void> {
    this.length = mark.length
    this.#chain = mark.chain
    this.placedNext = mark.placedNext
    this.#unwritten = this.#unwritten.filter((block) => block.position < mark.length)
    if (!this.hasFile) return
    this.#writtenLength = Math.min(this.#writtenLength, mark.length)
    await this.#home.pool.use(this.path, 'write', async (file) => {
      await file.truncate(this.#writtenLength)
      await file.sync()
    })
    this.#syncedLength = this.#writtenLength
  }

  /** Writes the placed blocks up to a number. */
  async write(throughSequence: number): Promise<void> {
    const isDue = (): boolean => {
      const first = this.#unwritten[0]
      return first !== undefined && first.lastSequence <= throughSequence
    }
    if (!isDue()) return
    if (!this.hasFile) await this.#create()
    await this.#home.pool.use(this.path, 'write', async (file) => {
      while (isDue()) await this.#writeRun(file, throughSequence)
    })
  }

  /** Writes all placed blocks and makes them safe, the file's name too. */
  async commit(): Promise<void> {
    if (this.isWritten) return
    if (!this.#isNamed || this.#syncedLength < this.#writtenLength) {
      await this.write(Infinity)
      await this.sync()
      return
    }
    if (this.#syncFailure !== undefined) throw this.#syncFailure
    const blocks = this.#unwritten
    const { length: count } = blocks
    const { runs, length } = gatherRuns(blocks)
    try {
      await this.#home.pool.use(this.path, 'durable', (file) =>
        file.writeDurably(runs, this.#writtenLength),
      )
    } catch (cause) {
      if (!isDiskFull(cause)) this.#syncFailure = failedSync(this.path, cause)
      throw this.#syncFailure ?? cause
    }
    this.#unwritten = blocks.slice(count)
    this.#writtenLength += length
    this.#syncedLength = this.#writtenLength
  }

  /** Makes what is written safe, the file's name too. */
  async sync(): Promise<void> {
    if (!this.hasFile) return
    if (this.#syncFailure !== undefined) throw this.#syncFailure
    const length = this.#writtenLength
    try {
      await this.#home.pool.use(this.path, 'write', (file) => file.sync())
    } catch (cause) {
      // The system may have dropped what it could not write, and a second sync would report success without it.
      this.#syncFailure = failedSync(this.path, cause)
      throw this.#syncFailure
    }
    if (!this.#isNamed) await this.#home.pool.disk.syncDirectory(this.directory)
    this.#isNamed = true
    this.#syncedLength = length
  }

  /** A placed block is committed: it can be found, and is kept in memory for a while. */
  committed(block: Block): void {
    this.index(block)
    this.#recent.push(block)
    this.#home.cache.added(this, block)
  }

  index(block: Block): void {
    const last = this.#indexPositions[this.#indexPositions.length - 1]
    if (last !== undefined && block.position - last < INDEX_STEP_BYTES) return
    this.#indexNumbers.push(block.firstSequence)
    this.#indexPositions.push(block.position)
    this.#indexTimes.push(block.baseTimeMs)
  }

  /** The file was found with these blocks and is safe as it is. */
  restore(blocks: readonly Block[], length: number): void {
    const last = blocks[blocks.length - 1]
    this.length = length
    this.#writtenLength = length
    this.#syncedLength = length
    this.#isNamed = true
    this.#chain = last?.checksum ?? 0
    this.placedNext = last === undefined ? this.firstSequence : last.lastSequence + 1
    this.#file += 1
    this.#indexNumbers = []
    this.#indexPositions = []
    this.#indexTimes = []
    this.#recent = []
    this.#recentHead = 0
    for (const block of blocks) this.index(block)
  }

  get header(): Uint8Array {
    return this.#header
  }

  /** The header of the file without its removed records: says how far its numbers go, as the last may be missing. */
  rewrittenHeader(): Uint8Array {
    const throughSequence = this.nextSequence - 1
    return encodeFileHeader(this.#home.pool.disk, 's', { ...this.#description, throughSequence })
  }

  /** The file turned out to begin with this. */
  adoptHeader(header: Uint8Array): void {
    this.#header = header
    this.#headerLength = header.length
  }

  /** What reopening needs to know of a segment that is safe, without reading it. */
  describe(): SegmentDescription {
    return {
      firstSequence: this.firstSequence,
      nextSequence: this.nextSequence,
      placedNext: this.placedNext,
      records: this.records,
      bytes: this.bytes,
      storedBytes: this.storedBytes,
      firstTimeMs: this.firstTimeMs,
      lastTimeMs: this.lastTimeMs,
      length: this.length,
      headerLength: this.#headerLength,
      chain: this.#chain,
      index: [this.#indexNumbers, this.#indexPositions, this.#indexTimes],
    }
  }

  /** The opposite of `describe`; which numbers were removed is told elsewhere. */
  restoreDescribed(described: SegmentDescription): void {
    this.#headerLength = described.headerLength
    this.restore([], described.length)
    this.nextSequence = described.nextSequence
    this.placedNext = described.placedNext
    this.records = described.records
    this.bytes = described.bytes
    this.storedBytes = described.storedBytes
    this.firstTimeMs = described.firstTimeMs
    this.lastTimeMs = described.lastTimeMs
    this.#chain = described.chain
    ;[this.#indexNumbers, this.#indexPositions, this.#indexTimes] = [
      [...described.index[0]],
      [...described.index[1]],
      [...described.index[2]],
    ]
  }

  evictOldest(): boolean {
    const oldest = this.#recent[this.#recentHead]
    if (oldest === undefined) return true
    if (oldest.position >= this.#writtenLength) return false
    this.#recentHead += 1
    if (this.#recentHead > 64 && this.#recentHead * 2 > this.#recent.length) {
      this.#recent = this.#recent.slice(this.#recentHead)
      this.#recentHead = 0
    } else if (this.#recentHead === this.#recent.length) {
      this.#recent = []
      this.#recentHead = 0
    }
    return true
  }

  override blockAt(sequence: number): Block | undefined | 'wait' {
    const oldest = this.#recent[this.#recentHead]
    if (oldest === undefined || sequence < oldest.firstSequence) {
      return sequence < this.nextSequence ? 'wait' : undefined
    }
    const last = this.#recent[this.#recent.length - 1]!
    if (last.lastSequence < sequence) return undefined
    if (last.firstSequence <= sequence) return last
    return this.#recent[
      Math.max(
        this.#recentHead,
        firstIndex(this.#recent, (block) => block.lastSequence >= sequence),
      )
    ]
  }

  override async load(
    sequence: number,
    terms: ReadTerms = { bytes: READ_BYTES },
  ): Promise<LoadedBlocks> {
    for (;;) {
      await this.swapping
      const file = this.#file
      const damage: (() => void)[] = []
      const loaded = await this.#loadFrom(sequence, terms, damage)
      // Positions of the one file say nothing about the other.
      if (file !== this.#file || this.swapping !== undefined) continue
      for (const report of damage) report()
      return loaded
    }
  }

  override numberBefore(timeMs: number): number {
    const index = firstIndex(this.#indexTimes, (time) => time >= timeMs)
    return this.#indexNumbers[Math.max(0, index - 1)] ?? this.firstSequence
  }

  async #loadFrom(
    sequence: number,
    { bytes, after, into }: ReadTerms,
    damage: (() => void)[],
  ): Promise<LoadedBlocks> {
    const nothing = { blocks: [], throughSequence: this.#writtenThrough }
    const from = after?.file === this.#file ? after.position : this.#positionBefore(sequence)
    const to = Math.min(from + bytes, this.#writtenLength)
    if (from >= to || this.isDropped) return nothing
    try {
      return await this.#home.pool.use(this.path, 'read', (file) =>
        this.#load(file, sequence, [from, to], into, damage),
      )
    } catch (error) {
      if (this.isDropped) return nothing
      throw error
    }
  }

  async #create(): Promise<void> {
    const { pool } = this.#home
    // A file of that name can only be what a refused write has left.
    pool.forget(this.path)
    await pool.disk.remove(this.path)
    const file = await pool.disk.open(this.path, 'create')
    try {
      await file.write(this.#header, 0, this.#header.length, 0)
    } finally {
      await file.close()
    }
    this.#writtenLength = this.#header.length
  }

  /** Writes the blocks in front that lie side by side in memory. */
  async #writeRun(file: DiskFile, throughSequence: number): Promise<void> {
    const blocks = this.#unwritten
    const first = blocks[0]!
    let count = 1
    let end = first.end
    for (;;) {
      const next = blocks[count]
      if (next === undefined || next.lastSequence > throughSequence) break
      if (next.bytes !== first.bytes || next.start !== end) break
      end = next.end
      count += 1
    }
    await file.write(first.bytes, first.start, end, first.position)
    this.#unwritten = blocks.slice(count)
    this.#writtenLength = first.position + end - first.start
  }

  /** The last number that the file holds, if it was not removed; those behind it are in memory. */
  get #writtenThrough(): number {
    return (this.#unwritten[0]?.firstSequence ?? this.nextSequence) - 1
  }

  /** Where to read from to find the first record from `sequence` on. */
  #positionBefore(sequence: number): number {
    const index = firstIndex(this.#indexNumbers, (number) => number > sequence)
    return this.#indexPositions[Math.max(0, index - 1)] ?? this.#headerLength
  }

  async #load(
    file: DiskFile,
    sequence: number,
    [from, to]: readonly [number, number],
    into: Uint8Array | undefined,
    damage: (() => void)[],
  ): Promise<LoadedBlocks> {
    const { disk } = this.#home.pool
    let position = from
    let end = to
    for (;;) {
      const bytes = await readRange(file, position, end, into)
      const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const blocks: Block[] = []
      let at = 0
      for (;;) {
        const block = readBlock(disk, bytes, words, at, bytes.length)
        if (block === undefined) break
        block.position = position + at
        at = block.end
        if (block.lastSequence >= sequence) blocks.push(block)
      }
      const isAtEnd = position + at >= this.#writtenLength
      const last = blocks[blocks.length - 1]
      if (last !== undefined) {
        const throughSequence = isAtEnd ? this.#writtenThrough : last.lastSequence
        const after = { file: this.#file, position: position + at }
        return { blocks, throughSequence, end: after, buffer: bytes }
      }
      if (isAtEnd) return { blocks, throughSequence: this.#writtenThrough }
      const wanted = Math.max(claimedLength(words, at, bytes.length), READ_BYTES)
      if (at === 0 && (wanted <= bytes.length || position + wanted > this.#writtenLength)) {
        return this.#loadAround(file, sequence, damage)
      }
      position += at
      end = Math.min(position + wanted, this.#writtenLength)
    }
  }

  /** A block cannot be read: reads the whole segment and goes on behind the damage. */
  async #loadAround(
    file: DiskFile,
    sequence: number,
    damage: (() => void)[],
  ): Promise<LoadedBlocks> {
    const length = this.#writtenLength
    const bytes = await readRange(file, 0, length)
    const { disk } = this.#home.pool
    const scan = scanSegment(disk, bytes, this.#headerLength, this.incarnation, length)
    for (const range of scan.damaged) damage.push(() => this.#report(range, scan.blocks))
    const blocks = scan.blocks.filter((block) => block.lastSequence >= sequence)
    return { blocks, throughSequence: this.#writtenThrough }
  }

  #report(range: ByteRange, blocks: readonly Block[]): void {
    const before = blocks.findLast((block) => block.position < range.from)
    const after = blocks.find((block) => block.position >= range.to)
    this.#home.damaged(
      this,
      range,
      before === undefined ? this.firstSequence : before.lastSequence + 1,
      (after?.firstSequence ?? this.nextSequence) - 1,
    )
  }
}

/** The bytes of blocks, in pieces that lie side by side in memory. */
function gatherRuns(blocks: readonly Block[]): {
  readonly runs: Uint8Array[]
  readonly length: number
} {
  const runs: Uint8Array[] = []
  let length = 0
  for (let i = 0; i < blocks.length;) {
    const { bytes, start } = blocks[i]!
    let { end } = blocks[i++]!
    while (i < blocks.length && blocks[i]!.bytes === bytes && blocks[i]!.start === end) {
      end = blocks[i++]!.end
    }
    runs.push(bytes.subarray(start, end))
    length += end - start
  }
  return { runs, length }
}
