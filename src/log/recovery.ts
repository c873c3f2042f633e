// Reads what a directory holds and says what was wrong with it: the catalogue, the state of the owners and what has still to
// be put into segments, from the journals; then each log's segments. See docs/design/log.md for the argument.
import type { Disk } from '../base/index.js'
import { type Block, readBlock } from './block.js'
import { decodeFileHeader, readRange } from './file-header.js'
import type { FileLog } from './file-log.js'
import { segmentFileName, segmentFileNumber } from './file-segment.js'
import {
  entriesOf,
  JOURNAL_DIRECTORY,
  journalNumber,
  journalPath,
  readJournal,
  type JournalBatch,
  type JournalContent,
} from './journal.js'
import { type CreateEntry, EntryKind, type EntryReader } from './journal-entry.js'
import type { LogLimits, LogSettings, RecoveryFinding } from './log.js'
import { NumberSet } from './number-set.js'
import { scanSegment, type SegmentScan } from './segment-scan.js'

export const LOG_DIRECTORY = 'logs'
export const QUARANTINE_DIRECTORY = 'quarantine'

export function logDirectory(name: string, incarnation: number): string {
  return `${LOG_DIRECTORY}/${name}.${incarnation}`
}

/** What the journals say of one log. */
export class FoundLog {
  readonly name: string
  readonly incarnation: number
  settings: LogSettings
  firstSequence = 1
  lastSequence = 0
  lastTimeMs = 0
  ceiling = 0
  readonly removed: { readonly from: number; readonly through: number }[] = []
  readonly removedMaps: NumberSet[] = []
  /** Blocks that the journals hold, oldest first. */
  readonly blocks: Block[] = []

  constructor(entry: CreateEntry) {
    this.name = entry.name
    this.incarnation = entry.incarnation
    this.settings = entry.settings
  }

  isRemoved(sequence: number): boolean {
    return (
      this.removed.some(({ from, through }) => sequence >= from && sequence <= through) ||
      this.removedMaps.some((map) => map.has(sequence))
    )
  }
}

/** What all journals say together. */
export class FoundState {
  readonly logs = new Map<number, FoundLog>()
  readonly owners = new Map<string, { snapshot: Uint8Array; notes: Uint8Array[] }>()
  readonly findings: RecoveryFinding[] = []
  nextIncarnation = 1
  nextBatchNumber = 1
  lastJournal = 0
  journals: number[] = []
  /** Whether the directory was closed cleanly, and nothing was found wrong with the journal. */
  wasClosed = true
  isJournalWhole = true
}

/** Reads the journals. With `isChanging` false nothing is written. */
export async function recoverJournals(disk: Disk, isChanging: boolean): Promise<FoundState> {
  const state = new FoundState()
  const names = await disk.list(JOURNAL_DIRECTORY)
  const numbers = names.map(journalNumber).filter((number) => number > 0)
  const contents: JournalContent[] = []
  for (const number of numbers) {
    state.journals.push(number)
    state.lastJournal = number
    const content = await readJournal(disk, number)
    if (content === undefined) {
      await reportBadJournal(disk, state, number, isChanging)
      continue
    }
    await reportJournal(disk, state, content, isChanging)
    contents.push(content)
  }
  replay(state, contents)
  if (!state.isJournalWhole) state.wasClosed = false
  if (numbers.length === 0) state.wasClosed = false
  else if (!state.wasClosed) {
    state.findings.push({
      kind: 'unclean-stop',
      log: undefined,
      path: JOURNAL_DIRECTORY,
      description: 'The directory was not closed.',
    })
  }
  if (isChanging) {
    for (const name of names) {
      if (name.endsWith('.new')) await disk.remove(`${JOURNAL_DIRECTORY}/${name}`)
    }
    if (numbers.length > 0) await disk.syncDirectory(JOURNAL_DIRECTORY)
  }
  return state
}

function replay(state: FoundState, contents: readonly JournalContent[]): void {
  // The newest journal with a whole snapshot says how things are; older ones hold blocks that segments may lack.
  let base = contents.findLastIndex(hasSnapshot)
  if (base < 0) {
    if (contents.length > 0) state.isJournalWhole = false
    base = 0
  }
  contents.forEach((content, index) => {
    if (index >= base) for (const batch of content.batches) applyBatch(state, batch)
  })
  contents.forEach((content, index) => {
    if (index < base) for (const batch of content.batches) takeBlocks(state, batch)
  })
  contents.forEach((content, index) => {
    if (index >= base) for (const batch of content.batches) takeBlocks(state, batch)
  })
}

function hasSnapshot(content: JournalContent): boolean {
  return content.batches.some((batch) => {
    const entries = entriesOf(batch)
    while (entries.next()) if (entries.kind === EntryKind.ready) return true
    return false
  })
}

function applyBatch(state: FoundState, batch: JournalBatch): void {
  state.nextBatchNumber = Math.max(state.nextBatchNumber, batch.number + 1)
  state.wasClosed = false
  const entries = entriesOf(batch)
  while (entries.next()) applyEntry(state, entries)
}

