// How many messages a consumer has still to be handed for the first time: counted once, then kept.
import type { Log } from '../log/index.js'
import { IS_DELAYED } from './record-flags.js'
import { walkRecords } from './record-walk.js'
import { selectTopics, type SelectionSite, type TopicFilter } from './topic-selection.js'

export class PendingCount {
  count = 0
  readonly #log: Log
  readonly #site: SelectionSite

  constructor(log: Log, site: SelectionSite) {
    this.#log = log
    this.#site = site
  }

  /**
   * Counts what matches from `position` on, and `untouched` messages before. What is accepted meanwhile is counted by the
   * caller.
   */
  async recount(
    position: number,
    untouched: number,
    filter: TopicFilter,
    flush: () => Promise<void>,
  ): Promise<void> {
    await this.#log.settled()
    // What was accepted and is not committed could not be looked at.
    while (this.#log.acceptedSequence > this.#log.state.lastSequence) await flush()
    this.count = untouched
    const { firstSequence, lastSequence } = this.#log.state
    if (position > lastSequence) return
    const all = selectTopics(this.#log, filter.patterns).reduce(
      (sum, { messages }) => sum + messages,
      0,
    )
    const before = position - firstSequence
    if (before <= 0) this.count += all
    else if (before > lastSequence - position) {
      this.count += await this.#countBetween(position, lastSequence, filter)
    } else this.count += all - (await this.#countBetween(firstSequence, position - 1, filter))
  }

  async #countBetween(from: number, through: number, filter: TopicFilter): Promise<number> {
    const { clock, topicAt } = this.#site
    const cursor = this.#log.cursor(from, { isTransient: true })
    let count = 0
    await walkRecords(cursor, clock, () => {
      if (cursor.sequence > through) return false
      if ((cursor.flags & IS_DELAYED) !== 0) return true
      const { name } = topicAt(cursor.bytes, cursor.keyStart, cursor.keyEnd)
      if (filter.matches(name)) count += 1
      return true
    })
    return count
  }
}
