// How every file of a store begins. All numbers are little endian.
//
//   0  8 bytes  'fanfare' and the kind: 's' segment, 'j' journal, 'i' index
//   8  u32      format version
//  12  u32      CRC-32 of the header without this field
//  16  u32      length of the whole header
//  20           text: JSON that says what the file is
import { FanfareError, type Disk, type DiskFile } from '../base/index.js'
import { ByteWriter } from './byte-writer.js'

export type FileKind = 's' | 'j' | 'i'

/** The newest format that is written and read. Older ones are read for ever, newer ones refused. */
export const FORMAT_VERSION = 1

const FIXED_BYTES = 20
const NAME = 'fanfare'
const decoder = new TextDecoder()

export interface FileHeader {
  /** Where what follows begins. */
  readonly length: number
  readonly content: unknown
}

export function encodeFileHeader(disk: Disk, kind: FileKind, content: unknown): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(content))
  const writer = new ByteWriter()
  writer.raw(new TextEncoder().encode(NAME + kind))
  writer.uint32(FORMAT_VERSION)
  writer.uint32(0)
  writer.uint32(FIXED_BYTES + text.length)
  writer.raw(text)
  const bytes = writer.bytes.slice(0, writer.length)
  new DataView(bytes.buffer).setUint32(12, headerChecksum(disk, bytes, bytes.length), true)
  return bytes
}

/** The header at the beginning of `bytes`, or undefined when it is damaged or missing. Throws FORMAT_TOO_NEW. */
export function decodeFileHeader(
  disk: Disk,
  kind: FileKind,
  bytes: Uint8Array,
): FileHeader | undefined {
  if (bytes.length < FIXED_BYTES || decoder.decode(bytes.subarray(0, 8)) !== NAME + kind) {
    return undefined
  }
  const words = new DataView(bytes.buffer, bytes.byteOffset)
  const length = words.getUint32(16, true)
  if (length > bytes.length || length < FIXED_BYTES) return undefined
  if (headerChecksum(disk, bytes, length) !== words.getUint32(12, true)) return undefined
  checkVersion(words.getUint32(8, true))
  return { length, content: JSON.parse(decoder.decode(bytes.subarray(FIXED_BYTES, length))) }
}

/** Throws FORMAT_TOO_NEW. */
export function checkVersion(version: number): void {
  if (version <= FORMAT_VERSION) return
  throw new FanfareError(
    'FORMAT_TOO_NEW',
    `The directory has format ${version}; this version reads formats up to ${FORMAT_VERSION}. Use a newer one.`,
    { details: { version, newest: FORMAT_VERSION } },
  )
}

/** Reads `[from, to)` of a file, or less at its end. */
export async function readRange(
  file: DiskFile,
  from: number,
  to: number,
  into?: Uint8Array,
): Promise<Uint8Array> {
  const length = Math.max(0, to - from)
  const isRoomy = into !== undefined && into.buffer.byteLength >= length
  const bytes = isRoomy ? new Uint8Array(into.buffer, 0, length) : new Uint8Array(length)
  const count = await file.read(bytes, 0, bytes.length, from)
  return count === bytes.length ? bytes : bytes.subarray(0, count)
}

/** A failed sync is a failure of the disk whatever its reason: nobody knows what is on it. */
export function failedSync(path: string, cause: unknown): FanfareError {
  return new FanfareError('DISK_FAILED', `cannot make '${path}' safe: ${String(cause)}`, {
    cause,
    details: { path, operation: 'sync' },
  })
}

export function isDiskFull(error: unknown): boolean {
  return FanfareError.is(error) && error.code === 'DISK_FULL'
}

function headerChecksum(disk: Disk, bytes: Uint8Array, length: number): number {
  return disk.checksum(bytes, 16, length, disk.checksum(bytes, 0, 12))
}
