// How many messages a consumer has still to be handed for the first time: counted once, then kept.
import type { Clock } from '../base/index.js'
import type { Log } from '../log/index.js'
import { IS_DELAYED } from './record-flags.js'
import type { MessageSelection } from './message-selection.js'
import { toStoredMessage, type TopicLookUp } from './stream-record.js'
import { moveToNext, selectTopics } from './topic-selection.js'

/** Where counting begins, as things are at that moment. */
export interface PendingRange {
  readonly position: number
  readonly untouched: number
  readonly selection: MessageSelection
}

/** Messages after which other work of the process gets its turn. */
const LOOKED_AT_IN_ONE_GO = 1_000

export class PendingCount {
  /** Never less than there are. */
  count = 0
  /** Messages went of which it is not known whether they were counted. */
  isStale = false
  #counting: Promise<void> = Promise.resolve()
  readonly #log: Log
  readonly #topicAt: TopicLookUp
  readonly #clock: Clock

  constructor(log: Log, topicAt: TopicLookUp, clock: Clock) {
    this.#log = log
    this.#topicAt = topicAt
    this.#clock = clock
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
    const cursor = this.#log.cursor(from)
    let count = 0
    let looked = 0
    try {
      while ((await moveToNext(cursor)) && cursor.sequence <= through) {
        if ((cursor.flags & IS_DELAYED) !== 0) continue
        if (selection.matches(toStoredMessage(cursor, this.#topicAt))) count += 1
        if (++looked % LOOKED_AT_IN_ONE_GO === 0) await this.#giveWay()
      }
    } finally {
      cursor.close()
    }
    return count
  }

  #giveWay(): Promise<void> {
    return new Promise((resolve) => this.#clock.defer(resolve))
  }
}
