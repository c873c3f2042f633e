// Where a consumer's messages come from: its stream, read upwards, and the box of its dead letters for those that are handed out
// again. What was read and waits for its turn is kept, up to a bound; beyond it it is read again.
import type { ConsumerLedger } from '../delivery/ledger/index.js'
import type { StoredMessage } from '../engine/index.js'
import type { LogCursor } from '../log/index.js'
import type { ConsumerHome } from './consumer-home.js'
import type { Interested } from './interested.js'
import { KeptMessages } from './kept-messages.js'
import type { ConsumerTerms } from './consumer-record.js'
import { orderKeyOf, restoreOriginal, type DeadLetterBox } from './dead-letter-box.js'
import { MessageSelection } from './message-selection.js'
import { IS_DELAYED } from './record-flags.js'
import { toStoredMessage } from './stream-record.js'
import type { StreamSite } from './stream-site.js'

export class MessageSource {
  /** Replay at the original pace: when the next message is due; Infinity: there is nothing to wait for. */
  dueMs = Infinity
  /** The sequences wanted while 'last-per-topic' lasts, ascending; what lies between is passed over. */
  targets: readonly number[] | undefined
  /** Where this consumer's dead letters lie, once it was opened. */
  box: DeadLetterBox | undefined
  /** Whether the feed shows it what is committed; it then reads nothing. */
  isFollowing = false
  readonly #site: StreamSite
  readonly #home: ConsumerHome
  readonly #terms: () => ConsumerTerms
  readonly #loaded: () => void
  readonly #reader: Interested
  readonly #kept = new KeptMessages()
  #selection: MessageSelection
  #cursor: LogCursor | undefined
  #isLoading = false
  #replay: { readonly startedAtMs: number; readonly firstTimeMs: number } | undefined

  /** `loaded` is called when reading may go on; `reader` is who follows the feed. */
  constructor(
    site: StreamSite,
    home: ConsumerHome,
    terms: () => ConsumerTerms,
    loaded: () => void,
    reader: Interested,
  ) {
    this.#site = site
    this.#home = home
    this.#terms = terms
    this.#loaded = loaded
    this.#reader = reader
    this.#selection = this.#select()
    this.targets = terms().targets
  }

  /** Whether everything that was accepted has been read. */
  get isAtEnd(): boolean {
    const { log, feed } = this.#home
    const position = this.isFollowing ? feed.position : (this.#cursor?.position ?? 0)
    return position > log.acceptedSequence
  }

  get selection(): MessageSelection {
    return this.#selection
  }

  /** Begins to read at `position`, by the terms as they are now. */
  begin(position: number): void {
    this.close()
    this.#selection = this.#select()
    this.#cursor = this.#home.log.cursor(position)
  }

  close(): void {
    if (this.isFollowing) this.#home.feed.leave(this.#reader)
    this.isFollowing = false
    this.#cursor?.close()
    this.#cursor = undefined
    this.#kept.clear()
  }

  /** Takes out a message that was read before and is at hand. */
  takeKept(id: number): StoredMessage | undefined {
    return this.#kept.take(id)
  }

  /** The message of an id: one of the stream, or below zero a dead letter that is handed out again. */
  async read(id: number): Promise<StoredMessage | undefined> {
    const kept = this.#kept.find(id)
    if (kept !== undefined) return kept
    if (id > 0) {
      const record = await this.#home.log.read(id)
      return record === undefined ? undefined : toStoredMessage(record, this.#site.topicAt)
    }
    await this.#openBox()
    const letter = await this.box?.read(-id)
    return letter === undefined
      ? undefined
      : restoreOriginal(letter, (name) => this.#site.topic(name))
  }

  /** What order is kept by, where it is kept by key. */
  keyOf(message: StoredMessage): string | undefined {
    return this.#terms().settings.order === 'key' ? orderKeyOf(message) : undefined
  }

  /** Offers the ledger one more message, or passes over one; false: there is none to be had at once. */
  readOn(ledger: ConsumerLedger): boolean {
    const cursor = this.#cursor
    if (cursor === undefined || this.isFollowing) return false
    this.#seek(cursor, ledger)
    const found = cursor.next()
    if (found === 'wait') this.#load(cursor)
    if (found === 'end') this.#follow(cursor)
    if (found !== 'record') return false
    const message = toStoredMessage(cursor, this.#site.topicAt)
    const { sequence } = message
    if ((cursor.flags & IS_DELAYED) !== 0 || !this.#selection.matches(message)) {
      ledger.skip(sequence)
      return true
    }
    if (!this.#isDue(message, cursor)) return false
    ledger.offer(sequence, this.keyOf(message))
    if (!this.#kept.isFull) this.#kept.add(message)
    return true
  }

  /** Offers the ledger a message on a topic of its own that the feed shows; false: as much is kept as may be. */
  take(ledger: ConsumerLedger, message: StoredMessage): boolean {
    if (!this.#selection.matches(message)) {
      ledger.skip(message.sequence)
      return true
    }
    if (this.#kept.isFull) return false
    const { sequence } = message
    ledger.offer(sequence, this.keyOf(message))
    this.#kept.add(message)
    return true
  }

  /** Reads by itself again, from a number on. */
  fallBehind(ledger: ConsumerLedger, sequence: number): void {
    this.isFollowing = false
    ledger.skip(sequence - 1)
    this.#cursor?.seek(sequence)
  }

  /** Everything that is committed was looked at. Who looks for certain messages or moments goes on doing so. */
  #follow(cursor: LogCursor): void {
    const { feed } = this.#home
    if (this.targets !== undefined || this.#terms().settings.replay !== 'instant') {
      feed.wakeLater(this.#reader)
      return
    }
    this.isFollowing = true
    feed.join(this.#reader, cursor.position)
  }

  #select(): MessageSelection {
    const { topics, where } = this.#terms().settings
    return new MessageSelection(topics, where)
  }

  /** Passes over what the ledger knows to be settled, and what lies between the targets. */
  #seek(cursor: LogCursor, ledger: ConsumerLedger): void {
    if (ledger.position > cursor.position) cursor.seek(ledger.position)
    if (this.targets === undefined) return
    const next = this.targets.find((target) => target >= cursor.position)
    if (next === undefined) this.targets = undefined
    else if (next > cursor.position) {
      ledger.skip(next - 1)
      cursor.seek(next)
    }
  }

  /** Whether the moment of a message has come; otherwise it is looked at again then. */
  #isDue(message: StoredMessage, cursor: LogCursor): boolean {
    if (this.#terms().settings.replay === 'instant') return true
    const nowMs = this.#site.clock.nowMs()
    this.#replay ??= { startedAtMs: nowMs, firstTimeMs: message.timeMs }
    const dueMs = this.#replay.startedAtMs + (message.timeMs - this.#replay.firstTimeMs)
    if (dueMs <= nowMs) return true
    cursor.seek(message.sequence)
    this.dueMs = dueMs
    return false
  }

  #load(cursor: LogCursor): void {
    if (this.#isLoading) return
    this.#isLoading = true
    const goOn = (): void => {
      this.#isLoading = false
      this.#loaded()
    }
    // What cannot be read is reported by the log, which passes over it.
    cursor.loaded().then(goOn, goOn)
  }

  async #openBox(): Promise<void> {
    const { deadLetter, name } = this.#terms().settings
    if (deadLetter === undefined) return
    this.box = await this.#site.openDeadLetterBox(this.#home.name, deadLetter.stream, name)
  }
}
