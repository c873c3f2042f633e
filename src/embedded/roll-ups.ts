// Messages that take the place of what was there before them. What they replace leaves once they are committed; until it has left,
// the roll-up is kept with the store, so that a restart finishes it.
import type { Log } from '../log/index.js'
import { inBackground } from './background.js'
import type { StreamSite } from './stream-site.js'
import { encodeRollUpNote, streamOwnerName, type RollUp } from './stream-snapshot.js'
import { selectForPurge } from './topic-selection.js'

export class RollUps {
  readonly #site: StreamSite
  readonly #log: Log
  /** Those whose removals are under way, then those that wait for their commit, in order. */
  readonly #open: RollUp[] = []
  #begun = 0

  constructor(site: StreamSite, log: Log) {
    this.#site = site
    this.#log = log
  }

  /** Those that are not done. */
  get open(): readonly RollUp[] {
    return this.#open
  }

  /** One was accepted; the unit at hand has its note too. */
  add(rollUp: RollUp): void {
    this.#open.push(rollUp)
    if (this.#log.settings.durability === 'memory') return
    this.#site.store.note(streamOwnerName(this.#log.name), encodeRollUpNote(rollUp), 'rides')
  }

  /** Begins the removals of those that are committed; `removing` is told before, and through which sequence. */
  committed(through: number, removing: (throughSequence: number) => void): void {
    for (;;) {
      const rollUp = this.#open[this.#begun]
      if (rollUp === undefined || rollUp.sequence > through) return
      this.#begun += 1
      removing(rollUp.sequence - 1)
      inBackground(this.#replace(rollUp), this.#site)
    }
  }

  /** Messages from there on were lost. */
  failed(from: number): void {
    while ((this.#open.at(-1)?.sequence ?? 0) >= from) this.#open.pop()
  }

  /** Does again what an earlier life may have lost. */
  async recover(rollUps: readonly RollUp[]): Promise<void> {
    const { lastSequence } = this.#log.state
    for (const rollUp of rollUps) {
      if (rollUp.sequence <= lastSequence) await this.#removeBefore(rollUp)
    }
  }

  /** Until the removals are as safe as the log, the roll-up stays with the store: on a full disk they may not come to be. */
  async #replace(rollUp: RollUp): Promise<void> {
    if (!(await this.#removeBefore(rollUp))) return
    this.#open.splice(this.#open.indexOf(rollUp), 1)
    this.#begun -= 1
  }

  /** Whether what was entered in this turn is committed; an empty unit shares its fate. */
  #areCommitted(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#site.store.beginUnit()
      this.#site.store.endUnit((error) => resolve(error === undefined))
    })
  }

  /** Answers, when they are as safe as the log, whether the removals are committed. */
  async #removeBefore({ sequence: before, topic }: RollUp): Promise<boolean> {
    const isAll = topic === undefined
    const replaced = isAll ? [] : await selectForPurge(this.#log, this.#site, { topic, before })
    if (isAll) this.#log.trim(before - 1, true)
    for (const sequence of replaced) this.#log.remove(sequence, true)
    return this.#areCommitted()
  }
}
