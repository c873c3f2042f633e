// Where the files of each log lie, and the directories that the catalogue does not name.
import type { Disk } from '../base/index.js'
import { decodeFileHeader } from './file-header.js'
import { quarantine, QUARANTINE_DIRECTORY, readWhole } from './file-repair.js'
import { segmentFileName, segmentFileNumber } from './file-segment.js'
import { FoundLog, type FoundState } from './found-state.js'
import type { LogSettings } from './log.js'
import { scanSegment } from './segment-scan.js'

export const LOG_DIRECTORY = 'logs'

export function logDirectory(name: string, incarnation: number): string {
  return `${LOG_DIRECTORY}/${name}.${incarnation}`
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
