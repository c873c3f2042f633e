// What the durable cases play on: a stage whose engine has streams. It fills in the settings that a case does not care about, gives
// receipts as promises, moves time, and ends and reopens the engine.
import assert from 'node:assert/strict'
import {
  type AppendOptions,
  type Consumer,
  type ConsumerSettings,
  type DeadLetters,
  type Durable,
  type Engine,
  type EngineEvent,
  type PublishOutcome,
  type ReadOptions,
  type ReceiptSink,
  type StoredMessage,
  type Stream,
  type StreamReader,
  type StreamSettings,
  type Transaction,
  type TransactionReceipt,
} from '../../src/engine/index.js'
import { keepMessage, type KeptMessage } from './kept-message.js'
import { MemberRecorder, type DuringHandOut } from './member-recorder.js'
import { Receipts, type Outcome } from './receipts.js'
import { Arrivals, type Content, type Ending, type Place, type Stage } from './stage.js'

/** The header that carries a message's key. */
export const KEY_HEADER = 'ce-partitionkey'

/** Long enough for servers with a least duration, short enough to be waited for. */
export const SHORT_MS = 150
const REAL_SETTLE_MS = 40
const FENCE = 'conformance-fence'
/** A message may be written, committed, handed out and answered before nothing moves any more; on a real disk one by one. */
const SETTLE_ROUNDS = 3
const REAL_SETTLE_ROUNDS = 8
const TURNS_PER_ROUND = 5
const MOST_TRIES = 100

export interface DurableContent extends Content {
  readonly key?: string
}

export interface DurablePublishOptions extends DurableContent, AppendOptions {
  readonly sink?: ReceiptSink
  readonly token?: number
}

export interface JoinOptions {
  /** Granted at once; default 1,000. */
  readonly credit?: number
  readonly during?: DuringHandOut
}

export class DurableStage {
  readonly stage: Stage
  /** Of everything that was published without a sink of its own. */
  readonly receipts = new Receipts()
  readonly events = new Arrivals<EngineEvent>()
  readonly #members: MemberRecorder[] = []
  #lastToken = 0
  #hasFence = false

  constructor(stage: Stage) {
    this.stage = stage
    this.engine.onEvent(this.events.add)
  }

  get engine(): Engine {
    return this.stage.publisher
  }

  get durable(): Durable {
    return this.engine.durable!
  }

  get nowMs(): number {
    return this.stage.place.time?.nowMs() ?? Date.now()
  }

  streamSettings(terms: Partial<StreamSettings> = {}): StreamSettings {
    const { name = 'orders' } = terms
    return {
      name,
      topics: [`${name}.>`],
      durability: this.durable.strongest,
      retention: 'limits',
      discard: 'old',
      discardPerTopic: 'old',
      duplicateWindowMs: 120_000,
      ...terms,
    }
  }

  createStream(terms: Partial<StreamSettings> = {}): Promise<Stream> {
    return this.durable.createStream(this.streamSettings(terms))
  }

  /** The stream of that name, which must be there. */
  async stream(name = 'orders'): Promise<Stream> {
    const stream = await this.durable.findStream(name)
    assert.ok(stream, `there is no stream '${name}'`)
    return stream
  }

  /** The names of all streams but the stage's own. */
  async streamNames(): Promise<string[]> {
    const names = (await this.durable.streams()).map(({ name }) => name)
    return names.filter((name) => name !== FENCE).sort()
  }

  consumerSettings(terms: Partial<ConsumerSettings> = {}): ConsumerSettings {
    return {
      name: 'billing',
      isDurable: true,
      start: { at: 'first' },
      topics: [],
      acknowledge: 'explicit',
      ackWaitMs: 30_000,
      backoffMs: [],
      maxInFlight: 1_000,
      order: 'stream',
      lookAhead: 10_000,
      replay: 'instant',
      headersOnly: false,
      inactiveMs: 5_000,
      ...terms,
    }
  }

  createConsumer(stream: Stream, terms: Partial<ConsumerSettings> = {}): Promise<Consumer> {
    return stream.createConsumer(this.consumerSettings(terms))
  }

  /** The consumer of that name, which must be there. */
  async consumer(name = 'billing', streamName = 'orders'): Promise<Consumer> {
    const consumer = await (await this.stream(streamName)).findConsumer(name)
    assert.ok(consumer, `there is no consumer '${name}'`)
    return consumer
  }

  join(consumer: Consumer, { credit = 1_000, during }: JoinOptions = {}): MemberRecorder {
    const recorder = new MemberRecorder(consumer, during)
    this.#members.push(recorder)
    if (credit > 0) recorder.grant(credit)
    return recorder
  }

