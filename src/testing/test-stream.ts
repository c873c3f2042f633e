// A stream that hands out consumers as a test sees them; everything else is the real one's.
import type {
  Consumer,
  ConsumerSettings,
  PurgeOptions,
  ReadOptions,
  Stream,
  StreamReader,
  StreamSettings,
  StreamState,
  StoredMessage,
  TopicState,
} from '../engine/index.js'
import type { TopicHandle } from '../topic/index.js'
import type { Faults } from './faults.js'
import { TestConsumer } from './test-consumer.js'

export class TestStream implements Stream {
  readonly #stream: Stream
  readonly #faults: Faults

  constructor(stream: Stream, faults: Faults) {
    this.#stream = stream
    this.#faults = faults
  }

  /** The engine's own. */
  static real(stream: Stream): Stream {
    return stream instanceof TestStream ? stream.#stream : stream
  }

  get name(): string {
    return this.#stream.name
  }

  get settings(): StreamSettings {
    return this.#stream.settings
  }

  get isDeleted(): boolean {
    return this.#stream.isDeleted
  }

  state(): Promise<StreamState> {
    return this.#stream.state()
  }

  get(sequence: number): Promise<StoredMessage | undefined> {
    return this.#stream.get(sequence)
  }

  lastOf(topic: TopicHandle): Promise<StoredMessage | undefined> {
    return this.#stream.lastOf(topic)
  }

  read(options?: ReadOptions): StreamReader {
    return this.#stream.read(options)
  }

  topics(pattern?: string): Promise<TopicState[]> {
    return this.#stream.topics(pattern)
  }

  purge(options?: PurgeOptions): Promise<number> {
    return this.#stream.purge(options)
  }

  remove(sequence: number): Promise<boolean> {
    return this.#stream.remove(sequence)
  }

  async createConsumer(settings: ConsumerSettings): Promise<Consumer> {
    return this.#wrap(await this.#stream.createConsumer(settings))
  }

  async updateConsumer(settings: ConsumerSettings): Promise<Consumer> {
    return this.#wrap(await this.#stream.updateConsumer(settings))
  }

  async findConsumer(name: string): Promise<Consumer | undefined> {
    const consumer = await this.#stream.findConsumer(name)
    return consumer === undefined ? undefined : this.#wrap(consumer)
  }

  async consumers(): Promise<readonly Consumer[]> {
    return (await this.#stream.consumers()).map((consumer) => this.#wrap(consumer))
  }

  deleteConsumer(name: string): Promise<boolean> {
    return this.#stream.deleteConsumer(name)
  }

  #wrap(consumer: Consumer): Consumer {
    return new TestConsumer(consumer, this.#faults)
  }
}
