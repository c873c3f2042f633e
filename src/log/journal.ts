// The journal of a directory: batches of entries, each with a checksum and the checksum of the one before. A batch is there as
// a whole or not at all, and that makes units atomic. All numbers are little endian.
//
//   0  u32  'FbJ1'
//   4  u32  length of the batch, this header included
//   8  u32  CRC-32 of everything after this field
//  12  u32  chain: the checksum of the batch before it; 0 for the first of the file
//  16  u64  number of the batch, one more than the one before, across files
//  24  u32  how many entries
//  28  u32  syncedTo: the length of the file that was known to be safe when this batch was written
//  32       entries
import { assert, FanfareError, type Disk, type DiskFile } from '../base/index.js'
import { readUint64, writeUint64 } from './block.js'
import { ByteWriter } from './byte-writer.js'
import {
  decodeFileHeader,
  encodeFileHeader,
  failedSync,
  isDiskFull,
  readRange,
} from './file-header.js'
import { EntryReader, EntryWriter } from './journal-entry.js'

export const JOURNAL_DIRECTORY = 'journal'

const BATCH_HEADER_BYTES = 32
const BATCH_MAGIC = 0x314a_6246

export function journalPath(number: number): string {
  return `${JOURNAL_DIRECTORY}/${String(number).padStart(10, '0')}.journal`
}

function temporaryPath(number: number): string {
  return `${journalPath(number)}.new`
}

/** The number in a journal's file name, or 0. */
export function journalNumber(name: string): number {
  return /^\d{10}\.journal$/.test(name) ? Number(name.slice(0, 10)) : 0
}

/** A journal that is being written. One call at a time. */
export class Journal {
  readonly number: number
  readonly #disk: Disk
  readonly #file: DiskFile
  /** The same file, for batches that are to be safe at once. */
  readonly #durable: DiskFile
  readonly #batch = new ByteWriter()
  #length: number
  #syncedLength = 0
  #chain = 0
  #batchNumber: number

  private constructor(
    disk: Disk,
    number: number,
    file: DiskFile,
    durable: DiskFile,
    length: number,
    batchNumber: number,
  ) {
    this.#disk = disk
    this.number = number
    this.#file = file
    this.#durable = durable
    this.#length = length
    this.#batchNumber = batchNumber
  }

  /**
   * Makes a journal that begins with the parts of a snapshot, safely, under a temporary name. Each part is a batch, so that damage
   * to one leaves the others; the last batch is written when those are safe, and says so.
   */
  static async prepare(
    disk: Disk,
    number: number,
    batchNumber: number,
    snapshot: readonly EntryWriter[],
    isClosed = false,
  ): Promise<Journal> {
    const temporary = temporaryPath(number)
    await disk.remove(temporary)
    const file = await disk.open(temporary, 'create')
    let durable: DiskFile | undefined
    try {
      durable = await disk.open(temporary, 'durable')
      const header = encodeFileHeader(disk, 'j', { number })
      await file.write(header, 0, header.length, 0)
      const journal = new Journal(disk, number, file, durable, header.length, batchNumber)
      for (const part of snapshot) if (part.count > 0) await journal.write(part)
      await journal.sync()
      const end = new EntryWriter()
      end.ready()
      if (isClosed) end.closed()
      await journal.write(end)
      await journal.sync()
      return journal
    } catch (error) {
      await file.close().catch(() => undefined)
      await durable?.close().catch(() => undefined)
      await disk.remove(temporary).catch(() => undefined)
      throw error
    }
  }

  /** Gives it its name: from now on it counts, and no older one does. When this fails, nobody knows which one does. */
  async publish(): Promise<void> {
    await this.#disk.rename(temporaryPath(this.number), journalPath(this.number))
    await this.#disk.syncDirectory(JOURNAL_DIRECTORY)
  }

  get length(): number {
    return this.#length
  }

  get nextBatchNumber(): number {
    return this.#batchNumber
  }

  /** Writes one batch; `sync` makes it safe. After a failure the file is as long as before, as far as we know. */
  async write(entries: EntryWriter): Promise<void> {
    const { bytes, length } = this.#encode(entries)
    await this.#file.write(bytes, 0, length, this.#length)
    this.#written(length)
  }

  /** Writes one batch and makes it safe, and with it what was only written. */
  async commit(entries: EntryWriter): Promise<void> {
    if (this.#syncedLength < this.#length) {
      await this.write(entries)
      await this.sync()
      return
    }
    const { bytes, length } = this.#encode(entries)
    try {
      await this.#durable.writeDurably([bytes.subarray(0, length)], this.#length)
    } catch (cause) {
      throw isDiskFull(cause) ? cause : failedSync(journalPath(this.number), cause)
    }
    this.#written(length)
    this.#syncedLength = this.#length
  }

