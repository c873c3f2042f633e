// Reads everything that a directory holds and says what is damaged. Changes nothing.
import type { Disk } from '../base/index.js'
import { decodeFileHeader, readRange } from './file-header.js'
import { segmentFileNumber } from './file-segment.js'
import type { FoundLog } from './found-state.js'
import { recoverJournals } from './journal-recovery.js'
import { logDirectory } from './log-directories.js'
import type { RecoveryFinding } from './log.js'
import { scanSegment } from './segment-scan.js'

/**
 * What is wrong with a directory that nobody has open, in the order of its files; nothing when all is well. Throws FORMAT_TOO_NEW,
 * DISK_FAILED.
 */
export async function* verifyStore(disk: Disk): AsyncGenerator<RecoveryFinding, void, void> {
  const state = await recoverJournals(disk, false)
  yield* state.findings
  for (const found of state.logs.values()) {
    if (found.settings.durability !== 'memory') yield* verifyLog(disk, found, state.wasClosed)
  }
}

async function* verifyLog(
  disk: Disk,
  found: FoundLog,
  wasClosed: boolean,
): AsyncGenerator<RecoveryFinding, void, void> {
  const directory = logDirectory(found.name, found.incarnation)
  const names = (await disk.list(directory)).filter((name) => segmentFileNumber(name) > 0)
  let last = 0
  for (const [index, name] of names.entries()) {
    const path = `${directory}/${name}`
    const isSafe = wasClosed || index < names.length - 1
    const file = await disk.open(path, 'read', 'background')
    let bytes: Uint8Array
    try {
      bytes = await readRange(file, 0, await file.size())
    } finally {
      await file.close()
    }
    const header = decodeFileHeader(disk, 's', bytes)
    const from = header?.length ?? 0
    const scan = scanSegment(disk, bytes, from, found.incarnation, isSafe ? bytes.length : 0)
    for (const range of scan.damaged) {
      const before = scan.blocks.findLast((block) => block.position < range.from)
      const after = scan.blocks.find((block) => block.position >= range.to)
      yield {
        kind: 'damaged-block',
        log: found.name,
        path,
        description: `Bytes ${range.from} to ${range.to} are damaged.`,
        fromSequence: before === undefined ? segmentFileNumber(name) : before.lastSequence + 1,
        ...(after === undefined ? {} : { toSequence: after.firstSequence - 1 }),
      }
    }
    if (scan.end < bytes.length) {
      yield {
        kind: 'torn-tail',
        log: found.name,
        path,
        description: `Bytes ${scan.end} to ${bytes.length} were never safe; opening the directory cuts them off.`,
      }
    }
    last = Math.max(last, scan.blocks[scan.blocks.length - 1]?.lastSequence ?? 0)
    last = Math.max(last, (header?.content as { throughSequence?: number })?.throughSequence ?? 0)
  }
  for (const block of found.blocks) last = Math.max(last, block.lastSequence)
  if (found.settings.durability === 'fsync' && last < found.lastSequence) {
    yield {
      kind: 'damaged-block',
      log: found.name,
      path: directory,
      description: `Records ${last + 1} to ${found.lastSequence} are not there.`,
      fromSequence: Math.max(last + 1, found.firstSequence),
      toSequence: found.lastSequence,
    }
  }
}
