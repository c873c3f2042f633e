// Which messages a stream keeps for its consumers: with 'work-queue' until one consumer has settled them, with 'interest' until
// every consumer that wants them has. What follows from settlements is derived again after a restart and not logged.
import type { Clock } from '../base/index.js'
import {
  BytesView,
  type BytesMessage,
  type EngineEvent,
  type StreamSettings,
} from '../engine/index.js'
import type { Log, LogRecord } from '../log/index.js'
import { inBackground } from './background.js'
import type { Interested } from './interested.js'
import { IS_DELAYED } from './record-flags.js'
import { walkRecords } from './record-walk.js'
import { toStoredMessage, type TopicLookUp } from './stream-record.js'

/** What it needs of the engine. */
export interface RetentionSite {
  readonly clock: Clock
  readonly topicAt: TopicLookUp
  report(event: EngineEvent): void
}

export class Retention {
  readonly #policy: StreamSettings['retention']
  readonly #log: Log
  readonly #site: RetentionSite
  readonly #consumers: () => Iterable<Interested>
  #looked: number

  constructor(
    policy: StreamSettings['retention'],
    log: Log,
    site: RetentionSite,
    consumers: () => Iterable<Interested>,
  ) {
    this.#policy = policy
    this.#log = log
    this.#site = site
    this.#consumers = consumers
    this.#looked = log.state.lastSequence
  }

  /** A consumer has settled a message. */
  settled(sequence: number, by: Interested): void {
    if (this.#policy === 'limits') return
    const others = [...this.#consumers()].filter((consumer) => consumer !== by)
    if (this.#policy === 'work-queue' || others.every((other) => other.hasSettled(sequence))) {
      this.#log.remove(sequence, false)
      return
    }
    inBackground(this.#removeIfDone(sequence), this.#site)
  }

  /** With 'interest': messages that nobody wants are not kept. */
  async committed(through: number): Promise<void> {
    const from = this.#looked + 1
    this.#looked = through
    await this.#sweep(from, through)
  }

  /** Removes everything that is done with: after a restart, or when a consumer has gone. */
  async sweep(): Promise<void> {
    if (this.#policy === 'limits') return
    await this.#sweep(this.#log.state.firstSequence, this.#log.state.lastSequence)
  }

  async #removeIfDone(sequence: number): Promise<void> {
    const record = await this.#log.read(sequence)
    if (record !== undefined && this.#isDone(record)) this.#log.remove(sequence, false)
  }

  async #sweep(from: number, through: number): Promise<void> {
    const cursor = this.#log.cursor(from, { isTransient: true })
    await walkRecords(cursor, this.#site.clock, () => {
      if (cursor.sequence > through) return false
      if (this.#isDone(cursor)) this.#log.remove(cursor.sequence, false)
      return true
    })
  }

  #isDone(record: LogRecord): boolean {
    const { sequence, flags } = record
    if ((flags & IS_DELAYED) !== 0) return false
    const message = toStoredMessage(record, this.#site.topicAt)
    const { name } = message.handle
    const concerned = [...this.#consumers()].filter((consumer) => consumer.wants(name))
    const interested = whoAdmits(concerned, message)
    return this.#policy === 'work-queue'
      ? interested.some((consumer) => consumer.hasSettled(sequence))
      : interested.every((consumer) => consumer.hasSettled(sequence))
  }
}

/** Those of `consumers` that want this message, which is of one of their topics; it is looked at once, if anybody asks. */
export function whoAdmits<C extends Interested>(
  consumers: readonly C[],
  message: BytesMessage,
): readonly C[] {
  if (!consumers.some(({ isByContent }) => isByContent)) return consumers
  const view = new BytesView(message)
  return consumers.filter((consumer) => consumer.admits(view))
}
