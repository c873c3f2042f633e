// The owners of notes: those that answer for their state, those that were recovered and wait to be adopted, and those whose
// notes were lost, so that their whole state has to be written.
import type { Renewal } from './group.js'
import { EntryWriter } from './journal-entry.js'
import type { NoteOwner, RecoveredOwner } from './log.js'

export class NoteOwners {
  readonly #owners = new Map<string, NoteOwner>()
  readonly #recovered: Map<string, RecoveredOwner>
  readonly #behind = new Set<string>()

  constructor(recovered: ReadonlyMap<string, RecoveredOwner>) {
    this.#recovered = new Map(recovered)
  }

  get recovered(): ReadonlyMap<string, RecoveredOwner> {
    return this.#recovered
  }

  get size(): number {
    return this.#owners.size
  }

  add(name: string, owner: NoteOwner): void {
    this.#owners.set(name, owner)
    this.#recovered.delete(name)
  }

  remove(name: string): void {
    this.#owners.delete(name)
    this.#behind.delete(name)
    this.#recovered.delete(name)
  }

  /** A note could not be written. */
  lostNote(name: string): void {
    this.#behind.add(name)
  }

  /** The whole states of owners whose notes were lost: what they note later tells only what has changed since. */
  renewals(): Renewal[] {
    return [...this.#behind].flatMap((name) => {
      const owner = this.#owners.get(name)
      return owner === undefined ? [] : [{ name, snapshot: owner.snapshot() }]
    })
  }

  /** The states were written. */
  renewed(renewals: readonly Renewal[]): void {
    for (const { name } of renewals) this.#behind.delete(name)
  }

  /** All states, for a new journal. */
  snapshot(): EntryWriter {
    const entries = new EntryWriter()
    for (const [name, owner] of this.#owners) entries.owner(name, owner.snapshot())
    for (const [name, { snapshot, notes }] of this.#recovered) {
      entries.owner(name, snapshot)
      for (const note of notes) entries.note(name, note)
    }
    return entries
  }
}
