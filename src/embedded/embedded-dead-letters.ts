// The dead letters of one stream's consumers: found, handed out again, discarded.
import {
  deadLetterStreamName,
  type DeadLetter,
  type DeadLetterQuery,
  type DeadLetters,
} from '../engine/index.js'
import { matchesPattern } from '../topic/index.js'
import { readDeadLetter } from './dead-letter-box.js'
import type { EmbeddedConsumer } from './embedded-consumer.js'
import type { EmbeddedStream } from './embedded-stream.js'
import { noConsumerError } from './stream-errors.js'

export class EmbeddedDeadLetters implements DeadLetters {
  readonly #source: EmbeddedStream
  readonly #findStream: (name: string) => EmbeddedStream | undefined

  constructor(source: EmbeddedStream, findStream: (name: string) => EmbeddedStream | undefined) {
    this.#source = source
    this.#findStream = findStream
  }

  async count(): Promise<number> {
    let count = 0
    for (const box of await this.#boxes()) {
      for (const { messages } of await box.topics(`$DEAD.${this.#source.name}.>`)) count += messages
    }
    return count
  }

  async list(query: DeadLetterQuery = {}): Promise<DeadLetter[]> {
    const { limit = Infinity } = query
    const found: DeadLetter[] = []
    for (const box of await this.#boxes()) {
      for await (const letter of this.#read(box, query.consumer)) {
        if (found.length >= limit) return found
        if (matches(letter, query)) found.push(letter)
      }
    }
    return found
  }

  async get(sequence: number): Promise<DeadLetter | undefined> {
    const [letter] = await this.list({ sequences: [sequence], limit: 1 })
    return letter
  }

  async redrive(query: DeadLetterQuery = {}): Promise<number> {
    const letters = await this.list(query)
    let count = 0
    for (const [name, ofConsumer] of groupBy(letters, ({ consumer }) => consumer)) {
      const consumer = await this.#source.findConsumer(name)
      if (consumer === undefined) throw noConsumerError(this.#source.name, name)
      const inOrder = ofConsumer.sort(
        (left, right) => left.originalSequence - right.originalSequence,
      )
      const wholeKeys = await this.#keysWithNothingElse(consumer, ofConsumer)
      count += await consumer.redrive(
        inOrder.map(({ sequence }) => sequence),
        wholeKeys,
      )
    }
    return count
  }

  async discard(query: DeadLetterQuery = {}): Promise<number> {
    const letters = await this.list(query)
    let count = 0
    for (const [name, ofConsumer] of groupBy(letters, ({ consumer }) => consumer)) {
      const consumer = await this.#source.findConsumer(name)
      const going = ofConsumer.filter(({ sequence }) => consumer?.isRedriving(sequence) !== true)
      const wholeKeys =
        consumer === undefined ? [] : await this.#keysWithNothingElse(consumer, going)
      const box = await this.#boxOf(consumer)
      for (const { sequence } of going) if ((await box?.remove(sequence)) === true) count += 1
      for (const key of wholeKeys) consumer?.unpark(key)
    }
    return count
  }

  /** The keys of `letters` of which no other letter of the consumer is left. */
  async #keysWithNothingElse(
    consumer: EmbeddedConsumer,
    letters: readonly DeadLetter[],
  ): Promise<string[]> {
    if (consumer.settings.order !== 'key') return []
    const going = new Set(letters.map(({ sequence }) => sequence))
    const keys = new Set(letters.map(keyOf))
    const box = await this.#boxOf(consumer)
    if (box === undefined) return []
    for await (const letter of this.#read(box, consumer.name)) {
      if (!going.has(letter.sequence)) keys.delete(keyOf(letter))
    }
    return [...keys]
  }

  async *#read(box: EmbeddedStream, consumer = '*'): AsyncGenerator<DeadLetter> {
    const reader = box.read({ topics: [`$DEAD.${this.#source.name}.${consumer}.>`] })
    try {
      for (;;) {
        const message = await reader.next()
        if (message === undefined) return
        const letter = readDeadLetter(message)
        if (letter !== undefined) yield letter
      }
    } finally {
      reader.close()
    }
  }

  async #boxOf(consumer: EmbeddedConsumer | undefined): Promise<EmbeddedStream | undefined> {
    const name = consumer?.settings.deadLetter?.stream ?? deadLetterStreamName(this.#source.name)
    return this.#findStream(name)
  }

  async #boxes(): Promise<EmbeddedStream[]> {
    const names = new Set([deadLetterStreamName(this.#source.name)])
    for (const { settings } of await this.#source.consumers()) {
      if (settings.deadLetter !== undefined) names.add(settings.deadLetter.stream)
    }
    return [...names].flatMap((name) => this.#findStream(name) ?? [])
  }
}

/** What order is kept by, as `orderKeyOf` has it for the original. */
function keyOf({ key, topic }: DeadLetter): string {
  return key ?? topic
}

function matches(letter: DeadLetter, query: DeadLetterQuery): boolean {
  const { consumer, topic, key, reason, sequences } = query
  return (
    (consumer === undefined || letter.consumer === consumer) &&
    (topic === undefined || matchesPattern(topic, letter.topic)) &&
    (key === undefined || letter.key === key) &&
    (reason === undefined || letter.reason === reason) &&
    (sequences === undefined || sequences.includes(letter.sequence))
  )
}

function groupBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const name = nameOf(item)
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [item])
    else group.push(item)
  }
  return groups
}
