// How a consumer's state reaches the store: what changed in its ledger as notes, its terms when they change, and everything when
// the store asks for a snapshot. A consumer that does not survive a restart writes nothing.
import type { FanfareError } from '../base/index.js'
import type { ConsumerLedger } from '../delivery/ledger/index.js'
import type { VerdictDone } from '../engine/index.js'
import type { NoteLevel, NoteOwner } from '../log/index.js'
import { encodeLedgerNote, encodeTermsNote, type ConsumerTerms } from './consumer-record.js'
import type { StreamSite } from './stream-site.js'

/** The consumer's side. */
export interface NotesOwner extends NoteOwner {
  readonly ownerName: string
  readonly isPersistent: boolean
  readonly isDeleted: boolean
  readonly ledger: ConsumerLedger
  /** The ledger is about to be asked how far it has come. */
  lookThrough(): void
}

export class ConsumerNotes {
  readonly #site: StreamSite
  readonly #owner: NotesOwner
  #isDue = false
  /** A note was lost: the next one says everything. */
  #mustRestate = false

  constructor(site: StreamSite, owner: NotesOwner) {
    this.#site = site
    this.#owner = owner
  }

  /** Answers for the consumer's state from now on; for a new consumer, durable when it resolves. */
  async adopt(isRecovered: boolean): Promise<void> {
    if (!this.#owner.isPersistent) return
    await new Promise<void>((resolve, reject) => {
      const { ownerName } = this.#owner
      this.#site.store.adopt(ownerName, this.#owner, (error) => (error ? reject(error) : resolve()))
      if (isRecovered) resolve()
    })
  }

  /** Forgets the consumer, durably. */
  async disown(): Promise<void> {
    if (!this.#owner.isPersistent) return
    await new Promise<void>((resolve, reject) => {
      const { ownerName } = this.#owner
      this.#site.store.disown(ownerName, (error) => (error ? reject(error) : resolve()))
    })
  }

  /** Writes what changed in the ledger. */
  write(level: NoteLevel, done?: VerdictDone): void {
    if (!this.#owner.isPersistent) {
      done?.()
      return
    }
    const { ledger, ownerName } = this.#owner
    this.#owner.lookThrough()
    const change = ledger.takeNote()
    const note = this.#mustRestate ? ledger.snapshot() : change
    this.#mustRestate = false
    if (note === undefined) {
      done?.()
      return
    }
    this.#site.store.note(ownerName, encodeLedgerNote(note), level, (error) => {
      // The next note builds upon one that is not there.
      if (error !== undefined) this.#mustRestate = true
      done?.(error)
    })
  }

  /** Plain verdicts of one turn go in one note, which rides with the next commit. */
  writeSoon(): void {
    if (this.#isDue || !this.#owner.isPersistent) return
    this.#isDue = true
    this.#site.clock.afterTurn(() => {
      this.#isDue = false
      if (!this.#owner.isDeleted) this.write('rides')
    })
  }

  /** Resolves when what changed is durable. */
  keep(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.write('fsync', (error?: FanfareError) => (error ? reject(error) : resolve()))
    })
  }

  /** Resolves when other terms are durable. */
  async keepTerms(terms: ConsumerTerms): Promise<void> {
    if (!this.#owner.isPersistent) return
    await new Promise<void>((resolve, reject) => {
      this.#site.store.note(this.#owner.ownerName, encodeTermsNote(terms), 'fsync', (error) =>
        error ? reject(error) : resolve(),
      )
    })
  }
}
