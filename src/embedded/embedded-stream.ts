// A stream of the embedded engine: a log whose keys are topics, with what publishers may expect of it, its limits, and the
// consumers over it.
import type { FanfareError } from '../base/index.js'
import {
  type AppendOptions,
  type BytesMessage,
  type Consumer,
  type ConsumerSettings,
  type PurgeOptions,
  type ReadOptions,
  type ReceiptSink,
  type StoredMessage,
  type Stream,
  type StreamReader,
  type StreamSettings,
  type StreamState,
  type TopicState,
} from '../engine/index.js'
import type { Log, LogListener, NoteOwner } from '../log/index.js'
import type { TopicHandle } from '../topic/index.js'
import { inBackground } from './background.js'
import type { ConsumerHome } from './consumer-home.js'
import type { RecoveredConsumer } from './consumer-record.js'
import type { EmbeddedConsumer } from './embedded-consumer.js'
import { Expectations } from './expectations.js'
import { KnownIds } from './known-ids.js'
import { MessageTimes } from './message-times.js'
import { flagsOf, readId, withPublishHeaders } from './publish-headers.js'
import { Receipts } from './receipts.js'
import { HAS_ID, HAS_TTL, IS_DELAYED } from './record-flags.js'
import { RecordReader } from './record-reader.js'
import { walkRecords } from './record-walk.js'
import { Retention, whoAdmits } from './retention.js'
import { RollUps } from './roll-ups.js'
import { StreamConsumers } from './stream-consumers.js'
import { deletedError, sinkFailed } from './stream-errors.js'
import { StreamFeed } from './stream-feed.js'
import {
  findFullness,
  findSizeFault,
  logLimitsOf,
  NOTHING_AHEAD,
  type Ahead,
} from './stream-limits.js'
import { delayedKey, isDelayedKey, toStoredMessage } from './stream-record.js'
import {
  encodeMarksNote,
  encodeSettingsNote,
  encodeStreamSnapshot,
  streamOwnerName,
  type RecoveredStream,
} from './stream-snapshot.js'
import type { StreamSite } from './stream-site.js'
import { selectForPurge, selectTopics } from './topic-selection.js'

/** Publishers should pause while more than this waits for its commit. */
const BACKLOG_MARK_BYTES = 8 * 1024 * 1024

const NO_OPTIONS: AppendOptions = {}

export class EmbeddedStream implements Stream, LogListener, NoteOwner, ConsumerHome {
  readonly log: Log
  readonly retention: Retention
  readonly feed: StreamFeed
  readonly #site: StreamSite
  readonly #receipts: Receipts
  readonly #consumers: StreamConsumers
  readonly #times: MessageTimes
  readonly #expectations: Expectations
  readonly #ids: KnownIds
  readonly #rollUps: RollUps
  /** The marks that records may have: opening looks for no others. */
  #marks = 0
  #settings: StreamSettings
  /** Why nothing can be asked of it any more. */
  #ended: FanfareError | undefined

