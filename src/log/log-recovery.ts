// Fills a log from its segments and from what the journals hold of it, and says what was wrong. See docs/design/log.md for the
// argument.
import type { Disk } from '../base/index.js'
import type { Block } from './block.js'
import { decodeFileHeader } from './file-header.js'
import type { FileLog } from './file-log.js'
import {
  keepBytes,
  quarantine,
  QUARANTINE_DIRECTORY,
  readWhole,
  writeAgain,
} from './file-repair.js'
import { segmentFileName, segmentFileNumber, segmentIndexName } from './file-segment.js'
import type { FoundLog } from './found-state.js'
import type { RecoveryFinding } from './log.js'
import { restoreFromIndex } from './segment-index.js'
import { scanSegment, type SegmentScan } from './segment-scan.js'

/** Fills `log` from its segments and from what the journals hold of it. */
export async function recoverLog(
  disk: Disk,
  found: FoundLog,
  log: FileLog,
  findings: RecoveryFinding[],
  wasClosed: boolean,
): Promise<void> {
  log.beginRestore(found.firstSequence)
  const report = (finding: Omit<RecoveryFinding, 'log'>): void => {
    findings.push({ log: found.name, ...finding })
  }
  await disk.makeDirectory(log.directory)
  const names = await disk.list(log.directory)
  const numbers = names.map(segmentFileNumber).filter((number) => number > 0)
  const kept = new Set(
    numbers.flatMap((number) => [segmentFileName(number), segmentIndexName(number)]),
  )
  for (const name of names) if (!kept.has(name)) await disk.remove(`${log.directory}/${name}`)
  for (const [index, number] of numbers.entries()) {
    const isLast = index === numbers.length - 1
    if (!isLast && (await restoreFromIndex(disk, found, log, number))) continue
    await recoverSegment(disk, found, log, number, isLast, numbers[index + 1], wasClosed, report)
  }
  await disk.syncDirectory(log.directory)
  redo(found, log, report)
  const isReserving = log.isReserving && !wasClosed
  const last = Math.max(found.lastSequence, isReserving ? found.ceiling : 0)
  if (!log.isReserving && log.committedSequence < found.lastSequence) {
    reportLost(log.committedSequence + 1, found.lastSequence, found, log.directory, report)
  }
  log.ceiling = found.ceiling
  log.restored(last, found.lastTimeMs)
  // Removals that limits imply were not written down; nobody shall see what they had removed.
  await log.settled()
}

type Report = (finding: Omit<RecoveryFinding, 'log'>) => void

async function recoverSegment(
  disk: Disk,
  found: FoundLog,
  log: FileLog,
  firstSequence: number,
  isLast: boolean,
  nextFirst: number | undefined,
  wasClosed: boolean,
  report: Report,
): Promise<void> {
  const segment = log.makeSegment(firstSequence)
  const bytes = await readWhole(disk, segment.path)
  const header = decodeFileHeader(disk, 's', bytes)
  const throughSequence = lastNumberOf(header?.content ?? {})
  if (isLast && throughSequence === 0 && bytes.length <= segment.header.length) {
    // Begun and never written to.
    await disk.remove(segment.path)
    return
  }
  if (header?.length === bytes.length) {
    // Rewritten when its last record had just been removed.
    segment.adoptHeader(bytes)
    log.restoreSegment(segment, [], bytes.length, throughSequence)
    return
  }
  // What is not the last segment was made safe before the next was begun; a closed directory is safe altogether.
  const safeLength = isLast && !wasClosed ? 0 : bytes.length
  const scan = scanSegment(disk, bytes, header?.length ?? 0, found.incarnation, safeLength)
  if (scan.blocks.length === 0) {
    await quarantine(disk, segment.path)
    const isDamage = safeLength > 0
    report({
      kind: 'quarantined',
      path: segment.path,
      description: `No record in the segment can be read${isDamage ? '' : ', as it was never safe'}; it was moved to ${QUARANTINE_DIRECTORY}.`,
      ...(isDamage && nextFirst !== undefined
        ? { fromSequence: firstSequence, toSequence: nextFirst - 1 }
        : {}),
    })
    return
  }
  reportDamage(found, segment.path, scan, firstSequence, nextFirst, report)
  if (scan.end < bytes.length) {
    await keepBytes(disk, segment.path, scan.end, bytes.length)
    report({
      kind: 'torn-tail',
      path: segment.path,
      description: `The segment ends at byte ${scan.end}; ${bytes.length - scan.end} bytes behind it were never safe and are kept in ${QUARANTINE_DIRECTORY}.`,
    })
  }
  if (isLast) await writeAgain(disk, segment.path, bytes, scan.safeTo, scan.end)
  markRemoved(found, segment.firstSequence, scan.blocks, (sequence) =>
    segment.markRemoved(sequence),
  )
  segment.adoptHeader(bytes.slice(0, header?.length ?? scan.blocks[0]!.position))
  log.restoreSegment(segment, scan.blocks, scan.end, throughSequence)
  if (!isLast && segment.removed === undefined) log.indexLater(segment)
}

/** How far the numbers of a rewritten segment go; 0 for others. */
function lastNumberOf(content: unknown): number {
  const { throughSequence } = content as { throughSequence?: number }
  return throughSequence ?? 0
}

function reportDamage(
  found: FoundLog,
  path: string,
  scan: SegmentScan,
  firstSequence: number,
  nextFirst: number | undefined,
  report: Report,
): void {
  for (const range of scan.damaged) {
    const before = scan.blocks.findLast((block) => block.position < range.from)
    const after = scan.blocks.find((block) => block.position >= range.to)
    const from = before === undefined ? firstSequence : before.lastSequence + 1
    const to = (after?.firstSequence ?? nextFirst ?? Infinity) - 1
    report({
      kind: 'damaged-block',
      path,
      description: `Bytes ${range.from} to ${range.to} are damaged.`,
      ...(to < from ? {} : { fromSequence: Math.max(from, found.firstSequence) }),
      ...(to < from || to === Infinity ? {} : { toSequence: to }),
    })
  }
}

function markRemoved(
  found: FoundLog,
  firstSequence: number,
  blocks: readonly Block[],
  mark: (sequence: number) => void,
): void {
  if (found.removed.length === 0 && found.removedMaps.length === 0) return
  const last = blocks[blocks.length - 1]!.lastSequence
  for (const { from, through } of found.removed) {
    for (let number = Math.max(from, firstSequence); number <= Math.min(through, last); number++) {
      mark(number)
    }
  }
  for (const map of found.removedMaps) map.forEachIn(firstSequence, last + 1, mark)
}

/** Puts the journals' blocks behind the segments, those that are not there yet. */
function redo(found: FoundLog, log: FileLog, report: Report): void {
  for (const block of found.blocks) {
    if (block.firstSequence <= log.committedSequence) continue
    if (log.committedSequence > 0 && block.firstSequence > log.committedSequence + 1) {
      reportLost(log.committedSequence + 1, block.firstSequence - 1, found, log.directory, report)
    }
    log.restoreBlock(block, (sequence) => found.isRemoved(sequence))
  }
}

function reportLost(from: number, to: number, found: FoundLog, path: string, report: Report): void {
  const fromSequence = Math.max(from, found.firstSequence)
  if (fromSequence > to) return
  report({
    kind: found.settings.durability === 'fsync' ? 'damaged-block' : 'unclean-stop',
    path,
    description: `Records ${fromSequence} to ${to} are not there.`,
    fromSequence,
    toSequence: to,
  })
}
