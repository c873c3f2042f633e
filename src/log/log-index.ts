// The index of a log, written when its directory is closed: what reading all segments would tell, so that reopening reads one
// file. It holds nothing that the segments do not; one that is damaged, or of another closing, is passed over. All numbers
// are little endian.
//
//   header   as in every file; JSON { incarnation, journal, segments, pieces }: the journal that was begun when the directory was
//            closed, the segments as in `SegmentDescription`, the lengths of the key pieces
//   pieces   the keys (key-index.ts), each filled up to a multiple of 8 bytes
//   u32      CRC-32 of everything before
import type { Disk } from '../base/index.js'
import { decodeFileHeader, encodeFileHeader, readRange } from './file-header.js'
import type { FileLog } from './file-log.js'
import type { SegmentDescription } from './file-segment.js'
import type { FoundLog } from './found-state.js'

const INDEX_FILE = 'index'

interface IndexContent {
  readonly incarnation: number
  readonly journal: number
  readonly segments: readonly SegmentDescription[]
  readonly pieces: readonly number[]
}

/** Writes the index of a log that is safe; `journal` is the number of the journal that will say so. */
export async function writeIndex(disk: Disk, log: FileLog, journal: number): Promise<void> {
  await log.settled()
  if (!log.isExact) return
  const path = `${log.directory}/${INDEX_FILE}`
  const temporary = `${path}.new`
  const pieces = [...log.keyTable.pieces()]
  const content: IndexContent = {
    incarnation: log.incarnation,
    journal,
    segments: log.fileSegments.map((segment) => segment.describe()),
    pieces: pieces.map((piece) => piece.length),
  }
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
    await write(encodeFileHeader(disk, 'i', content))
    for (const piece of pieces) await write(piece)
    const end = new Uint8Array(4)
    new DataView(end.buffer).setUint32(0, checksum, true)
    await write(end)
    await file.sync()
  } finally {
    await file.close()
  }
  await disk.rename(temporary, path)
  await disk.syncDirectory(log.directory)
}

/** Fills `log` from its index; false when there is none that fits. */
export async function readIndex(
  disk: Disk,
  found: FoundLog,
  log: FileLog,
  journal: number,
): Promise<boolean> {
  const path = `${log.directory}/${INDEX_FILE}`
  if (!(await disk.exists(path))) return false
  const file = await disk.open(path, 'read')
  try {
    const bytes = await readRange(file, 0, await file.size())
    const header = decodeFileHeader(disk, 'i', bytes)
    const content = header?.content as IndexContent | undefined
    if (content?.incarnation !== found.incarnation || content.journal !== journal) return false
    const end = bytes.length - 4
    const checksum = new DataView(bytes.buffer, bytes.byteOffset).getUint32(end, true)
    if (disk.checksum(bytes, 0, end) !== checksum) return false
    if (!(await haveLengths(disk, log, content.segments))) return false
    restore(found, log, content, bytes, header!.length)
  } finally {
    await file.close()
  }
  await log.settled()
  return true
}

function restore(
  found: FoundLog,
  log: FileLog,
  content: IndexContent,
  bytes: Uint8Array,
  piecesStart: number,
): void {
  log.beginRestore(found.firstSequence)
  let at = piecesStart
  for (const length of content.pieces) {
    log.keyTable.addPiece(bytes.subarray(at, at + length))
    at += length
  }
  for (const described of content.segments) {
    const removed = found.removedMaps.find((map) => map.base === described.firstSequence)
    log.restoreDescribed(described, removed)
  }
  log.ceiling = found.ceiling
  log.restored(found.lastSequence, found.lastTimeMs, true)
}

/** Whether the segments are there as they were. */
async function haveLengths(
  disk: Disk,
  log: FileLog,
  segments: readonly SegmentDescription[],
): Promise<boolean> {
  for (const described of segments) {
    const { path } = log.makeSegment(described.firstSequence)
    if (!(await disk.exists(path))) return false
    const file = await disk.open(path, 'read')
    try {
      if ((await file.size()) !== described.length) return false
    } finally {
      await file.close()
    }
  }
  return true
}
