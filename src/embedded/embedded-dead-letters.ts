// The dead letters of one stream's consumers: found, handed out again, discarded.
import { type DeadLetter, type DeadLetterQuery, type DeadLetters } from '../engine/index.js'
import type { LogStore } from '../log/index.js'
import { matchesPattern } from '../topic/index.js'
import { readDeadLetter } from './dead-letter-box.js'
import type { EmbeddedConsumer } from './embedded-consumer.js'
import type { EmbeddedStream } from './embedded-stream.js'
import { noConsumerError } from './stream-errors.js'

export class EmbeddedDeadLetters implements DeadLetters {
  readonly #source: EmbeddedStream
  readonly #store: LogStore
  readonly #findBoxes: () => EmbeddedStream[]

  /** `findBoxes` answers the streams that take dead letters of the source. */
  constructor(source: EmbeddedStream, store: LogStore, findBoxes: () => EmbeddedStream[]) {
    this.#source = source
    this.#store = store
    this.#findBoxes = findBoxes
  }

  async count(): Promise<number> {
    let count = 0
    for (const box of this.#findBoxes()) {
      for (const { messages } of await box.topics(`$DEAD.${this.#source.name}.>`)) count += messages
    }
    return count
  }

  async list(query: DeadLetterQuery = {}): Promise<DeadLetter[]> {
    const { limit = Infinity } = query
    const found: DeadLetter[] = []
    for (const box of this.#findBoxes()) {
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
      const going = ofConsumer.filter(({ sequence }) => consumer?.abandonRedrive(sequence) ?? true)
      const wholeKeys =
        consumer === undefined ? [] : await this.#keysWithNothingElse(consumer, going)
      const box = this.#boxOf(consumer)
      if (box === undefined) continue
      await this.#commit(() => {
        for (const { sequence } of going) if (box.log.remove(sequence, true)) count += 1
        consumer?.unparkInUnit(wholeKeys)
      })
    }
    return count
  }

  #commit(accept: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#store.beginUnit()
      accept()
      this.#store.endUnit((error) => (error ? reject(error) : resolve()))
    })
  }

  /** The keys of `letters` of which no other letter of the consumer is left. */
  async #keysWithNothingElse(
    consumer: EmbeddedConsumer,
    letters: readonly DeadLetter[],
  ): Promise<string[]> {
    if (consumer.settings.order !== 'key') return []
    const going = new Set(letters.map(({ sequence }) => sequence))
    const keys = new Set(letters.flatMap(({ key }) => key ?? []))
    const box = this.#boxOf(consumer)
    if (box === undefined) return []
    for await (const letter of this.#read(box, consumer.name)) {
      if (!going.has(letter.sequence) && letter.key !== undefined) keys.delete(letter.key)
    }
    return [...keys]
  }

  async *#read(box: EmbeddedStream, consumer = '*'): AsyncGenerator<DeadLetter> {
    const reader = box.read({ topics: [`$DEAD.${this.#source.name}.${consumer}.>`] })
    try {
      for (;;) {
        const message = await reader.next()
        if (message === undefined) return
        // A letter outlives the reader's next call, after which the message is another.
        const letter = readDeadLetter(message.retain())
        if (letter !== undefined) yield letter
      }
    } finally {
      reader.close()
    }
  }

  /** The stream that has a consumer's letters. */
  #boxOf(consumer: EmbeddedConsumer | undefined): EmbeddedStream | undefined {
    const boxes = this.#findBoxes()
    return boxes.find(({ name }) => name === consumer?.settings.deadLetter?.stream) ?? boxes[0]
  }
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
