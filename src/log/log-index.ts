// The index of a log, written when its directory is closed: what reading all segments would tell, so that reopening reads one
// file. It names the journal that was begun when the directory was closed; with any other it does not count.
import type { Disk } from '../base/index.js'
import type { FileLog } from './file-log.js'
import type { SegmentDescription } from './file-segment.js'
import type { FoundLog } from './found-state.js'
import { readIndexFile, writeIndexFile, type IndexFile } from './index-file.js'

const INDEX_FILE = 'index'

interface LogIndexContent {
  readonly incarnation: number
  readonly journal: number
  readonly segments: readonly SegmentDescription[]
}

/** Writes the index of a log that is safe; `journal` is the number of the journal that will say so. */
export async function writeIndex(disk: Disk, log: FileLog, journal: number): Promise<void> {
  await log.settled()
  if (!log.isExact) return
  const content: LogIndexContent = {
    incarnation: log.incarnation,
    journal,
    segments: log.fileSegments.map((segment) => segment.describe()),
  }
  const path = `${log.directory}/${INDEX_FILE}`
  const pieces = [...log.keyTable.pieces()]
  await writeIndexFile(disk, path, content, pieces, (file) => file.sync())
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
  const index = await readIndexFile<LogIndexContent>(
    disk,
    path,
    (content) => content.incarnation === found.incarnation && content.journal === journal,
  )
  if (index === undefined) return false
  for (const described of index.content.segments) {
    if (!(await hasLength(disk, log, described))) return false
  }
  restore(found, log, index)
  await log.settled()
  return true
}

function restore(found: FoundLog, log: FileLog, { content, pieces }: IndexFile<LogIndexContent>) {
  log.beginRestore(found.firstSequence)
  for (const piece of pieces) log.keyTable.addPiece(piece)
  for (const described of content.segments) {
    const removed = found.removedMaps.find((map) => map.base === described.firstSequence)
    log.restoreDescribed(described, removed)
  }
  log.ceiling = found.ceiling
  log.restored(found.lastSequence, found.lastTimeMs, true)
}

/** Whether a segment is there as it was. */
export async function hasLength(
  disk: Disk,
  log: FileLog,
  { firstSequence, length }: SegmentDescription,
): Promise<boolean> {
  const { path } = log.makeSegment(firstSequence)
  if (!(await disk.exists(path))) return false
  const file = await disk.open(path, 'read')
  try {
    return (await file.size()) === length
  } finally {
    await file.close()
  }
}
