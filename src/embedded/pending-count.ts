// How many messages a consumer has still to be handed for the first time: counted once, then kept.
import type { Log } from '../log/index.js'
import { IS_DELAYED } from './record-flags.js'
import type { MessageSelection } from './message-selection.js'
import { walkRecords } from './record-walk.js'
import { toStoredMessage } from './stream-record.js'
import { selectTopics, type SelectionSite } from './topic-selection.js'

/** Where counting begins, as things are at that moment. */
export interface PendingRange {
  readonly position: number
  readonly untouched: number
  readonly selection: MessageSelection
}

export class PendingCount {
  /** Never less than there are. */
  count = 0
  /** Messages went of which it is not known whether they were counted. */
  isStale = false
  #counting: Promise<void> = Promise.resolve()
  readonly #log: Log
  readonly #site: SelectionSite

  constructor(log: Log, site: SelectionSite) {
    this.#log = log
    this.#site = site
  }

  /**
   * Counts what `begin` says, when earlier counting has ended: what is wanted from `position` on, and `untouched` messages before.
   * What is accepted meanwhile is counted by the caller.
   */
  recount(begin: () => PendingRange, flush: () => Promise<void>): Promise<void> {
    const count = (): Promise<void> => this.#recount(begin, flush)
    this.#counting = this.#counting.then(count, count)
    return this.#counting
  }

  async #recount(begin: () => PendingRange, flush: () => Promise<void>): Promise<void> {
    this.isStale = false
    await this.#log.settled()
    // What was accepted and is not committed could not be looked at.
    while (this.#log.acceptedSequence > this.#log.state.lastSequence) await flush()
    const { position, untouched, selection } = begin()
    this.count = untouched
    const found = await this.#countFrom(position, selection)
    this.count += found
  }

  async #countFrom(position: number, selection: MessageSelection): Promise<number> {
    const { firstSequence, lastSequence } = this.#log.state
    if (position > lastSequence) return 0
    if (selection.isByContent) return this.#countBetween(position, lastSequence, selection)
    const all = selectTopics(this.#log, selection.topics.patterns).reduce(
      (sum, { messages }) => sum + messages,
      0,
    )
    const before = position - firstSequence
    if (before <= 0) return all
    if (before > lastSequence - position) {
      return this.#countBetween(position, lastSequence, selection)
    }
    return all - (await this.#countBetween(firstSequence, position - 1, selection))
  }

  async #countBetween(from: number, through: number, selection: MessageSelection): Promise<number> {
    const { clock, topicAt } = this.#site
    const cursor = this.#log.cursor(from, { isTransient: true })
    let count = 0
    await walkRecords(cursor, clock, () => {
      if (cursor.sequence > through) return false
      if ((cursor.flags & IS_DELAYED) !== 0) return true
      if (selection.isByContent) {
        if (selection.matches(toStoredMessage(cursor, topicAt))) count += 1
      } else {
        const { name } = topicAt(cursor.bytes, cursor.keyStart, cursor.keyEnd)
        if (selection.topics.matches(name)) count += 1
      }
      return true
    })
    return count
  }
}
