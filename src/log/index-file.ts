// A file that saves reading: what it holds can be had from segments too, so one that is damaged or half written is passed over. All
// numbers are little endian.
//
//   header   as in every file; JSON with `pieces`, the lengths of the pieces, and what the index is of
//   pieces   keys (key-index.ts), each filled up to a multiple of 8 bytes
//   u32      CRC-32 of everything before
import type { Disk, DiskFile } from '../base/index.js'
import { decodeFileHeader, encodeFileHeader, readRange } from './file-header.js'

const CHECKSUM_BYTES = 4

export interface IndexFile<Content> {
  readonly content: Content
  readonly pieces: readonly Uint8Array[]
}

/** Writes an index under a temporary name; `finish` makes it safe where that is wanted. */
export async function writeIndexFile(
  disk: Disk,
  path: string,
  content: object,
  pieces: readonly Uint8Array[],
  finish: (file: DiskFile) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.new`
  const lengths = pieces.map((piece) => piece.length)
  await disk.remove(temporary)
  const file = await disk.open(temporary, 'create', 'background')
  try {
    let at = 0
    let checksum = 0
    const write = async (bytes: Uint8Array): Promise<void> => {
      checksum = disk.checksum(bytes, 0, bytes.length, checksum)
      await file.write(bytes, 0, bytes.length, at)
      at += bytes.length
    }
    await write(encodeFileHeader(disk, 'i', { ...content, pieces: lengths }))
    for (const piece of pieces) await write(piece)
    const end = new Uint8Array(CHECKSUM_BYTES)
    new DataView(end.buffer).setUint32(0, checksum, true)
    await write(end)
    await finish(file)
  } finally {
    await file.close()
  }
  await disk.rename(temporary, path)
}

/** What an index holds, unless it is missing, damaged, or `isWanted` says no. */
export async function readIndexFile<Content>(
  disk: Disk,
  path: string,
  isWanted: (content: Content) => boolean,
): Promise<IndexFile<Content> | undefined> {
  if (!(await disk.exists(path))) return undefined
  const file = await disk.open(path, 'read')
  try {
    const bytes = await readRange(file, 0, await file.size())
    const header = decodeFileHeader(disk, 'i', bytes)
    if (header === undefined || !isWanted(header.content as Content)) return undefined
    const end = bytes.length - CHECKSUM_BYTES
    if (end < header.length) return undefined
    const checksum = new DataView(bytes.buffer, bytes.byteOffset).getUint32(end, true)
    if (disk.checksum(bytes, 0, end) !== checksum) return undefined
    return { content: header.content as Content, pieces: cut(bytes, header.length, header.content) }
  } finally {
    await file.close()
  }
}

function cut(bytes: Uint8Array, from: number, content: unknown): Uint8Array[] {
  let at = from
  return (content as { pieces: readonly number[] }).pieces.map((length) => {
    at += length
    return bytes.subarray(at - length, at)
  })
}