  /** Publishes with a receipt at `receipts`, or at a sink of the case. */
  publish(topic: string, options: DurablePublishOptions = {}): PublishOutcome {
    const { sink = this.receipts, token = ++this.#lastToken, ...rest } = options
    const { content, append } = splitOptions(rest)
    const message = this.stage.makeMessage(topic, content)
    return this.durable.publish(this.engine.topic(topic), message, sink, token, append)
  }

  /** Publishes and waits for the outcome. */
  outcomeOf(topic: string, options: DurablePublishOptions = {}): Promise<Outcome> {
    const sink = new Receipts()
    this.publish(topic, { ...options, sink, token: 1 })
    return sink.of(1)
  }

  /** Publishes, waits, and answers the sequence; rejects with the error of a refusal. */
  async store(topic: string, options: DurablePublishOptions = {}): Promise<number> {
    const outcome = await this.outcomeOf(topic, options)
    if (outcome.kind === 'refused') throw outcome.error
    return outcome.sequence
  }

  /** Publishes the bodies to one topic in one turn and waits for all. */
  async storeAll(topic: string, bodies: readonly string[]): Promise<number[]> {
    return Promise.all(bodies.map((body) => this.store(topic, { body })))
  }

  /** Everything that a reader shows. */
  async read(stream: Stream, options?: ReadOptions): Promise<KeptMessage[]> {
    const reader = stream.read(options)
    const messages: KeptMessage[] = []
    for (;;) {
      const message = await nextOf(reader)
      if (message === undefined) break
      messages.push(keepMessage(message))
    }
    reader.close()
    return messages
  }

  async get(stream: Stream, sequence: number): Promise<KeptMessage | undefined> {
    const message = await stream.get(sequence)
    return message && keepMessage(message)
  }

  deadLetters(stream: Stream): DeadLetters {
    return this.durable.deadLetters(stream)
  }

  /** Adds a message to a transaction. */
  addTo(
    transaction: Transaction,
    topic: string,
    options: DurableContent & AppendOptions = {},
  ): void {
    const { content, append } = splitOptions(options)
    const message = this.stage.makeMessage(topic, content)
    transaction.publish(this.engine.topic(topic), message, append)
  }

  /** Resolves with the receipts; rejects with the error of a refusal. */
  commit(transaction: Transaction): Promise<readonly TransactionReceipt[]> {
    return new Promise((resolve, reject) => {
      transaction.commit((error, receipts) => {
        if (error === undefined) resolve(receipts)
        else reject(error)
      })
    })
  }

  /** Lets time pass, and everything settle that it sets off. */
  async advance(durationMs: number): Promise<void> {
    const { time } = this.stage.place
    await this.settle()
    if (time === undefined) await passTime(durationMs)
    else time.advance(durationMs)
    await this.settle()
  }

  /** Resolves when what was begun has been committed and handed out, as far as it ever will without time passing. */
  async settle(): Promise<void> {
    const isReal = this.stage.place.time === undefined
    const rounds = isReal ? REAL_SETTLE_ROUNDS : SETTLE_ROUNDS
    for (let round = 0; round < rounds; round++) {
      await this.#passFence()
      for (let turn = 0; turn < TURNS_PER_ROUND; turn++) await nextTurn()
    }
    if (isReal) await passTime(REAL_SETTLE_MS)
  }

  /** Settles again and again until `probe` holds: for work that a disk makes long. */
  async until(probe: () => Promise<boolean>, wanted: string): Promise<void> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      if (await probe()) return
      await this.settle()
    }
    assert.fail(`it does not come to ${wanted}`)
  }

  /** Ends the engine and goes on with one that found what it left. Streams and consumers have to be looked up anew. */
  async reopen(ending: Ending): Promise<void> {
    await this.stage.reopen(ending)
    this.engine.onEvent(this.events.add)
    this.#hasFence = false
  }

  /** What holds for every case: nobody was handed more than was granted, and no token twice. */
  assertLawful(): void {
    assert.deepEqual(
      this.#members.flatMap(({ faults }) => faults),
      [],
    )
  }

  async #passFence(): Promise<void> {
    if (!this.#hasFence) await this.createStream({ name: FENCE, topics: [FENCE] })
    this.#hasFence = true
    await this.store(FENCE)
  }
}

/** A case that needs streams. */
export interface DurableCase {
  readonly name: string
  /** What the place must be able to do besides. */
  readonly needs?: (place: Place) => boolean
  readonly run: (stage: DurableStage) => Promise<void>
}

/** For cases whose durations nobody would wait for. */
export const hasMovableTime = ({ time }: Place): boolean => time !== undefined

type RunOverEnding = (stage: DurableStage, reopen: () => Promise<void>) => Promise<void>

/** One case for each way in which an engine may end and be opened again. */
export function overEveryEnding(
  name: string,
  run: RunOverEnding,
  needs?: DurableCase['needs'],
): DurableCase[] {
  return overEndings(['restart', 'kill', 'power loss'], name, run, needs)
}

/** The same for what a loss of power may undo. */
export function overProcessEndings(
  name: string,
  run: RunOverEnding,
  needs?: DurableCase['needs'],
): DurableCase[] {
  return overEndings(['restart', 'kill'], name, run, needs)
}

function overEndings(
  endings: readonly Ending[],
  name: string,
  run: RunOverEnding,
  needs: NonNullable<DurableCase['needs']> = () => true,
): DurableCase[] {
  return endings.map((ending) => ({
    name: `${name} over a ${ending}`,
    needs: (place) => (place.endings?.includes(ending) ?? false) && needs(place),
    run: (stage) => run(stage, () => stage.reopen(ending)),
  }))
}

function splitOptions(options: DurableContent & AppendOptions): {
  content: Content
  append: AppendOptions
} {
  const { body, headers = [], reply, key, ...append } = options
  const fields = key === undefined ? headers : [...headers, [KEY_HEADER, key] as const]
  return {
    content: {
      ...(body !== undefined && { body }),
      ...(reply !== undefined && { reply }),
      ...(fields.length > 0 && { headers: fields }),
    },
    append,
  }
}

/** Waits only where there is something to wait for, so that a reader is also seen to answer at once. */
async function nextOf(reader: StreamReader): Promise<StoredMessage | undefined> {
  const next = reader.next()
  return next instanceof Promise ? await next : next
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function passTime(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}