  #encode(entries: EntryWriter): ByteWriter {
    const batch = this.#batch
    batch.clear()
    const start = batch.claim(BATCH_HEADER_BYTES)
    assert(start === 0, 'a batch begins at the beginning of its buffer')
    batch.raw(entries.bytes, 0, entries.length)
    const { words, length } = batch
    words.setUint32(0, BATCH_MAGIC, true)
    words.setUint32(4, length, true)
    words.setUint32(12, this.#chain, true)
    writeUint64(words, 16, this.#batchNumber)
    words.setUint32(24, entries.count, true)
    words.setUint32(28, this.#syncedLength, true)
    words.setUint32(8, this.#disk.checksum(batch.bytes, 12, length), true)
    return batch
  }

  #written(length: number): void {
    this.#length += length
    this.#chain = this.#batch.words.getUint32(8, true)
    this.#batchNumber += 1
  }

  async sync(): Promise<void> {
    const length = this.#length
    try {
      await this.#file.sync()
    } catch (cause) {
      throw failedSync(journalPath(this.number), cause)
    }
    this.#syncedLength = length
  }

  /** What to come back to when a batch turns out not to fit. */
  mark(): JournalMark {
    return { length: this.#length, chain: this.#chain, batchNumber: this.#batchNumber }
  }

  /** Takes back what was written since `mark`, durably. */
  async rollBack(mark: JournalMark): Promise<void> {
    this.#length = mark.length
    this.#chain = mark.chain
    this.#batchNumber = mark.batchNumber
    await this.#file.truncate(mark.length)
    await this.sync()
  }

  async close(): Promise<void> {
    await this.#durable.close()
    await this.#file.close()
  }
}

export interface JournalMark {
  readonly length: number
  readonly chain: number
  readonly batchNumber: number
}

export interface JournalBatch {
  readonly number: number
  /** Entries lie in `bytes[from, to)`. */
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
}

/** What a journal file holds, as far as it can be read. */
export interface JournalContent {
  readonly number: number
  readonly batches: readonly JournalBatch[]
  /** Ranges of bytes that were safe and are damaged. */
  readonly damaged: readonly { readonly from: number; readonly to: number }[]
  /** Where a torn tail begins, or the end of the file. */
  readonly end: number
  /** How much of it was known to be safe. */
  readonly safeTo: number
  readonly bytes: Uint8Array
}

/** Reads a whole journal; undefined when its header is damaged. Throws FORMAT_TOO_NEW. */
export async function readJournal(
  disk: Disk,
  number: number,
  path = journalPath(number),
): Promise<JournalContent | undefined> {
  const file = await disk.open(path, 'read')
  try {
    const bytes = await readRange(file, 0, await file.size())
    const header = decodeFileHeader(disk, 'j', bytes)
    if (header === undefined) return undefined
    return { number, bytes, ...findBatches(disk, bytes, header.length) }
  } finally {
    await file.close()
  }
}

function findBatches(
  disk: Disk,
  bytes: Uint8Array,
  from: number,
): Pick<JournalContent, 'batches' | 'damaged' | 'end' | 'safeTo'> {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const batches: JournalBatch[] = []
  const gaps: { from: number; to: number; batchCount: number }[] = []
  let safeTo = 0
  let at = from
  let chain: number | undefined = 0
  while (at < bytes.length) {
    const batch = readBatch(disk, bytes, words, at, chain)
    if (batch !== undefined) {
      batches.push(batch)
      safeTo = Math.max(safeTo, words.getUint32(at + 28, true))
      chain = words.getUint32(at + 8, true)
      at = batch.to
      continue
    }
    const next = findBatch(disk, bytes, words, at + 1)
    gaps.push({ from: at, to: next, batchCount: batches.length })
    at = next
    chain = undefined
  }
  // What is damaged though it was safe is lost; what was not safe ends the journal.
  const damaged = gaps.filter((gap) => gap.from < safeTo)
  const torn = gaps.find((gap) => gap.from >= safeTo)
  return {
    batches: torn === undefined ? batches : batches.slice(0, torn.batchCount),
    damaged,
    end: torn?.from ?? bytes.length,
    safeTo,
  }
}

function findBatch(disk: Disk, bytes: Uint8Array, words: DataView, from: number): number {
  for (let at = from; at + BATCH_HEADER_BYTES <= bytes.length; at++) {
    if (bytes[at] !== (BATCH_MAGIC & 0xff)) continue
    if (readBatch(disk, bytes, words, at, undefined) !== undefined) return at
  }
  return bytes.length
}

function readBatch(
  disk: Disk,
  bytes: Uint8Array,
  words: DataView,
  at: number,
  chain: number | undefined,
): JournalBatch | undefined {
  if (at + BATCH_HEADER_BYTES > bytes.length) return undefined
  if (words.getUint32(at, true) !== BATCH_MAGIC) return undefined
  const to = at + words.getUint32(at + 4, true)
  if (to > bytes.length || to < at + BATCH_HEADER_BYTES) return undefined
  if (chain !== undefined && words.getUint32(at + 12, true) !== chain) return undefined
  if (disk.checksum(bytes, at + 12, to) !== words.getUint32(at + 8, true)) return undefined
  return { number: readUint64(words, at + 16), bytes, from: at + BATCH_HEADER_BYTES, to }
}

export function entriesOf(batch: JournalBatch): EntryReader {
  return new EntryReader(batch.bytes, batch.from, batch.to)
}

export function journalBroken(cause: unknown): FanfareError {
  return new FanfareError(
    'STREAM_FROZEN',
    'The journal cannot be written: nothing durable is accepted any more. Look at the disk, then open the directory again.',
    { cause },
  )
}
