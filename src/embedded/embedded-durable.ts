// The durable half of the embedded engine: its streams by name and by topic, and what is published to them.
import { FanfareError, type Alarms, type Clock } from '../base/index.js'
import {
  assertStreamSettings,
  type BytesMessage,
  differingFields,
  type AppendOptions,
  type DeadLetters,
  type Durable,
  type EngineEvent,
  type EngineMessage,
  type PublishOutcome,
  type ReceiptSink,
  type Stream,
  type StreamSettings,
  type Transaction,
} from '../engine/index.js'
import {
  MemoryLogStore,
  type LogStore,
  type RecoveryFinding,
  type RecoveredOwner,
} from '../log/index.js'
import { PatternIndex, type TopicHandle } from '../topic/index.js'
import { inBackground } from './background.js'
import { recoverConsumer, type RecoveredConsumer } from './consumer-record.js'
import {
  deadLetterPattern,
  deadLetterStreamSettings,
  deadLetterTopic,
  type DeadLetterBox,
} from './dead-letter-box.js'
import { streamOfConsumerOwner, type EmbeddedConsumer } from './embedded-consumer.js'
import { EmbeddedDeadLetters } from './embedded-dead-letters.js'
import { EmbeddedStream } from './embedded-stream.js'
import { EmbeddedTransaction, noStreamError } from './embedded-transaction.js'
import { streamDiffersError } from './stream-errors.js'
import { recoverStream, streamOfOwner, streamOwnerName } from './stream-snapshot.js'
import type { StreamSite } from './stream-site.js'

/** Where the streams of an engine lie. */
export interface EngineStorage {
  readonly store: LogStore
  /** The strongest durability that a stream can have there. */
  readonly strongest: StreamSettings['durability']
  /** Bytes after which a stream's file is full; default: what the store says. */
  readonly segmentBytes?: number | undefined
  /** Called when the store has been closed. */
  readonly closed?: (() => Promise<void>) | undefined
}

/** What the durable half needs of its engine. */
export interface DurablePlace {
  readonly clock: Clock
  readonly alarms: Alarms
  topic(name: string): TopicHandle
  readonly topicAt: (bytes: Uint8Array, from: number, to: number) => TopicHandle
  report(event: EngineEvent): void
  /** Delivers to live receivers only. */
  deliver(address: TopicHandle, message: EngineMessage): PublishOutcome
  /** Looks up anew, at their next use, the topics that `pattern` matches. */
  forgetInterest(pattern: string): void
  /** The consumers that want messages of a topic, as remembered with it. */
  consumersOf(address: TopicHandle): readonly EmbeddedConsumer[]
  streamOf(address: TopicHandle): EmbeddedStream | undefined
  /** Throws CLOSED when the engine is closed. */
  assertOpen(): void
}

export class EmbeddedDurable implements Durable {
  readonly store: LogStore
  readonly strongest: StreamSettings['durability']
  readonly #place: DurablePlace
  readonly #closed: (() => Promise<void>) | undefined
  readonly #segmentBytes: number | undefined
  readonly #site: StreamSite
  readonly #byName = new Map<string, EmbeddedStream>()
  readonly #byTopic = new PatternIndex<EmbeddedStream>()
  /** Topics of streams that are being made, with the stream's name. */
  readonly #takenTopics = new PatternIndex<string>()
  /** Streams that are being made or removed: the next call for the same name waits. */
  readonly #underWay = new Map<string, Promise<unknown>>()