function applyEntry(state: FoundState, entries: EntryReader): void {
  switch (entries.kind) {
    case EntryKind.create: {
      const entry = JSON.parse(entries.text()) as CreateEntry
      state.logs.set(entry.incarnation, new FoundLog(entry))
      state.nextIncarnation = Math.max(state.nextIncarnation, entry.incarnation + 1)
      break
    }
    case EntryKind.drop:
      state.logs.delete(entries.uint32())
      break
    case EntryKind.limits: {
      const log = state.logs.get(entries.uint32())
      const limits = JSON.parse(entries.text()) as LogLimits
      if (log !== undefined) log.settings = { ...log.settings, limits }
      break
    }
    case EntryKind.removed: {
      const log = state.logs.get(entries.uint32())
      const from = entries.uint64()
      const through = entries.uint64()
      if (log !== undefined) applyRemoval(log, from, through)
      break
    }
    case EntryKind.state: {
      const log = state.logs.get(entries.uint32())
      if (log === undefined) break
      log.firstSequence = entries.uint64()
      log.lastSequence = entries.uint64()
      log.ceiling = entries.uint64()
      log.lastTimeMs = entries.uint64()
      break
    }
    case EntryKind.removedMap: {
      const log = state.logs.get(entries.uint32())
      const base = entries.uint64()
      log?.removedMaps.push(NumberSet.fromWords(base, entries.restWords()))
      break
    }
    case EntryKind.owner:
      state.owners.set(entries.text(), { snapshot: entries.rest(), notes: [] })
      break
    case EntryKind.note:
      state.owners.get(entries.text())?.notes.push(entries.rest())
      break
    case EntryKind.disown:
      state.owners.delete(entries.text())
      break
    case EntryKind.ceiling: {
      const log = state.logs.get(entries.uint32())
      if (log !== undefined) log.ceiling = entries.uint64()
      break
    }
    case EntryKind.store:
      state.nextIncarnation = Math.max(state.nextIncarnation, entries.uint32())
      break
    case EntryKind.closed:
      state.wasClosed = true
      break
  }
}

function applyRemoval(log: FoundLog, from: number, through: number): void {
  if (from <= log.firstSequence) log.firstSequence = Math.max(log.firstSequence, through + 1)
  else log.removed.push({ from, through })
}

function takeBlocks(state: FoundState, batch: JournalBatch): void {
  const entries = entriesOf(batch)
  while (entries.next()) {
    if (entries.kind !== EntryKind.block) continue
    const log = state.logs.get(entries.uint32())
    if (log === undefined) continue
    const bytes = entries.rest()
    const block = readUnchecked(bytes)
    if (block !== undefined) log.blocks.push(block)
  }
}

/** A block whose checksum the batch around it answers for. */
function readUnchecked(bytes: Uint8Array): Block | undefined {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const trusting = { checksum: () => words.getUint32(8, true) }
  return readBlock(trusting, bytes, words, 0, bytes.length)
}

async function reportJournal(
  disk: Disk,
  state: FoundState,
  content: JournalContent,
  isChanging: boolean,
): Promise<void> {
  const path = journalPath(content.number)
  for (const { from, to } of content.damaged) {
    state.isJournalWhole = false
    state.findings.push({
      kind: 'damaged-block',
      log: undefined,
      path,
      description: `Bytes ${from} to ${to} of the journal are damaged: notes of owners, and records that were not in their segments yet, may be lost.`,
    })
  }
  const { bytes, end } = content
  if (isChanging) {
    if (end < bytes.length) await keepBytes(disk, path, end, bytes.length)
    await writeAgain(disk, path, bytes, content.safeTo, end)
  }
  if (end === bytes.length) return
  state.findings.push({
    kind: 'torn-tail',
    log: undefined,
    path,
    description: `The journal ends at byte ${end}; ${bytes.length - end} bytes behind it were never safe and are kept in ${QUARANTINE_DIRECTORY}.`,
  })
}

async function reportBadJournal(
  disk: Disk,
  state: FoundState,
  number: number,
  isChanging: boolean,
): Promise<void> {
  const path = journalPath(number)
  if (isChanging) await quarantine(disk, path)
  state.isJournalWhole = false
  state.journals = state.journals.filter((journal) => journal !== number)
  state.findings.push({
    kind: 'quarantined',
    log: undefined,
    path,
    description: `The journal's header is damaged; it was moved to ${QUARANTINE_DIRECTORY}.`,
  })
}

/** Moves a file or directory out of the way under a name that says where it was. */
export async function quarantine(disk: Disk, path: string): Promise<string> {
  await makeQuarantine(disk)
  const target = await freeName(disk, path)
  await disk.rename(path, target)
  await disk.syncDirectory(QUARANTINE_DIRECTORY)
  await disk.syncDirectory(path.slice(0, path.lastIndexOf('/')))
  return target
}

