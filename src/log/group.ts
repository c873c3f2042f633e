// What is committed together in one cycle: blocks of logs, and entries for the journal. One group is filled while the one
// before it is being written.
import type { FanfareError } from '../base/index.js'
import type { Block } from './block.js'
import type { FileLog } from './file-log.js'
import type { EntryWriter } from './journal-entry.js'

export type Done = (error?: FanfareError) => void

/** Something for the journal, or somebody who waits for the group. */
export interface GroupItem {
  readonly write?: (entries: EntryWriter) => void
  readonly done?: Done | undefined
  /** Whose note it is. */
  readonly owner?: string
  /** Part of a unit: refused with it when the disk is full. */
  readonly isOfUnit: boolean
}

/** An owner's whole state. */
export interface Renewal {
  readonly name: string
  readonly snapshot: Uint8Array
}

export interface GroupPart {
  readonly log: FileLog
  readonly blocks: readonly Block[]
}

export class Group {
  readonly logs: FileLog[] = []
  parts: GroupPart[] = []
  readonly items: GroupItem[] = []
  bytes = 0
  /** Whether the journal must be synced: more than its blocks may say so. */
  needsSync = false
  /** Whether it is worth a cycle of its own; otherwise it waits for company. */
  isUrgent = false
  /** The owners' states at the moment the group was closed, for a new journal. */
  snapshot: EntryWriter | undefined
  /** States that are written with it because notes were lost. */
  renewals: readonly Renewal[] = []

  get isEmpty(): boolean {
    return this.logs.length === 0 && this.items.length === 0
  }

  /** Takes the blocks that its logs filled. */
  close(): void {
    for (const log of this.logs) {
      const blocks = log.takePart()
      if (blocks.length > 0) this.parts.push({ log, blocks })
    }
  }
}
