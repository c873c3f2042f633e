// Reads a stream upwards for somebody who wants its messages and no consumer.
import { StoredMessage, type ReadOptions, type StreamReader } from '../engine/index.js'
import type { Log, LogCursor } from '../log/index.js'
import { IS_DELAYED } from './record-flags.js'
import { resolveStart } from './start-point.js'
import { showRecord, type TopicLookUp } from './stream-record.js'
import { TopicFilter } from './topic-selection.js'

export class RecordReader implements StreamReader {
  readonly #log: Log
  readonly #topicAt: TopicLookUp
  readonly #options: ReadOptions
  readonly #filter: TopicFilter
  readonly #through: number
  readonly #message: StoredMessage
  #cursor: LogCursor | undefined
  /** Last per topic: the sequences to show, ascending; undefined: all. */
  #targets: readonly number[] | undefined
  #targetIndex = 0

  constructor(log: Log, topicAt: TopicLookUp, options: ReadOptions) {
    this.#log = log
    this.#topicAt = topicAt
    this.#options = options
    this.#filter = new TopicFilter(options.topics ?? [])
    this.#through = Math.min(options.through ?? Infinity, log.state.lastSequence)
    this.#message = new StoredMessage(topicAt(NO_TOPIC, 0, NO_TOPIC.length))
  }

  next(): StoredMessage | undefined | Promise<StoredMessage | undefined> {
    const cursor = this.#cursor
    if (cursor === undefined) return this.#begin().then(() => this.next())
    for (;;) {
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
      const message = showRecord(cursor, this.#message, this.#topicAt)
      if (this.#filter.matchesEverything || this.#filter.matches(message.handle.name)) {
        return message
      }
    }
  }

  close(): void {
    this.#cursor?.close()
    this.#targets = []
  }

  async #begin(): Promise<void> {
    const start = this.#options.start ?? { at: 'first' }
    const { position, targets } = await resolveStart(this.#log, start, this.#filter.patterns)
    this.#targets ??= targets
    this.#cursor = this.#log.cursor(position, { isTransient: true })
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
