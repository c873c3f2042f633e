// A stream of the embedded engine: a log whose keys are topics, with what publishers may expect of it, its limits, and the
// consumers over it.
import { FanfareError } from '../base/index.js'
import { DuplicateWindow } from '../delivery/index.js'
import {
  assertConsumerSettings,
  differingFields,
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
import { patternsOverlap, type TopicHandle } from '../topic/index.js'
import { inBackground } from './background.js'
import type { ConsumerHome } from './consumer-home.js'
import type { RecoveredConsumer } from './consumer-record.js'
import { EmbeddedConsumer } from './embedded-consumer.js'
import { MessageTimes } from './message-times.js'
import { flagsOf, readId, withPublishHeaders } from './publish-headers.js'
import { Receipts } from './receipts.js'
import { HAS_ID, HAS_TTL, IS_DELAYED } from './record-flags.js'
import { RecordReader } from './record-reader.js'
import { Retention } from './retention.js'
import {
  consumerDiffersError,
  deletedError,
  expectationError,
  noConsumerError,
  sinkFailed,
} from './stream-errors.js'
import {
  findFullness,
  findSizeFault,
  logLimitsOf,
  NOTHING_AHEAD,
  type Ahead,
} from './stream-limits.js'
import { delayedKey, isDelayedKey, toStoredMessage } from './stream-record.js'
import {
  encodeIdsNote,
  encodeMarksNote,
  encodeRollUpNote,
  encodeSettingsNote,
  encodeStreamSnapshot,
  streamOwnerName,
  type RecoveredStream,
  type RollUp,
} from './stream-snapshot.js'
import type { StreamSite } from './stream-site.js'
import { moveToNext, selectForPurge, selectTopics } from './topic-selection.js'

/** Publishers should pause while more than this waits for its commit. */
const BACKLOG_MARK_BYTES = 8 * 1024 * 1024

/** Ids that a stream remembers at most, whatever its window. */
const MOST_IDS = 4_000_000

const NO_OPTIONS: AppendOptions = {}
const encoder = new TextEncoder()

export class EmbeddedStream implements Stream, LogListener, NoteOwner, ConsumerHome {
  readonly log: Log
  readonly retention: Retention
  readonly #site: StreamSite
  readonly #receipts: Receipts
  readonly #consumers = new Map<string, EmbeddedConsumer>()
  readonly #times: MessageTimes
  /** The last accepted sequence of topics that were published to since everything was last committed. */
  readonly #tails = new Map<TopicHandle, number>()
  #duplicates: DuplicateWindow
  /** Roll-ups that wait for their commit, and those whose removals are under way, in order. */
  readonly #rollUps: RollUp[] = []
  #rollUpsBegun = 0
  /** The marks that records may have: opening looks for no others. */
  #marks = 0
  /** Ids of messages up to here are kept in notes or a snapshot. */
  #idsKeptThrough = 0
  #settings: StreamSettings
  /** Why nothing can be asked of it any more. */
  #ended: FanfareError | undefined

  constructor(site: StreamSite, settings: StreamSettings, log: Log) {
    this.#site = site
    this.#settings = settings
    this.#receipts = new Receipts(this, (error) => site.report(sinkFailed(settings.name, error)))
    this.log = log
    this.#duplicates = new DuplicateWindow(settings.duplicateWindowMs, MOST_IDS)
    this.#times = new MessageTimes(site, log, (message) => this.#appendDue(message))
    this.retention = new Retention(settings.retention, log, site, () => this.#consumers.values())
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
    this.#idsKeptThrough = this.log.acceptedSequence
    return encodeStreamSnapshot({
      settings: this.#settings,
      marks: this.#marks,
      idsThrough: this.#idsKeptThrough,
      rollUps: this.#rollUps,
      duplicates: this.#duplicates.snapshot(),
    })
  }

  async state(): Promise<StreamState> {
    this.#assertThere()
    const { records, keys, ...state } = this.log.state
    return {
      ...state,
      messages: records,
      topics: keys,
      consumers: this.#consumers.size,
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
    if (options.id === undefined || this.#settings.duplicateWindowMs === 0) return undefined
    const id = encoder.encode(options.id)
    return this.#duplicates.find(id, 0, id.length, this.#site.clock.nowMs())
  }

  /** Whether a message published so is shown later, not now. */
  isDelaying(options: AppendOptions = NO_OPTIONS): boolean {
    return (options.deliverAtMs ?? 0) > this.#site.clock.nowMs()
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
      this.#findFailedExpectation(address, options, ahead) ??
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
    this.#tails.set(address, sequence)
    if (options.rollUp !== undefined) {
      this.#noteRollUp({ sequence, topic: options.rollUp === 'topic' ? address.name : undefined })
    }
    for (const consumer of this.#site.consumersOf(address)) consumer.messageAccepted()
    return sequence
  }

  committed(through: number): void {
    if (through >= this.log.acceptedSequence) this.#tails.clear()
    this.#rollUp(through)
    this.#receipts.committed(through)
    for (const consumer of this.#consumers.values()) consumer.messagesCommitted()
    if (this.#settings.retention === 'interest') {
      inBackground(this.retention.committed(through), this.#site)
    }
    this.#times.arm()
  }

  failed(from: number, error: FanfareError): void {
    this.#tails.clear()
    while ((this.#rollUps.at(-1)?.sequence ?? 0) >= from) this.#rollUps.pop()
    this.#duplicates.removeFrom(from)
    this.#idsKeptThrough = Math.min(this.#idsKeptThrough, from - 1)
    for (const consumer of this.#consumers.values()) consumer.messagesLost()
    this.#receipts.failed(from, error)
    if (this.log.frozen === undefined) return
    this.#site.report({ type: 'stream-frozen', stream: this.name, error })
  }

  removed(sequence: number, key: Uint8Array, keyStart: number, keyEnd: number): void {
    if (this.#consumers.size === 0 || isDelayedKey(key, keyStart)) return
    const { name } = this.#site.topicAt(key, keyStart, keyEnd)
    for (const consumer of this.#consumers.values()) consumer.messageRemoved(sequence, name)
  }

  dropping(throughSequence: number): void {
    this.#keepIds(throughSequence)
  }

  cleared(): void {
    for (const consumer of this.#consumers.values()) consumer.messagesLost()
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
    return new RecordReader(this.log, this.#site.topicAt, options)
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
    this.#keepIds(lastSequence)
    if (options.topic === undefined && options.keep === undefined) {
      this.log.trim(Math.min((options.before ?? Infinity) - 1, lastSequence), true)
    } else {
      for (const sequence of await selectForPurge(this.log, this.#site.topicAt, options)) {
        this.log.remove(sequence, true)
      }
    }
    const purged = records - this.log.state.records
    await this.#site.store.flush()
    return purged
  }

  async remove(sequence: number): Promise<boolean> {
    this.#assertThere()
    this.#keepIds(sequence)
    const wasThere = this.log.remove(sequence, true)
    // Also for one that is gone: another removal of it may be on its way to the disk.
    await this.#site.store.flush()
    return wasThere
  }

  async createConsumer(settings: ConsumerSettings): Promise<Consumer> {
    this.#assertThere()
    assertConsumerSettings(settings, this.#settings)
    const existing = this.#consumers.get(settings.name)
    if (existing !== undefined) {
      const fields = differingFields(existing.settings, settings)
      if (fields.length > 0) throw consumerDiffersError(this.name, settings.name, fields)
      await existing.whenStarted
      return existing
    }
    this.#assertRoomForConsumer(settings)
    const consumer = new EmbeddedConsumer(this.#site, this, settings)
    this.#place(consumer)
    await consumer.start()
    return consumer
  }

  async updateConsumer(settings: ConsumerSettings): Promise<Consumer> {
    this.#assertThere()
    assertConsumerSettings(settings, this.#settings)
    const consumer = this.#consumers.get(settings.name)
    if (consumer === undefined) throw noConsumerError(this.name, settings.name)
    await consumer.update(settings)
    this.#forgetInterest()
    return consumer
  }

  async findConsumer(name: string): Promise<EmbeddedConsumer | undefined> {
    this.#assertThere()
    return this.#consumers.get(name)
  }

  async consumers(): Promise<readonly EmbeddedConsumer[]> {
    this.#assertThere()
    return [...this.#consumers.values()]
  }

  async deleteConsumer(name: string): Promise<boolean> {
    this.#assertThere()
    const consumer = this.#consumers.get(name)
    if (consumer === undefined) return false
    this.#consumers.delete(name)
    this.#forgetInterest()
    await consumer.delete(
      new FanfareError('CONSUMER_DELETED', `consumer ${name} of stream ${this.name} was deleted`),
    )
    if (this.#settings.retention === 'interest') await this.retention.sweep()
    return true
  }

  /** The consumers that want messages of `topic`. */
  consumersOf(topic: string): EmbeddedConsumer[] {
    return [...this.#consumers.values()].filter((consumer) => consumer.wants(topic))
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
    const { lastSequence } = this.log.state
    this.#duplicates = new DuplicateWindow(this.#settings.duplicateWindowMs, MOST_IDS)
    for (const ids of found.duplicates) this.#duplicates.addSnapshot(ids)
    // A snapshot may know ids of messages that were accepted and never committed.
    this.#duplicates.removeFrom(lastSequence + 1)
    this.#marks = found.marks
    await this.#recoverMarked(found.idsThrough)
    for (const rollUp of found.rollUps) {
      if (rollUp.sequence <= lastSequence) await this.#removeBefore(rollUp)
    }
    await this.adopt(true)
  }

  /** Takes up its consumers again, and lets go what they are through with. */
  async recoverConsumers(consumers: readonly RecoveredConsumer[]): Promise<void> {
    for (const recovered of consumers) {
      const { settings } = recovered.terms
      this.#place(new EmbeddedConsumer(this.#site, this, settings, recovered))
    }
    for (const consumer of this.#consumers.values()) await consumer.start(true)
    await this.retention.sweep()
    this.#times.check()
  }

  async update(settings: StreamSettings): Promise<void> {
    this.#settings = settings
    const duplicates = this.#duplicates.snapshot()
    this.#duplicates = DuplicateWindow.restore(settings.duplicateWindowMs, MOST_IDS, duplicates)
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
    for (const consumer of this.#consumers.values()) await consumer.delete(reason)
    this.#consumers.clear()
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
    for (const consumer of this.#consumers.values()) consumer.stop(reason)
  }

  #place(consumer: EmbeddedConsumer): void {
    this.#consumers.set(consumer.name, consumer)
    this.#forgetInterest()
  }

  #forgetInterest(): void {
    for (const topic of this.#settings.topics) this.#site.forgetInterest(topic)
  }

  /** Reads again what carries an id that is not known, or a moment of its own. */
  async #recoverMarked(idsThrough: number): Promise<void> {
    const { firstSequence } = this.log.state
    const windowStartMs = this.#site.clock.nowMs() - this.#settings.duplicateWindowMs
    const idsFrom = Math.max(await this.log.sequenceAt(windowStartMs), idsThrough + 1)
    const hasTimes = (this.#marks & (HAS_TTL | IS_DELAYED)) !== 0
    if (!hasTimes && (this.#marks & HAS_ID) === 0) return
    const cursor = this.log.cursor(hasTimes ? firstSequence : idsFrom)
    try {
      while (await moveToNext(cursor)) {
        const { flags, sequence, timeMs } = cursor
        if (flags === 0) continue
        const message = toStoredMessage(cursor, this.#site.topicAt)
        this.#times.recovered(message, sequence, timeMs, flags)
        const id = (flags & HAS_ID) !== 0 && sequence >= idsFrom ? readId(message) : undefined
        if (id !== undefined) this.#rememberId(id, sequence, timeMs)
      }
    } finally {
      cursor.close()
    }
  }

  // ---- publishing --------------------------------------------------------------------------------------------------

  #acceptDuplicate(sink: ReceiptSink | undefined, token: number, original: number): void {
    if (sink === undefined) return
    this.#receipts.duplicated(sink, token, original)
    this.#receipts.committed(this.log.state.lastSequence)
  }

  /** Ids outlive their messages: they are noted before the records that have them go. */
  #keepIds(throughSequence: number): void {
    if (this.#duplicates.size === 0 || throughSequence <= this.#idsKeptThrough) return
    const ids = this.#duplicates.snapshot(this.#idsKeptThrough + 1, throughSequence)
    this.#idsKeptThrough = throughSequence
    this.#site.store.note(this.ownerName, encodeIdsNote(ids), 'rides')
  }

  #remember(sequence: number, nowMs: number, flags: number, options: AppendOptions): void {
    if ((flags & ~this.#marks) !== 0) {
      this.#marks |= flags
      this.#site.store.note(this.ownerName, encodeMarksNote(this.#marks), 'fsync')
    }
    this.#times.accepted(sequence, nowMs, flags, options)
    if (options.id !== undefined) this.#rememberId(options.id, sequence, nowMs)
  }

  #rememberId(id: string, sequence: number, timeMs: number): void {
    if (this.#settings.duplicateWindowMs === 0) return
    const bytes = encoder.encode(id)
    if (this.#duplicates.find(bytes, 0, bytes.length, timeMs) !== undefined) return
    this.#duplicates.add(bytes, 0, bytes.length, sequence, timeMs)
  }

  /** A delayed message whose moment has come: accepted anew as an ordinary one, and shown to live receivers. */
  #appendDue(message: BytesMessage): void {
    this.write(message.handle, message)
    this.#site.deliver(message.handle, message)
  }

  #findFailedExpectation(
    address: TopicHandle,
    options: AppendOptions,
    ahead: Ahead,
  ): FanfareError | undefined {
    const { expectedStream, expectedLastSequence, expectedLastTopicSequence } = options
    if (expectedStream !== undefined && expectedStream !== this.name) {
      return expectationError('stream', expectedStream, this.name)
    }
    const last = this.log.acceptedSequence + ahead.messages
    if (expectedLastSequence !== undefined && expectedLastSequence !== last) {
      return expectationError('last sequence', expectedLastSequence, last)
    }
    if (expectedLastTopicSequence === undefined) return undefined
    const lastOfTopic =
      ahead.tails.get(address) ??
      this.#tails.get(address) ??
      this.log.keys.find(address.bytes)?.lastSequence ??
      0
    return expectedLastTopicSequence === lastOfTopic
      ? undefined
      : expectationError(`last sequence of ${address.name}`, expectedLastTopicSequence, lastOfTopic)
  }

  #writeInUnit(address: TopicHandle, message: BytesMessage, options: AppendOptions): number {
    this.#site.store.beginUnit()
    try {
      return this.write(address, message, options)
    } finally {
      this.#site.store.endUnit()
    }
  }

  #noteRollUp(rollUp: RollUp): void {
    this.#rollUps.push(rollUp)
    if (this.#settings.durability === 'memory') return
    this.#site.store.note(this.ownerName, encodeRollUpNote(rollUp), 'rides')
  }

  /** What was there before a roll-up leaves once the roll-up is committed. */
  #rollUp(through: number): void {
    for (;;) {
      const rollUp = this.#rollUps[this.#rollUpsBegun]
      if (rollUp === undefined || rollUp.sequence > through) return
      this.#rollUpsBegun += 1
      this.#keepIds(rollUp.sequence - 1)
      inBackground(
        this.#removeBefore(rollUp).finally(() => this.#forgetRollUp(rollUp)),
        this.#site,
      )
    }
  }

  #forgetRollUp(rollUp: RollUp): void {
    this.#rollUps.splice(this.#rollUps.indexOf(rollUp), 1)
    this.#rollUpsBegun -= 1
  }

  async #removeBefore({ sequence: before, topic }: RollUp): Promise<void> {
    if (topic === undefined) this.log.trim(before - 1, true)
    else {
      for (const sequence of await selectForPurge(this.log, this.#site.topicAt, {
        topic,
        before,
      })) {
        this.log.remove(sequence, true)
      }
    }
  }

  #assertThere(): void {
    if (this.#ended !== undefined) throw this.#ended
  }

  #assertRoomForConsumer(settings: ConsumerSettings): void {
    const { maxConsumers, retention } = this.#settings
    if (maxConsumers !== undefined && this.#consumers.size >= maxConsumers) {
      throw new FanfareError(
        'STREAM_FULL',
        `stream ${this.name} has ${maxConsumers} consumers and takes no more`,
        { details: { stream: this.name, limit: 'maxConsumers' } },
      )
    }
    if (retention !== 'work-queue') return
    const wanted = settings.topics.length === 0 ? this.#settings.topics : settings.topics
    for (const other of this.#consumers.values()) {
      const taken =
        other.settings.topics.length === 0 ? this.#settings.topics : other.settings.topics
      if (!taken.some((left) => wanted.some((right) => patternsOverlap(left, right)))) continue
      throw new FanfareError(
        'TOPICS_OVERLAP',
        `consumer ${other.name} takes the same topics; a message of a work queue goes to one consumer`,
        { details: { consumer: settings.name, other: other.name } },
      )
    }
  }
}
