// Reads a stream upwards for somebody who wants its messages and no consumer.
import type { Clock } from '../base/index.js'
import { StoredMessage, type ReadOptions, type StreamReader } from '../engine/index.js'
import type { Log, LogCursor } from '../log/index.js'
import { MessageSelection } from './message-selection.js'
import { IS_DELAYED } from './record-flags.js'
import { resolveStart } from './start-point.js'
import { showRecord, type TopicLookUp } from './stream-record.js'

/** What it needs of the engine. */
interface ReadingPlace {
  readonly clock: Clock
  readonly topicAt: TopicLookUp
}

/** Messages that are not wanted, after which other work of the process gets its turn. */
const MOST_PASSED_OVER = 1_000

export class RecordReader implements StreamReader {
  readonly #log: Log
  readonly #place: ReadingPlace
  readonly #options: ReadOptions
  readonly #selection: MessageSelection
  readonly #through: number
  readonly #message: StoredMessage
  #cursor: LogCursor | undefined
  /** Last per topic: the sequences to show, ascending; undefined: all. */
  #targets: readonly number[] | undefined
  #targetIndex = 0

  /** Throws FILTER_INVALID. */
  constructor(log: Log, place: ReadingPlace, options: ReadOptions) {
    this.#log = log
    this.#place = place
    this.#options = options
    this.#selection = new MessageSelection(options.topics ?? [], options.where)
    this.#through = Math.min(options.through ?? Infinity, log.state.lastSequence)
    this.#message = new StoredMessage(place.topicAt(NO_TOPIC, 0, NO_TOPIC.length))
  }

  next(): StoredMessage | undefined | Promise<StoredMessage | undefined> {
    const cursor = this.#cursor
    if (cursor === undefined) return this.#begin().then(() => this.next())
    for (let passedOver = 0; ;) {
      if (this.#targets !== undefined && !this.#seekTarget(cursor)) return undefined
      const found = cursor.next()
      if (found !== 'record') {
        return found === 'end' ? undefined : cursor.loaded().then(() => this.next())
      }
      if (cursor.sequence > this.#through) return undefined
      if (this.#targets !== undefined && cursor.sequence !== this.#targets[this.#targetIndex]) {
        continue
      }
      if ((cursor.flags & IS_DELAYED) !== 0) continue
      const message = showRecord(cursor, this.#message, this.#place.topicAt)
      if (this.#selection.matchesEverything || this.#selection.matches(message)) return message
      passedOver += 1
      if (passedOver === MOST_PASSED_OVER) return this.#giveWay().then(() => this.next())
    }
  }

  close(): void {
    this.#cursor?.close()
    this.#targets = []
  }

  async #begin(): Promise<void> {
    const start = this.#options.start ?? { at: 'first' }
    const { position, targets } = await resolveStart(
      this.#log,
      start,
      this.#selection.topics.patterns,
    )
    this.#targets ??= targets
    this.#cursor = this.#log.cursor(position, { isTransient: true })
  }

  #giveWay(): Promise<void> {
    return new Promise((resolve) => this.#place.clock.defer(resolve))
  }

  /** Goes to the next target that was not passed; false when there is none. */
  #seekTarget(cursor: LogCursor): boolean {
    const targets = this.#targets!
    while (targets[this.#targetIndex]! < cursor.position) this.#targetIndex += 1
    const target = targets[this.#targetIndex]
    if (target === undefined) return false
    if (cursor.position !== target) cursor.seek(target)
    return true
  }
}

const NO_TOPIC = new TextEncoder().encode('-')
