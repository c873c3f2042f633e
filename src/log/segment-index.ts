// The index of one full segment, beside it: what reading it would tell, so that opening after an unclean stop reads only what was
// written last. It is written in the background and not synced: one that a loss of power tears is passed over.
import type { Clock, Disk } from '../base/index.js'
import type { Block } from './block.js'
import type { FileLog } from './file-log.js'
import { segmentIndexName, type FileSegment, type SegmentDescription } from './file-segment.js'
import type { FoundLog } from './found-state.js'
import { readIndexFile, writeIndexFile } from './index-file.js'
import { MutableKeyIndex } from './key-index.js'
import { hasLength } from './log-index.js'
import { RecordView } from './record.js'

/** With fewer records for each key, the keys would take so much room that reading the segment is as good. */
const LEAST_RECORDS_PER_KEY = 4
/** Records looked at before others get their turn: under 1 ms. */
const RECORDS_PER_SLICE = 4_096

interface SegmentIndexContent {
  readonly incarnation: number
  readonly segment: SegmentDescription
}

/**
 * Writes the index of a segment that is full and safe. A segment in which numbers have no record gets none, nor one of a log with a
 * limit for each key, which has to look at every record anyway. Ends when `isWanted` says no.
 */
export async function indexSegment(
  disk: Disk,
  clock: Clock,
  log: FileLog,
  segment: FileSegment,
  isWanted: () => boolean,
): Promise<void> {
  const isStill = (): boolean =>
    isWanted() &&
    log.fileSegments.includes(segment) &&
    segment.isSafe &&
    segment.placedNext === segment.nextSequence
  if (!isStill() || log.limits.maxRecordsPerKey !== undefined) return
  const { length } = segment
  const keys = new MutableKeyIndex(log.keyTable.seed)
  const sums = await countRecords(clock, segment, keys, isStill)
  const isWhole = sums.records === segment.span && segment.length === length && isStill()
  if (!isWhole || keys.size * LEAST_RECORDS_PER_KEY > sums.records) return
  const described = { ...segment.describe(), ...sums, storedBytes: sums.bytes }
  const content: SegmentIndexContent = { incarnation: log.incarnation, segment: described }
  const pieces = [...keys.pieces()]
  await writeIndexFile(disk, segment.indexPath, content, pieces, () => Promise.resolve())
  if (!isStill()) await disk.remove(segment.indexPath)
}

async function countRecords(
  clock: Clock,
  segment: FileSegment,
  keys: MutableKeyIndex,
  isWanted: () => boolean,
): Promise<{ records: number; bytes: number }> {
  const view = new RecordView()
  const sums = { records: 0, bytes: 0 }
  let turnAt = RECORDS_PER_SLICE
  for (let at = segment.firstSequence; at < segment.nextSequence && isWanted();) {
    const { blocks, throughSequence } = await blocksFrom(segment, at)
    for (const block of blocks) countBlock(block, view, keys, sums)
    at = Math.max(at, throughSequence) + 1
    if (sums.records < turnAt) continue
    turnAt = sums.records + RECORDS_PER_SLICE
    await new Promise<void>((resolve) => clock.defer(resolve))
  }
  return sums
}

/** What is in memory still is not read again. */
function blocksFrom(
  segment: FileSegment,
  sequence: number,
): ReturnType<FileSegment['load']> | { blocks: readonly Block[]; throughSequence: number } {
  const block = segment.blockAt(sequence)
  if (block === undefined || block === 'wait') return segment.load(sequence)
  return { blocks: [block], throughSequence: block.lastSequence }
}

function countBlock(
  block: Block,
  view: RecordView,
  keys: MutableKeyIndex,
  sums: { records: number; bytes: number },
): void {
  for (let at = block.recordsStart; at < block.end; at = view.bodyEnd) {
    view.show(block, at)
    keys.add(view.bytes, view.keyStart, view.keyEnd, view.sequence)
    sums.records += 1
    sums.bytes += view.length
  }
}

/** Takes a segment over from its index; false when it has none that fits, or records of it were removed. */
export async function restoreFromIndex(
  disk: Disk,
  found: FoundLog,
  log: FileLog,
  firstSequence: number,
): Promise<boolean> {
  if (log.limits.maxRecordsPerKey !== undefined || firstSequence < found.firstSequence) return false
  const path = `${log.directory}/${segmentIndexName(firstSequence)}`
  const index = await readIndexFile<SegmentIndexContent>(
    disk,
    path,
    ({ incarnation }) => incarnation === found.incarnation,
  )
  if (index === undefined) return false
  const { segment } = index.content
  if (found.hasRemovedIn(firstSequence, segment.nextSequence)) return false
  if (!(await hasLength(disk, log, segment))) return false
  for (const piece of index.pieces) log.keyTable.addPiece(piece)
  log.restoreDescribed(segment, undefined)
  return true
}
