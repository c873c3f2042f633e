// Consume, transform, publish: what is handed out goes, with its acknowledgement, into one transaction with what is made of it.
// Up to sixteen at a time, by key. Nothing is told to anybody: what counts is what lies in the streams in the end.
import type { Random } from '../../src/base/index.js'
import type {
  Consumer,
  ConsumerMember,
  Durable,
  Engine,
  HandOut,
  Stream,
  StreamSettings,
} from '../../src/engine/index.js'
import { keyOf, makeMessage, numberOf } from './world.js'

export const AT_A_TIME = 16

export interface TransformPlace {
  readonly engine: Engine
  readonly durable: Durable
  readonly random: Random
  /** Called after this turn, in any order: handlers take different times. */
  later(work: () => void): void
}

function settings(name: string): StreamSettings {
  return {
    name,
    topics: [`${name}.>`],
    durability: 'fsync',
    retention: 'limits',
    discard: 'old',
    discardPerTopic: 'old',
    duplicateWindowMs: 86_400_000,
  }
}

export class Transform {
  readonly #place: TransformPlace
  #input!: Stream
  #output!: Stream
  #consumer!: Consumer
  #member: ConsumerMember | undefined
  /** The keys in flight. */
  readonly #busy = new Map<string | number, number>()

  constructor(place: TransformPlace) {
    this.#place = place
  }

  get input(): Stream {
    return this.#input
  }

  get output(): Stream {
    return this.#output
  }

  get consumer(): Consumer {
    return this.#consumer
  }

  async open(): Promise<void> {
    const { durable } = this.#place
    this.#input = await durable.createStream(settings('input'))
    this.#output = await durable.createStream(settings('output'))
    this.#consumer = await this.#input.createConsumer({
      name: 'transformer',
      isDurable: true,
      start: { at: 'first' },
      topics: [],
      acknowledge: 'explicit',
      ackWaitMs: 600_000,
      backoffMs: [],
      maxInFlight: AT_A_TIME,
      order: 'key',
      lookAhead: 1_000,
      replay: 'instant',
      headersOnly: false,
      inactiveMs: 600_000,
    })
  }

  /** Publishes inputs, each with its number as id, so that publishing them again after a kill does nothing. */
  feed(first: number, count: number, refused: (error: Error) => void): Promise<void> {
    const { engine, durable } = this.#place
    let waiting = count
    return new Promise((resolve) => {
      const over = (ended: number): void => {
        waiting -= ended
        if (waiting === 0) resolve()
      }
      const sink = {
        committed: (_stream: Stream, _token: number, _sequence: number, told: number) => over(told),
        duplicate: () => over(1),
        refused: (_token: number, told: number, error: Error) => {
          refused(error)
          over(told)
        },
      }
      for (let number = first; number < first + count; number++) {
        const handle = engine.topic(`input.${number % 4}`)
        const options = { id: `input-${number}` }
        durable.publish(handle, makeMessage(handle, number), sink, number, options)
      }
    })
  }

  /** Begins to transform, some of it at the first attempt and some after failures. */
  begin(): void {
    this.#member = this.#consumer.join({
      deliver: (handOut) => this.#take(handOut),
      ended: () => {},
    })
    this.#member.grant(AT_A_TIME)
  }

  #take({ message, token }: HandOut): void {
    const number = numberOf(message.body)
    if (number === undefined) throw new Error(`${message.sequence} has other bytes`)
    const lane = keyOf(number) ?? number
    const other = this.#busy.get(lane)
    if (other !== undefined) throw new Error(`${number} comes while ${other} is in flight`)
    this.#busy.set(lane, number)
    if (this.#busy.size > AT_A_TIME) throw new Error(`${this.#busy.size} are in flight`)
    this.#place.later(() => this.#handle(number, token))
  }

  #handle(number: number, token: number): void {
    this.#busy.delete(keyOf(number) ?? number)
    const fate = this.#place.random.nextUint32() % 16
    if (fate === 0) this.#consumer.retry(token, number % 3)
    else if (fate === 1) this.#consumer.release(token)
    else return this.#transform(number, token)
    this.#member!.grant(1)
  }

  #transform(number: number, token: number): void {
    const { engine, durable } = this.#place
    const transaction = durable.beginTransaction()
    const handle = engine.topic(`output.${keyOf(number) ?? 'none'}`)
    transaction.publish(handle, makeMessage(handle, number))
    transaction.acknowledge(this.#consumer, token)
    transaction.commit((error) => {
      // What could not be committed is handed out again, or still held.
      if (error !== undefined) this.#consumer.release(token)
      this.#member!.grant(1)
    })
  }
}

/** Every input has one output, and the outputs of each key are in the order of the inputs. */
export async function auditTransform(transform: Transform, inputs: number): Promise<void> {
  const seen = new Set<number>()
  const lastOfKey = new Map<string, number>()
  const inputOrder = await readNumbers(transform.input)
  const positions = new Map(inputOrder.map((number, i) => [number, i]))
  for (const number of await readNumbers(transform.output)) {
    const position = positions.get(number)
    if (position === undefined) throw new Error(`output ${number} has no input`)
    if (seen.has(number)) throw new Error(`input ${number} has two outputs`)
    seen.add(number)
    const key = keyOf(number)
    if (key === undefined) continue
    const last = lastOfKey.get(key) ?? -1
    if (position < last) throw new Error(`output ${number} of ${key} comes too late`)
    lastOfKey.set(key, position)
  }
  if (inputOrder.length !== inputs) throw new Error(`${inputOrder.length} of ${inputs} inputs`)
  if (seen.size !== inputs) throw new Error(`${seen.size} outputs of ${inputs} inputs`)
}

async function readNumbers(stream: Stream): Promise<number[]> {
  const numbers: number[] = []
  const reader = stream.read()
  for (;;) {
    const message = await reader.next()
    if (message === undefined) break
    numbers.push(numberOf(message.body) ?? 0)
  }
  reader.close()
  return numbers
}
