// What recovery has found out about a directory: what the journals say of each log, and of all together.
import { type Block } from './block.js'
import type { CreateEntry } from './journal-entry.js'
import type { LogSettings, RecoveryFinding } from './log.js'
import type { NumberSet } from './number-set.js'

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

  /** Whether a number in `[from, to)` was removed. */
  hasRemovedIn(from: number, to: number): boolean {
    return (
      this.removed.some((range) => range.from < to && range.through >= from) ||
      this.removedMaps.some((map) => map.nextPresent(Math.max(from, map.base), to) < to)
    )
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