  constructor(place: DurablePlace, { store, strongest, segmentBytes, closed }: EngineStorage) {
    this.store = store
    this.strongest = strongest
    this.#closed = closed
    this.#segmentBytes = segmentBytes
    this.#place = place
    this.#site = {
      clock: place.clock,
      alarms: place.alarms,
      store,
      topicAt: place.topicAt,
      topic: (name) => place.topic(name),
      report: (event) => place.report(event),
      deliver: (address, message) => void place.deliver(address, message),
      forgetInterest: (pattern) => place.forgetInterest(pattern),
      consumersOf: (address) => place.consumersOf(address),
      openDeadLetterBox: (source, name, consumer) =>
        this.#openDeadLetterBox(source, name, consumer),
    }
  }

  /** Takes up the streams and consumers that the store has from an earlier life. */
  async recover(): Promise<void> {
    this.#reportFindings()
    this.#dropUnowned()
    const consumers = this.#recoverConsumers()
    for (const [owner, recovered] of [...this.store.recovered]) {
      const name = streamOfOwner(owner)
      if (name !== undefined) await this.#recoverStream(name, owner, recovered)
    }
    // Only now, as a consumer may hand out dead letters of another stream.
    for (const stream of this.#byName.values()) {
      await stream.recoverConsumers(consumers.get(stream.name) ?? [])
    }
  }

  async #recoverStream(name: string, owner: string, recovered: RecoveredOwner): Promise<void> {
    const log = this.store.logs.get(name)
    if (log === undefined) {
      this.store.disown(owner)
      return
    }
    const found = recoverStream(recovered)
    const stream = new EmbeddedStream(this.#site, found.settings, log)
    await stream.recover(found)
    this.#enter(stream)
  }

  /** Tells of damage that the store met: when it was opened, or later while reading. */
  reportFinding({ kind, log, path, description }: RecoveryFinding): void {
    this.#place.report({ type: 'recovery-finding', kind, stream: log, path, description })
  }

  async createStream(settings: StreamSettings): Promise<Stream> {
    this.#place.assertOpen()
    assertStreamSettings(settings)
    return this.#oneByOne(settings.name, async () => {
      const existing = this.#byName.get(settings.name)
      if (existing !== undefined) {
        const fields = differingFields(existing.settings, settings)
        if (fields.length > 0) throw streamDiffersError(settings.name, fields)
        return existing
      }
      this.#assertDurability(settings)
      this.#assertFreeTopics(settings)
      return this.#make(settings)
    })
  }

  async updateStream(settings: StreamSettings): Promise<Stream> {
    this.#place.assertOpen()
    assertStreamSettings(settings)
    return this.#oneByOne(settings.name, async () => {
      const stream = this.#known(settings.name)
      this.#assertChangeable(stream.settings, settings)
      this.#assertFreeTopics(settings)
      this.#displace(stream)
      const updated = stream.update(settings)
      this.#enter(stream)
      await updated
      return stream
    })
  }

  async findStream(name: string): Promise<EmbeddedStream | undefined> {
    this.#place.assertOpen()
    return this.#byName.get(name)
  }

  async streams(): Promise<readonly Stream[]> {
    this.#place.assertOpen()
    return [...this.#byName.values()]
  }

  async deleteStream(name: string): Promise<boolean> {
    this.#place.assertOpen()
    return this.#oneByOne(name, async () => {
      const stream = this.#byName.get(name)
      if (stream === undefined) return false
      this.#displace(stream)
      await stream.delete()
      return true
    })
  }

  publish(
    address: TopicHandle,
    message: EngineMessage,
    sink: ReceiptSink,
    token: number,
    options?: AppendOptions,
  ): PublishOutcome {
    this.#place.assertOpen()
    const stream = this.#place.streamOf(address)
    if (stream === undefined) {
      sink.refused(token, 1, noStreamError(address.name))
      return 0
    }
    let bytes: BytesMessage
    try {
      bytes = message.toBytes()
    } catch (error) {
      if (!FanfareError.is(error)) throw error
      sink.refused(token, 1, error)
      return 0
    }
    const isAccepted = stream.append(address, bytes, options, sink, token) > 0
    const isShown = isAccepted && !stream.isDelaying(options)
    const outcome = isShown ? this.#place.deliver(address, message) : 0
    return stream.isOverMark ? outcome | 1 : outcome
  }

  beginTransaction(): Transaction {
    this.#place.assertOpen()
    return new EmbeddedTransaction({
      store: this.store,
      streamOf: (address) => this.#place.streamOf(address),
      deliver: (address, message) => this.#place.deliver(address, message),
    })
  }

  deadLetters(stream: Stream): DeadLetters {
    return new EmbeddedDeadLetters(this.#known(stream.name), this.store, () => {
      this.#place.assertOpen()
      const boxes = new Set<EmbeddedStream>()
      this.#byTopic.forEachOverlap(deadLetterPattern(stream.name), (box) => boxes.add(box))
      return [...boxes]
    })
  }

  /** The stream that captures a topic. */
  capturing(topic: string): EmbeddedStream | undefined {
    let found: EmbeddedStream | undefined
    this.#byTopic.forEachMatch(topic, (stream) => (found = stream))
    return found
  }

  async close(): Promise<void> {
    const reason = new FanfareError('CLOSED', 'the engine is closed')
    for (const stream of this.#byName.values()) stream.stop(reason)
    await this.store.close()
    await this.#closed?.()
  }

  /** Makes a stream whose topics are free: they are taken from the first moment, while it is being made. */
  async #make(settings: StreamSettings): Promise<EmbeddedStream> {
    const { name, topics, durability } = settings
    for (const topic of topics) this.#takenTopics.insert(topic, name)
    try {
      const segmentBytes = this.#segmentBytes
      const log = await this.store.create(name, {
        durability,
        ...(segmentBytes === undefined ? {} : { segmentBytes }),
      })
      const stream = new EmbeddedStream(this.#site, settings, log)
      await stream.adopt(false)
      this.#enter(stream)
      return stream
    } finally {
      for (const topic of topics) this.#takenTopics.remove(topic, name)
    }
  }

  #enter(stream: EmbeddedStream): void {
    this.#byName.set(stream.name, stream)
    for (const topic of stream.settings.topics) {
      this.#byTopic.insert(topic, stream)
      this.#place.forgetInterest(topic)
    }
  }

  #displace(stream: EmbeddedStream): void {
    this.#byName.delete(stream.name)
    for (const topic of stream.settings.topics) {
      this.#byTopic.remove(topic, stream)
      this.#place.forgetInterest(topic)
    }
  }

  /** Consumers of one stream may share a box or have their own; it takes the topics of each when it is first needed. */
  async #openDeadLetterBox(source: string, name: string, consumer: string): Promise<DeadLetterBox> {
    // No stream has such a name.
    await this.#oneByOne(`box ${name}`, () => this.#makeBox(source, name, consumer))
    const box = this.#byName.get(name)!
    return {
      findRefusal: (address, message) => box.findRefusal(address, message),
      write: (address, message) => void box.write(address, message),
      settle: (sequence) => {
        if (!box.isDeleted) box.log.remove(sequence, true)
      },
      read: (sequence) => box.get(sequence),
    }
  }

  async #makeBox(source: string, name: string, consumer: string): Promise<void> {
    const wanted = deadLetterStreamSettings(this.#known(source).settings, name, consumer)
    const existing = this.#byName.get(name)
    if (existing === undefined) await this.createStream(wanted)
    else if (this.capturing(deadLetterTopic(source, consumer, 'any')) !== existing) {
      const topics = [...existing.settings.topics, ...wanted.topics]
      await this.updateStream({ ...existing.settings, topics })
    }
  }

  #known(name: string): EmbeddedStream {
    const stream = this.#byName.get(name)
    if (stream === undefined) throw noSuchStreamError(name)
    return stream
  }

  #recoverConsumers(): Map<string, RecoveredConsumer[]> {
    const byStream = new Map<string, RecoveredConsumer[]>()
    for (const [owner, recovered] of this.store.recovered) {
      const stream = streamOfConsumerOwner(owner)
      if (stream === undefined) continue
      if (!this.store.logs.has(stream)) this.store.disown(owner)
      else byStream.set(stream, [...(byStream.get(stream) ?? []), recoverConsumer(recovered)])
    }
    return byStream
  }

  /** A log without settings is of a stream whose making was cut short; one that holds something is left alone. */
  #dropUnowned(): void {
    for (const log of [...this.store.logs.values()]) {
      if (this.store.recovered.has(streamOwnerName(log.name))) continue
      if (log.state.lastSequence === 0) inBackground(this.store.drop(log), this.#site)
      else {
        this.#place.report({
          type: 'recovery-finding',
          kind: 'quarantined',
          stream: log.name,
          path: log.name,
          description: 'there are messages and no settings; they are left as they are',
        })
      }
    }
  }

  #reportFindings(): void {
    for (const finding of this.store.findings) this.reportFinding(finding)
  }

  #assertFreeTopics({ name, topics }: StreamSettings): void {
    for (const topic of topics) {
      let other: string | undefined
      this.#byTopic.forEachOverlap(topic, (stream) => {
        if (stream.name !== name) other = stream.name
      })
      this.#takenTopics.forEachOverlap(topic, (stream) => {
        if (stream !== name) other = stream
      })
      if (other === undefined) continue
      throw new FanfareError(
        'TOPICS_OVERLAP',
        `'${topic}' of stream ${name} overlaps with a topic of stream ${other}`,
        { details: { stream: name, topic, other } },
      )
    }
  }

  #assertDurability({ name, durability }: StreamSettings): void {
    if (this.strongest !== 'memory' || durability === 'memory') return
    throw new FanfareError(
      'UNSUPPORTED',
      `stream ${name} wants durability '${durability}', and this broker keeps everything in memory; open it with a directory`,
      { details: { stream: name, durability } },
    )
  }

  #assertChangeable(now: StreamSettings, wanted: StreamSettings): void {
    for (const field of ['durability', 'retention'] as const) {
      if (now[field] === wanted[field]) continue
      throw new FanfareError(
        'UNSUPPORTED',
        `${field} of stream ${now.name} cannot be changed from '${now[field]}' to '${wanted[field]}'`,
        { details: { stream: now.name, field } },
      )
    }
  }

  async #oneByOne<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#underWay.get(name) ?? Promise.resolve()
    const mine = before.then(work, work)
    this.#underWay.set(name, mine)
    try {
      return await mine
    } finally {
      if (this.#underWay.get(name) === mine) this.#underWay.delete(name)
    }
  }
}

/** Streams in the memory of this process: nothing outlives the engine. */
export function openMemoryStorage(clock: Clock): EngineStorage {
  return { store: new MemoryLogStore({ clock }), strongest: 'memory' }
}

function noSuchStreamError(name: string): FanfareError {
  return new FanfareError('STREAM_NOT_FOUND', `there is no stream ${name}`, {
    details: { stream: name },
  })
}
