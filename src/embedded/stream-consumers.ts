// The consumers of one stream: made, found, changed and deleted by name, and which of them want a topic.
import { FanfareError } from '../base/index.js'
import {
  assertConsumerSettings,
  differingFields,
  type Consumer,
  type ConsumerSettings,
} from '../engine/index.js'
import { PatternIndex, patternsOverlap } from '../topic/index.js'
import type { ConsumerHome } from './consumer-home.js'
import type { RecoveredConsumer } from './consumer-record.js'
import { EmbeddedConsumer } from './embedded-consumer.js'
import { withCanonicalFilter } from './message-selection.js'
import { consumerDiffersError, noConsumerError } from './stream-errors.js'
import type { StreamSite } from './stream-site.js'

export class StreamConsumers {
  readonly #site: StreamSite
  readonly #home: ConsumerHome
  readonly #byName = new Map<string, EmbeddedConsumer>()
  /** By the patterns that each was indexed under, which an update may change. */
  #byTopic = new PatternIndex<EmbeddedConsumer>()

  constructor(site: StreamSite, home: ConsumerHome) {
    this.#site = site
    this.#home = home
  }

  get count(): number {
    return this.#byName.size
  }

  all(): Iterable<EmbeddedConsumer> {
    return this.#byName.values()
  }

  find(name: string): EmbeddedConsumer | undefined {
    return this.#byName.get(name)
  }

  /** Those that want messages of `topic`. */
  wanting(topic: string): EmbeddedConsumer[] {
    const wanting = new Set<EmbeddedConsumer>()
    this.#byTopic.forEachMatch(topic, (consumer) => wanting.add(consumer))
    return [...wanting]
  }

  async create(given: ConsumerSettings): Promise<Consumer> {
    assertConsumerSettings(given, this.#home.settings)
    const settings = withCanonicalFilter(given)
    const existing = this.#byName.get(settings.name)
    if (existing !== undefined) {
      const fields = differingFields(existing.settings, settings)
      if (fields.length > 0) throw consumerDiffersError(this.#home.name, settings.name, fields)
      await existing.whenStarted
      return existing
    }
    this.#assertRoomFor(settings)
    const consumer = new EmbeddedConsumer(this.#site, this.#home, settings)
    this.#place(consumer)
    await consumer.start()
    return consumer
  }

  async update(settings: ConsumerSettings): Promise<Consumer> {
    assertConsumerSettings(settings, this.#home.settings)
    const consumer = this.#byName.get(settings.name)
    if (consumer === undefined) throw noConsumerError(this.#home.name, settings.name)
    assertChangeable(this.#home.name, consumer.settings, settings)
    this.#displace(consumer)
    const updated = consumer.update(withCanonicalFilter(settings))
    this.#place(consumer)
    await updated
    return consumer
  }

  /** False when there is none of that name. */
  async delete(name: string): Promise<boolean> {
    const consumer = this.#byName.get(name)
    if (consumer === undefined) return false
    this.#displace(consumer)
    const reason = `consumer ${name} of stream ${this.#home.name} was deleted`
    await consumer.delete(new FanfareError('CONSUMER_DELETED', reason))
    return true
  }

  async deleteAll(reason: FanfareError): Promise<void> {
    for (const consumer of this.#byName.values()) await consumer.delete(reason)
    this.#byName.clear()
    this.#byTopic = new PatternIndex()
  }

  /** Takes those up again that an earlier life had. */
  async recover(consumers: readonly RecoveredConsumer[]): Promise<void> {
    for (const recovered of consumers) {
      const { settings } = recovered.terms
      this.#place(new EmbeddedConsumer(this.#site, this.#home, settings, recovered))
    }
    for (const consumer of this.#byName.values()) await consumer.start(true)
  }

  #place(consumer: EmbeddedConsumer): void {
    this.#byName.set(consumer.name, consumer)
    for (const pattern of patternsOf(consumer)) this.#byTopic.insert(pattern, consumer)
    this.#forgetInterest()
  }

  #displace(consumer: EmbeddedConsumer): void {
    this.#byName.delete(consumer.name)
    for (const pattern of patternsOf(consumer)) this.#byTopic.remove(pattern, consumer)
    this.#forgetInterest()
  }

  #forgetInterest(): void {
    for (const topic of this.#home.settings.topics) this.#site.forgetInterest(topic)
  }

  #assertRoomFor(settings: ConsumerSettings): void {
    const { name: stream, maxConsumers, retention } = this.#home.settings
    if (maxConsumers !== undefined && this.#byName.size >= maxConsumers) {
      throw new FanfareError(
        'STREAM_FULL',
        `stream ${stream} has ${maxConsumers} consumers and takes no more`,
        { details: { stream, limit: 'maxConsumers' } },
      )
    }
    if (retention !== 'work-queue') return
    const wanted = this.#topicsOf(settings)
    for (const other of this.#byName.values()) {
      const taken = this.#topicsOf(other.settings)
      if (!taken.some((left) => wanted.some((right) => patternsOverlap(left, right)))) continue
      throw new FanfareError(
        'TOPICS_OVERLAP',
        `consumer ${other.name} takes the same topics; a message of a work queue goes to one consumer`,
        { details: { consumer: settings.name, other: other.name } },
      )
    }
  }

  #topicsOf({ topics }: ConsumerSettings): readonly string[] {
    return topics.length === 0 ? this.#home.settings.topics : topics
  }
}

/** Without patterns of its own a consumer wants everything. */
function patternsOf({ settings: { topics } }: EmbeddedConsumer): readonly string[] {
  return topics.length === 0 ? ['>'] : [...new Set(topics)]
}
/** Where a consumer began, what its acknowledgements mean and where its letters are is part of what it is. */
function assertChangeable(stream: string, now: ConsumerSettings, wanted: ConsumerSettings): void {
  const differing = differingFields(now, wanted)
  const moved = now.deadLetter?.stream ?? wanted.deadLetter?.stream
  const movesLetters = wanted.deadLetter !== undefined && wanted.deadLetter.stream !== moved
  const fixed = differing.find((field) => FIXED.includes(field))
  const field = movesLetters ? 'deadLetter' : fixed
  if (field === undefined) return
  throw new FanfareError(
    'UNSUPPORTED',
    `${field} of consumer ${now.name} of stream ${stream} cannot be changed; make a consumer of another name`,
    { details: { stream, consumer: now.name, field } },
  )
}

const FIXED: readonly string[] = ['start', 'acknowledge', 'isDurable']
