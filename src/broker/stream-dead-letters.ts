// The dead letters of one stream's consumers: to look at, to hand out again, to discard.
import {
  StoredMessage,
  type DeadLetter as EngineLetter,
  type DeadLetterQuery as EngineQuery,
  type DeadLetterReason,
  type DeadLetters,
} from '../engine/index.js'
import type { DurableHost } from './durable-host.js'
import type { Message } from './message.js'
import {
  optionInvalid,
  refuseUnknownOptions,
  wholeNumber,
  withoutUndefined,
} from './option-checks.js'
import { patternOf, type TopicSource } from './source.js'
import { ReadMessage } from './stored-message.js'

export interface DeadLetter {
  /** Its own number. */
  readonly sequence: number
  /** When it was given up. */
  readonly time: Date
  readonly reason: DeadLetterReason
  /** What the handler threw, the reason it gave, or what is wrong with the data. */
  readonly error: string
  /** Hand-outs that it had. */
  readonly attempts: number
  /** The consumer that gave it up. */
  readonly consumer: string
  /** Where it came from. */
  readonly stream: string
  readonly originalSequence: number
  /** When the original was stored. */
  readonly originalTime: Date
  /** The message as it was. Its `data` throws while it is not what its definition says; `details.issues` of the error say why. */
  readonly message: Message
}

/** Which dead letters; what is left out does not matter. */
export interface DeadLetterQuery {
  /** The name of the consumer that gave them up. */
  readonly consumer?: string
  /** A definition, topic or pattern that the original's topic matches. */
  readonly topic?: TopicSource
  readonly key?: string
  readonly reason?: DeadLetterReason
  /** Their own numbers. */
  readonly sequences?: readonly number[]
  /** At most this many, the oldest first. */
  readonly limit?: number
}

const QUERY: ReadonlySet<string> = new Set<keyof DeadLetterQuery>([
  'consumer',
  'topic',
  'key',
  'reason',
  'sequences',
  'limit',
])

const NO_REPLY = new Uint8Array(0)

export class StreamDeadLetters {
  readonly #host: DurableHost
  readonly #letters: DeadLetters

  /** @internal */
  constructor(host: DurableHost, letters: DeadLetters) {
    this.#host = host
    this.#letters = letters
  }

  /** How many there are. */
  count(): Promise<number> {
    return this.#letters.count()
  }

  /** The oldest first. */
  async list(query: DeadLetterQuery = {}): Promise<DeadLetter[]> {
    const found = await this.#letters.list(toEngineQuery('deadLetters.list', query))
    return Promise.all(found.map((letter) => this.#present(letter)))
  }

  /** One by its own number. */
  async get(sequence: number): Promise<DeadLetter | undefined> {
    const letter = await this.#letters.get(wholeNumber('sequence', sequence, 1))
    return letter === undefined ? undefined : this.#present(letter)
  }

  /**
   * Hands letters out again, in their order, to the consumers that gave them up; resolves with how many. A letter leaves when
   * it is settled. Without a query: all of them.
   *
   * @example await orders.deadLetters.redrive({ key: 'customer-7' })
   */
  async redrive(query: DeadLetterQuery = {}): Promise<number> {
    return this.#letters.redrive(toEngineQuery('deadLetters.redrive', query))
  }

  /** Removes letters for good; resolves with how many. `{}`: all of them. */
  async discard(query: DeadLetterQuery): Promise<number> {
    if ((query as unknown) === undefined) {
      throw optionInvalid('query', query, 'given: {} discards every dead letter')
    }
    return this.#letters.discard(toEngineQuery('deadLetters.discard', query))
  }

  async #present(letter: EngineLetter): Promise<DeadLetter> {
    const { sequence, reason, error, attempts, consumer, stream, originalSequence } = letter
    return {
      sequence,
      time: new Date(letter.timeMs),
      reason,
      error,
      attempts,
      consumer,
      stream,
      originalSequence,
      originalTime: new Date(letter.originalTimeMs),
      message: await this.#restore(letter),
    }
  }

  async #restore(letter: EngineLetter): Promise<Message> {
    const { topic, headerBlock, body, stream } = letter
    const host = this.#host
    const message = new StoredMessage(host.topic(topic))
    message.setParts(NO_REPLY, headerBlock, body)
    message.sequence = letter.originalSequence
    message.timeMs = letter.originalTimeMs
    const restored = new ReadMessage(stream, message, host.context, host.findDefinition(topic))
    await restored.check()
    return restored
  }
}

function toEngineQuery(call: string, query: DeadLetterQuery): EngineQuery {
  refuseUnknownOptions(call, query, QUERY)
  const { topic, limit } = query
  return withoutUndefined({
    ...query,
    topic: topic === undefined ? undefined : patternOf(topic),
    limit: limit === undefined ? undefined : wholeNumber('limit', limit, 0),
  })
}