/** Copies `[from, to)` of a file to the quarantine. */
export async function keepBytes(
  disk: Disk,
  path: string,
  from: number,
  to: number,
): Promise<string> {
  await makeQuarantine(disk)
  const source = await disk.open(path, 'read')
  try {
    const bytes = await readRange(source, from, to)
    const target = await freeName(disk, `${path}.${from}`)
    const file = await disk.open(target, 'create')
    try {
      await file.write(bytes, 0, bytes.length, 0)
      await file.sync()
    } finally {
      await file.close()
    }
    await disk.syncDirectory(QUARANTINE_DIRECTORY)
    return target
  } finally {
    await source.close()
  }
}

async function makeQuarantine(disk: Disk): Promise<void> {
  await disk.makeDirectory(QUARANTINE_DIRECTORY)
  await disk.syncDirectory('')
}

async function freeName(disk: Disk, path: string): Promise<string> {
  const base = `${QUARANTINE_DIRECTORY}/${path.replaceAll('/', '-')}`
  for (let count = 0; ; count++) {
    const name = count === 0 ? base : `${base}-${count}`
    if (!(await disk.exists(name))) return name
  }
}

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
  for (const name of names) {
    if (segmentFileNumber(name) === 0) await disk.remove(`${log.directory}/${name}`)
  }
  const numbers = names.map(segmentFileNumber).filter((number) => number > 0)
  for (const [index, number] of numbers.entries()) {
    const isLast = index === numbers.length - 1
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

async function readWhole(disk: Disk, path: string): Promise<Uint8Array> {
  const file = await disk.open(path, 'read')
  try {
    return await readRange(file, 0, await file.size())
  } finally {
    await file.close()
  }
}

/**
 * Ends a file at `end` and writes again what was not known to be safe. After a kill that may be in the system's memory only,
 * and after a failed sync the system believes it to be on the disk though it is not.
 */
async function writeAgain(
  disk: Disk,
  path: string,
  bytes: Uint8Array,
  safeTo: number,
  end: number,
): Promise<void> {
  const file = await disk.open(path, 'write')
  try {
    if (end < bytes.length) await file.truncate(end)
    const from = Math.min(safeTo, end)
    if (from < end) await file.write(bytes, from, end, from)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Numbers that a log whose reservations are lost leaves out: more than were ever reserved ahead. */
const SKIPPED_NUMBERS = 1_048_576

/** With a damaged journal, logs that the catalogue does not name are taken from what their segments say of them. */
export async function adoptDirectories(disk: Disk, state: FoundState): Promise<void> {
  if (state.isJournalWhole) return
  const names = new Set([...state.logs.values()].map((log) => log.name))
  for (const directory of await disk.list(LOG_DIRECTORY)) {
    const incarnation = Number(directory.slice(directory.lastIndexOf('.') + 1))
    if (state.logs.has(incarnation)) continue
    const found = await describeDirectory(disk, `${LOG_DIRECTORY}/${directory}`)
    if (found === undefined || found.incarnation !== incarnation || names.has(found.name)) continue
    names.add(found.name)
    state.logs.set(incarnation, found)
    state.nextIncarnation = Math.max(state.nextIncarnation, incarnation + 1)
    state.findings.push({
      kind: 'damaged-block',
      log: found.name,
      path: `${LOG_DIRECTORY}/${directory}`,
      description:
        'The journal is damaged and does not name this log; it was taken from its segments. Removals that were not applied to them may be undone.',
    })
  }
}

async function describeDirectory(disk: Disk, directory: string): Promise<FoundLog | undefined> {
  const numbers = (await disk.list(directory)).map(segmentFileNumber).filter((number) => number > 0)
  for (const number of numbers.reverse()) {
    const bytes = await readWhole(disk, `${directory}/${segmentFileName(number)}`)
    const header = decodeFileHeader(disk, 's', bytes)
    if (header === undefined) continue
    const { log, incarnation, settings } = header.content as SegmentHeader
    const found = new FoundLog({ name: log, incarnation, settings })
    const { blocks } = scanSegment(disk, bytes, header.length, incarnation, bytes.length)
    found.ceiling = (blocks[blocks.length - 1]?.lastSequence ?? number) + SKIPPED_NUMBERS
    return found
  }
  return undefined
}

interface SegmentHeader {
  readonly log: string
  readonly incarnation: number
  readonly settings: LogSettings
}

/** Directories of logs that the catalogue does not name: dropped ones are removed, doubtful ones set aside. */
export async function tidyDirectories(disk: Disk, state: FoundState): Promise<void> {
  const known = new Set([...state.logs.values()].map((log) => `${log.name}.${log.incarnation}`))
  for (const name of await disk.list(LOG_DIRECTORY)) {
    if (known.has(name)) continue
    const path = `${LOG_DIRECTORY}/${name}`
    if (state.isJournalWhole) {
      await removeLogDirectory(disk, path)
      continue
    }
    await quarantine(disk, path)
    state.findings.push({
      kind: 'quarantined',
      log: name.slice(0, name.lastIndexOf('.')),
      path,
      description: `The journal is damaged and does not name this log; it was moved to ${QUARANTINE_DIRECTORY}.`,
    })
  }
}

export async function removeLogDirectory(disk: Disk, path: string): Promise<void> {
  for (const name of await disk.list(path)) await disk.remove(`${path}/${name}`)
  await disk.removeDirectory(path)
}