  constructor(site: StreamSite, settings: StreamSettings, log: Log) {
    this.#site = site
    this.#settings = settings
    this.#receipts = new Receipts(this, (error) => site.report(sinkFailed(settings.name, error)))
    this.log = log
    this.#consumers = new StreamConsumers(site, this)
    this.#expectations = new Expectations(log)
    this.#ids = new KnownIds(site, log, settings.duplicateWindowMs)
    this.#rollUps = new RollUps(site, log)
    this.#times = new MessageTimes(site, log, (message) => this.#appendDue(message))
    this.retention = new Retention(settings.retention, log, site, () => this.#consumers.all())
    this.feed = new StreamFeed(log, site)
    log.listen(this)
  }

  get name(): string {
    return this.#settings.name
  }

  get settings(): StreamSettings {
    return this.#settings
  }

  get isDeleted(): boolean {
    return this.#ended?.code === 'STREAM_DELETED'
  }

  /** Whether publishers should pause. */
  get isOverMark(): boolean {
    return this.log.backlogBytes > BACKLOG_MARK_BYTES
  }

  /** Where what is known of this stream lies in the store. */
  get ownerName(): string {
    return streamOwnerName(this.name)
  }

  snapshot(): Uint8Array {
    const duplicates = this.#ids.snapshot()
    return encodeStreamSnapshot({
      settings: this.#settings,
      marks: this.#marks,
      idsThrough: this.#ids.keptThrough,
      rollUps: this.#rollUps.open,
      duplicates,
    })
  }

  async state(): Promise<StreamState> {
    this.#assertThere()
    const { records, keys, ...state } = this.log.state
    return {
      ...state,
      messages: records,
      topics: keys,
      consumers: this.#consumers.count,
      frozen: this.log.frozen,
    }
  }

  /**
   * Appends a message published to `address`. Answers its sequence, or 0 when it was refused or a duplicate, which `sink` is
   * told of.
   */
  append(
    address: TopicHandle,
    message: BytesMessage,
    options: AppendOptions = NO_OPTIONS,
    sink?: ReceiptSink,
    token = 0,
  ): number {
    const original = this.findDuplicate(options)
    if (original !== undefined) {
      this.#acceptDuplicate(sink, token, original)
      return 0
    }
    const refusal = this.findRefusal(address, message, options)
    if (refusal !== undefined) {
      sink?.refused(token, 1, refusal)
      return 0
    }
    const sequence =
      options.rollUp === undefined
        ? this.write(address, message, options)
        : this.#writeInUnit(address, message, options)
    if (sink !== undefined) this.#receipts.accepted(sink, token, sequence)
    return sequence
  }

  /** The sequence under which the id was accepted before, within the window. */
  findDuplicate(options: AppendOptions): number | undefined {
    if (options.id === undefined) return undefined
    return this.#ids.find(options.id, this.#site.clock.nowMs())
  }

  /** Whether a message published so is shown later, not now. */
  isDelaying(options: AppendOptions = NO_OPTIONS): boolean {
    const { deliverAtMs } = options
    return deliverAtMs !== undefined && deliverAtMs > this.#site.clock.nowMs()
  }

  /** Why the message cannot be appended now, or undefined. */
  findRefusal(
    address: TopicHandle,
    message: BytesMessage,
    options: AppendOptions = NO_OPTIONS,
    ahead: Ahead = NOTHING_AHEAD,
  ): FanfareError | undefined {
    if (this.#ended !== undefined) return this.#ended
    if (this.log.frozen !== undefined) return this.log.frozen
    return (
      findSizeFault(this.#settings, message) ??
      this.#expectations.findFailed(address, options, ahead) ??
      findFullness(this.#settings, this.log, address, message, ahead)
    )
  }

  /** Accepts a message that nothing refuses; within a unit of the store, if it rolls up. */
  write(address: TopicHandle, given: BytesMessage, options: AppendOptions = NO_OPTIONS): number {
    const nowMs = this.#site.clock.nowMs()
    const flags = flagsOf(options, nowMs)
    const isDelayed = (flags & IS_DELAYED) !== 0
    const message = flags === 0 ? given : withPublishHeaders(given, options)
    const sequence = this.log.append(
      nowMs,
      flags,
      isDelayed ? delayedKey(address.bytes) : address.bytes,
      message.buffer,
      message.headersStart,
      message.headersEnd,
      message.bodyStart,
      message.bodyEnd,
    )
    if (flags !== 0) this.#remember(sequence, nowMs, flags, options)
    if (isDelayed) return sequence
    this.#expectations.accepted(address, sequence)
    if (options.rollUp !== undefined) {
      this.#rollUps.add({ sequence, topic: options.rollUp === 'topic' ? address.name : undefined })
    }
    for (const consumer of whoAdmits(this.#site.consumersOf(address), message)) {
      consumer.messageAccepted()
    }
    return sequence
  }

  committed(through: number): void {
    if (through >= this.log.acceptedSequence) this.#expectations.forgetAccepted()
    this.#rollUps.committed(through, (before) => this.#ids.keep(before))
    this.#receipts.committed(through)
    this.feed.committed()
    if (this.#settings.retention === 'interest') {
      inBackground(this.retention.committed(through), this.#site)
    }
    this.#times.arm()
  }

  failed(from: number, error: FanfareError): void {
    this.#expectations.forgetAccepted()
    this.#rollUps.failed(from)
    this.#ids.forgetFrom(from)
    this.#times.failed(from)
    for (const consumer of this.#consumers.all()) consumer.messagesLost()
    this.#receipts.failed(from, error)
    if (this.log.frozen === undefined) return
    this.#site.report({ type: 'stream-frozen', stream: this.name, error })
  }

  removed(sequence: number, key: Uint8Array, keyStart: number, keyEnd: number): void {
    // All that were accepted go in one note, not each in its own.
    if (sequence > this.#ids.keptThrough) this.#ids.keep(this.log.acceptedSequence)
    if (this.#consumers.count === 0 || isDelayedKey(key, keyStart)) return
    const { name } = this.#site.topicAt(key, keyStart, keyEnd)
    for (const consumer of this.#consumers.all()) consumer.messageRemoved(sequence, name)
  }

  dropping(throughSequence: number): void {
    this.#ids.keep(throughSequence)
  }

  cleared(): void {
    for (const consumer of this.#consumers.all()) consumer.messagesLost()
  }

  async get(sequence: number): Promise<StoredMessage | undefined> {
    this.#assertThere()
    const record = await this.log.read(sequence)
    if (record === undefined || (record.flags & IS_DELAYED) !== 0) return undefined
    return toStoredMessage(record, this.#site.topicAt)
  }

  async lastOf(topic: TopicHandle): Promise<StoredMessage | undefined> {
    this.#assertThere()
    const found = this.log.keys.find(topic.bytes)
    return found === undefined ? undefined : this.get(found.lastSequence)
  }

  read(options: ReadOptions = {}): StreamReader {
    this.#assertThere()
    return new RecordReader(this.log, this.#site, options)
  }

  async topics(pattern = '>'): Promise<TopicState[]> {
    this.#assertThere()
    await this.log.settled()
    const found = selectTopics(this.log, [pattern])
    return found.sort((left, right) => (left.topic < right.topic ? -1 : 1))
  }

  async purge(options: PurgeOptions = {}): Promise<number> {
    this.#assertThere()
    const { lastSequence, records } = this.log.state
    this.#ids.keep(lastSequence)
    const isPartial = options.topic !== undefined || options.keep !== undefined
    const selected = isPartial ? await selectForPurge(this.log, this.#site, options) : []
    await this.#commit(() => {
      for (const sequence of selected) this.log.remove(sequence, true)
      if (!isPartial) this.log.trim(Math.min((options.before ?? Infinity) - 1, lastSequence), true)
    })
    return records - this.log.state.records
  }

  async remove(sequence: number): Promise<boolean> {
    this.#assertThere()
    this.#ids.keep(sequence)
    let wasThere = false
    await this.#commit(() => {
      wasThere = this.log.remove(sequence, true)
    })
    // Of one that is gone, another removal may be on its way to the disk.
    if (!wasThere) await this.#site.store.flush()
    return wasThere
  }

  async createConsumer(settings: ConsumerSettings): Promise<Consumer> {
    this.#assertThere()
    return this.#consumers.create(settings)
  }

  async updateConsumer(settings: ConsumerSettings): Promise<Consumer> {
    this.#assertThere()
    return this.#consumers.update(settings)
  }

  async findConsumer(name: string): Promise<EmbeddedConsumer | undefined> {
    this.#assertThere()
    return this.#consumers.find(name)
  }

  async consumers(): Promise<readonly EmbeddedConsumer[]> {
    this.#assertThere()
    return [...this.#consumers.all()]
  }

  async deleteConsumer(name: string): Promise<boolean> {
    this.#assertThere()
    if (!(await this.#consumers.delete(name))) return false
    if (this.#settings.retention === 'interest') await this.retention.sweep()
    return true
  }

  /** The consumers that want messages of `topic`. */
  consumersOf(topic: string): EmbeddedConsumer[] {
    return this.#consumers.wanting(topic)
  }

  // ---- its life ----------------------------------------------------------------------------------------------------

  /** Makes it known to the store, durable when it resolves; limits hold from now on. */
  async adopt(isRecovered: boolean): Promise<void> {
    this.log.setLimits(logLimitsOf(this.#settings))
    await new Promise<void>((resolve, reject) => {
      this.#site.store.adopt(this.ownerName, this, (error) => (error ? reject(error) : resolve()))
      if (isRecovered) resolve()
    })
  }

  /** Goes on where an earlier life stopped: ids and moments. Before it ends nothing may be published. */
  async recover(found: RecoveredStream): Promise<void> {
    this.#ids.recover(found.duplicates)
    this.#marks = found.marks
    await this.#recoverMarked(found.idsThrough)
    await this.#rollUps.recover(found.rollUps)
    await this.adopt(true)
  }

  /** Takes up its consumers again, and lets go what they are through with. */
  async recoverConsumers(consumers: readonly RecoveredConsumer[]): Promise<void> {
    await this.#consumers.recover(consumers)
    await this.retention.sweep()
    this.#times.check()
  }

  async update(settings: StreamSettings): Promise<void> {
    this.#settings = settings
    this.#ids.setWindow(settings.duplicateWindowMs)
    this.log.setLimits(logLimitsOf(settings))
    this.log.enforceLimits(this.#site.clock.nowMs())
    this.#times.arm()
    await new Promise<void>((resolve, reject) => {
      const note = encodeSettingsNote(settings)
      this.#site.store.note(this.ownerName, note, 'fsync', (error) =>
        error ? reject(error) : resolve(),
      )
    })
  }

  /** Ends it and its consumers, and forgets them. */
  async delete(): Promise<void> {
    const reason = deletedError(this.name)
    this.#ended = reason
    this.#times.close()
    await this.#consumers.deleteAll(reason)
    await this.#site.store.drop(this.log)
    this.#receipts.failed(0, reason)
    await new Promise<void>((resolve, reject) => {
      this.#site.store.disown(this.ownerName, (error) => (error ? reject(error) : resolve()))
    })
  }

  /** Stops without forgetting: the engine closes. */
  stop(reason: FanfareError): void {
    this.#ended = reason
    this.#times.close()
    for (const consumer of this.#consumers.all()) consumer.stop(reason)
  }

  /** Resolves when all that `accept` accepts is committed, and rejects when it cannot be. */
  #commit(accept: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#site.store.beginUnit()
      try {
        accept()
      } finally {
        this.#site.store.endUnit((error) => (error ? reject(error) : resolve()))
      }
    })
  }

  /**
   * Reads again what carries an id that is not known, or a moment of its own. Ids also of messages that are gone: limits may
   * have removed them, or remove them at this opening, before their ids were noted.
   */
  async #recoverMarked(idsThrough: number): Promise<void> {
    const windowStartMs = this.#site.clock.nowMs() - this.#settings.duplicateWindowMs
    const hasTimes = (this.#marks & (HAS_TTL | IS_DELAYED)) !== 0
    if (!hasTimes && (this.#marks & HAS_ID) === 0) return
    const cursor = this.log.remains(hasTimes ? 0 : windowStartMs)
    if (!hasTimes) cursor.seek(Math.max(cursor.position, idsThrough + 1))
    await walkRecords(cursor, this.#site.clock, () => {
      const { flags, sequence, timeMs } = cursor
      if (flags === 0) return
      const message = toStoredMessage(cursor, this.#site.topicAt)
      // Of those that are gone nothing is done when their moment comes.
      this.#times.recovered(message, sequence, timeMs, flags)
      const isUnknown = sequence > idsThrough && timeMs >= windowStartMs
      const id = isUnknown && (flags & HAS_ID) !== 0 ? readId(message) : undefined
      if (id !== undefined) this.#ids.add(id, sequence, timeMs)
    })
  }

  // ---- publishing --------------------------------------------------------------------------------------------------

  #acceptDuplicate(sink: ReceiptSink | undefined, token: number, original: number): void {
    if (sink === undefined) return
    this.#receipts.duplicated(sink, token, original)
    this.#receipts.committed(this.log.state.lastSequence)
  }

  #remember(sequence: number, nowMs: number, flags: number, options: AppendOptions): void {
    if ((flags & ~this.#marks) !== 0) {
      this.#marks |= flags
      this.#site.store.note(this.ownerName, encodeMarksNote(this.#marks), 'fsync')
    }
    this.#times.accepted(sequence, nowMs, flags, options)
    if (options.id !== undefined) this.#ids.add(options.id, sequence, nowMs)
  }

  /** A delayed message whose moment has come: accepted anew as an ordinary one, and shown to live receivers. */
  #appendDue(message: BytesMessage): void {
    this.write(message.handle, message)
    this.#site.deliver(message.handle, message)
  }

  #writeInUnit(address: TopicHandle, message: BytesMessage, options: AppendOptions): number {
    this.#site.store.beginUnit()
    try {
      return this.write(address, message, options)
    } finally {
      this.#site.store.endUnit()
    }
  }

  #assertThere(): void {
    if (this.#ended !== undefined) throw this.#ended
  }
}
