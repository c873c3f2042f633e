// Reads the journals of a directory: the catalogue, the states of the owners, and what has still to be put into segments. See
// docs/design/log.md for the argument.
import type { Disk } from '../base/index.js'
import { type Block, readBlock } from './block.js'
import { keepBytes, quarantine, QUARANTINE_DIRECTORY, writeAgain } from './file-repair.js'
import { FoundLog, FoundState } from './found-state.js'
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
import type { LogLimits } from './log.js'
import { NumberSet } from './number-set.js'

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
