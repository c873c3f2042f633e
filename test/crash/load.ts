// A mixed load on one engine, from a seed, until it is stopped or the process is killed under it. It tells the diary what it
// asks, before, and what it was promised, after; it checks nothing but its own credit.
import type { Random } from '../../src/base/index.js'
import type {
  AppendOptions,
  Consumer,
  ConsumerMember,
  ConsumerReceiver,
  Durable,
  Engine,
  HandOut,
  ReceiptSink,
  Stream,
} from '../../src/engine/index.js'
import type { Diary, Verdict } from './diary.js'
import {
  consumerId,
  CONSUMERS,
  makeMessage,
  numberOf,
  PURGEABLE,
  SCRATCH,
  STREAMS,
  topicOf,
} from './world.js'

export interface LoadPlace {
  readonly engine: Engine
  readonly durable: Durable
  readonly random: Random
  readonly diary: Diary
  /** 0, 1, 2 … on one directory. */
  readonly life: number
  nowMs(): number
  /** Lets everything else have its turn; time may pass. */
  turn(): Promise<void>
  /** The machine stands still: nothing that happens from now on happens. */
  isOver(): boolean
}

/** No life publishes more. */
export const NUMBERS_PER_LIFE = 1_000_000
const CREDIT = 12
const IDS_PER_LIFE = 40

interface Held {
  readonly joint: Joint
  readonly token: number
  readonly number: number
}

/** A consumer and the one member that the load has with it. */
class Joint {
  readonly id: string
  readonly consumer: Consumer
  member!: ConsumerMember
  owed = 0
  /** What is in flight: the message's number by the token. */
  readonly tokens = new Map<number, number>()

  constructor(id: string, consumer: Consumer) {
    this.id = id
    this.consumer = consumer
  }
}

export class Load {
  readonly #place: LoadPlace
  readonly #streams = new Map<string, Stream>()
  /** Scratch streams that may be published to; those being made or deleted are in neither. */
  readonly #scratch = new Set<string>()
  readonly #scratchAbsent = new Set<string>()
  readonly #lastSequence = new Map<string, number>()
  readonly #seen = new Map<string, number[]>()
  readonly #joints: Joint[] = []
  #held: Held[] = []
  #nextNumber: number
  #nextTransaction: number
  #nextRemoval: number

  constructor(place: LoadPlace) {
    this.#place = place
    this.#nextNumber = place.life * NUMBERS_PER_LIFE + 1
    this.#nextTransaction = this.#nextNumber
    this.#nextRemoval = this.#nextNumber
  }

  /** Makes what is not there yet, and joins the consumers. */
  async begin(): Promise<void> {
    const { durable, engine, diary } = this.#place
    engine.onEvent((event) => {
      if (event.type !== 'dead-lettered' || this.#place.isOver()) return
      const { stream, consumer, sequence } = event
      diary.write({ kind: 'dead-lettered', consumer: `${stream}/${consumer}`, sequence })
      diary.flush()
    })
    await Promise.all(STREAMS.map((settings) => this.#create(settings.name)))
    for (const { name } of SCRATCH) {
      const found = await durable.findStream(name)
      if (found === undefined) this.#scratchAbsent.add(name)
      else this.#enterScratch(found)
    }
    for (const place of CONSUMERS) {
      const stream = this.#streams.get(place.stream)!
      const consumer = await stream.createConsumer(place.settings)
      this.#joints.push(new Joint(consumerId(place), consumer))
    }
    diary.write({ kind: 'working' })
    diary.flush()
    for (const joint of this.#joints) this.#join(joint)
  }

  async run(turns = Infinity): Promise<void> {
    for (let turn = 0; turn < turns && !this.#place.isOver(); turn++) {
      const actions = 1 + this.#below(4)
      for (let i = 0; i < actions; i++) this.#act()
      this.#giveVerdicts()
      this.#place.diary.flush()
      await this.#place.turn()
      for (const joint of this.#joints) this.#payCredit(joint)
    }
  }

  #act(): void {
    const kind = this.#below(100)
    if (kind < 55) this.#publishOne(this.#pickStream())
    else if (kind < 70) this.#publishBurst()
    else if (kind < 82) this.#transact()
    else if (kind < 88) this.#purge()
    else if (kind < 92) this.#removeOne()
    else if (kind < 95) this.#changeScratch()
    else if (kind < 97) this.#rejoin()
    else this.#publishBurst('plain', 60)
  }

  // ---- publishing

  #publishBurst(stream = this.#pickStream(), most = 20): void {
    for (let count = 2 + this.#below(most); count > 0; count--) this.#publishOne(stream)
  }

  #publishOne(stream: string): void {
    const { engine, durable, diary } = this.#place
    const number = this.#nextNumber++
    const options = this.#chooseOptions(stream)
    diary.write({
      kind: 'ask-publish',
      number,
      stream,
      ...(options.id !== undefined && { id: options.id }),
      ...(options.rollUp === 'topic' && { rollUp: options.rollUp }),
      ...(options.expectedLastSequence !== undefined && { expected: options.expectedLastSequence }),
      ...(options.deliverAtMs !== undefined && { isDelayed: true }),
    })
    const handle = engine.topic(topicOf(stream, number))
    durable.publish(handle, makeMessage(handle, number), this.#sink, number, options)
  }

  #chooseOptions(stream: string): AppendOptions {
    const kind = this.#below(20)
    if (kind < 5) return { id: `id-${this.#below((this.#place.life + 1) * IDS_PER_LIFE)}` }
    if (kind === 5) return { expectedLastSequence: this.#lastSequence.get(stream) ?? 0 }
    if (kind === 6 && stream === 'purged') return { rollUp: 'topic' }
    if (kind === 7) return { deliverAtMs: this.#place.nowMs() + 1 + this.#below(20) }
    return {}
  }

  readonly #sink: ReceiptSink = {
    committed: (stream, token, sequence, count) => {
      if (this.#place.isOver()) return
      for (let i = 0; i < count; i++) {
        this.#place.diary.write({ kind: 'stored', number: token + i, sequence: sequence + i })
        this.#saw(stream.name, sequence + i)
      }
      this.#place.diary.flush()
    },
    duplicate: (_stream, token, sequence) => {
      if (this.#place.isOver()) return
      this.#place.diary.write({ kind: 'duplicate', number: token, sequence })
      this.#place.diary.flush()
    },
    refused: (token, count, { code }) => {
      if (this.#place.isOver()) return
      for (let i = 0; i < count; i++) {
        this.#place.diary.write({ kind: 'refused', number: token + i, code })
      }
    },
  }

  #saw(stream: string, sequence: number): void {
    this.#lastSequence.set(stream, sequence)
    const seen = this.#seen.get(stream) ?? []
    this.#seen.set(stream, seen)
    seen.push(sequence)
  }

  #pickStream(): string {
    const names = [...STREAMS.map(({ name }) => name), ...this.#scratch]
    return names[this.#below(names.length)]!
  }

  // ---- transactions

  /** Publishes to several streams, one of which is always `twin`, and mostly settles a hand-out with it. */
  #transact(held = this.#takeHeld()): void {
    const { engine, durable, diary } = this.#place
    const transaction = this.#nextTransaction++
    const others = ['plain', 'recent', 'latest', 'bounded', 'loose', 'queue', 'purged', 'full']
    const parts = ['twin']
    for (let count = this.#below(4); count > 0; count--) {
      parts.push(others[this.#below(others.length)]!)
    }
    const numbers = parts.map(() => this.#nextNumber++)
    diary.write({
      kind: 'ask-transaction',
      transaction,
      numbers,
      ...(held !== undefined && { consumer: held.joint.id, acknowledged: held.number }),
    })
    const opened = durable.beginTransaction()
    parts.forEach((stream, i) => {
      const number = numbers[i]!
      diary.write({ kind: 'ask-publish', number, stream, transaction })
      const handle = engine.topic(topicOf(stream, number))
      opened.publish(handle, makeMessage(handle, number))
    })
    if (held !== undefined) opened.acknowledge(held.joint.consumer, held.token)
    opened.commit((error, receipts) => {
      if (this.#place.isOver()) return
      receipts.forEach(({ sequence, stream }, i) => {
        diary.write({ kind: 'stored', number: numbers[i]!, sequence })
        this.#saw(stream.name, sequence)
      })
      if (error === undefined) diary.write({ kind: 'transaction-done', transaction })
      else diary.write({ kind: 'transaction-refused', transaction, code: error.code })
      diary.flush()
      if (held === undefined) return
      if (error !== undefined) this.#holdOn(held)
      else if (held.joint.tokens.delete(held.token)) held.joint.owed += 1
    })
  }

  /** A transaction that was refused leaves the hand-out as it was; one that could not be committed ends it. */
  #holdOn(held: Held): void {
    const { joint, token, number } = held
    if (joint.consumer.extend(token)) this.#held.push(held)
    else if (joint.tokens.delete(token)) {
      this.#place.diary.write({ kind: 'expired', consumer: joint.id, number })
      joint.owed += 1
    }
  }

  #takeHeld(): Held | undefined {
    if (this.#held.length === 0 || this.#below(4) === 0) return undefined
    const [held] = this.#held.splice(this.#below(this.#held.length), 1)
    return held!.joint.tokens.has(held!.token) ? held : undefined
  }

  // ---- removing, creating, deleting

  #purge(): void {
    const { diary } = this.#place
    const name = PURGEABLE[this.#below(PURGEABLE.length)]!
    const last = this.#lastSequence.get(name) ?? 0
    const before = Math.max(1, last + 1 - this.#below(40))
    const topic = this.#below(2) === 0 ? topicOf(name, this.#below(8)) : undefined
    const removal = this.#nextRemoval++
    const asked = { removal, stream: name, before, ...(topic !== undefined && { topic }) }
    diary.write({ kind: 'ask-removal', ...asked })
    const options = { before, ...(topic !== undefined && { topic }) }
    this.#tellRemoval(this.#streams.get(name)!.purge(options), removal)
  }

  #removeOne(): void {
    const { diary } = this.#place
    const name = PURGEABLE[this.#below(PURGEABLE.length)]!
    const seen = this.#seen.get(name)
    if (seen === undefined) return
    const only = seen[this.#below(seen.length)]!
    const removal = this.#nextRemoval++
    diary.write({ kind: 'ask-removal', removal, stream: name, before: 0, only })
    this.#tellRemoval(this.#streams.get(name)!.remove(only), removal)
  }

  #tellRemoval(work: Promise<unknown>, removal: number): void {
    const { diary } = this.#place
    this.#inBackground(
      work,
      () => diary.write({ kind: 'removed', removal }),
      () => diary.write({ kind: 'removal-refused', removal }),
    )
  }

  #changeScratch(): void {
    const { durable, diary } = this.#place
    const { name } = SCRATCH[this.#below(SCRATCH.length)]!
    if (this.#scratchAbsent.delete(name)) {
      this.#inBackground(this.#create(name), (stream) => this.#enterScratch(stream))
    } else if (this.#scratch.delete(name)) {
      diary.write({ kind: 'ask-delete', stream: name })
      this.#inBackground(durable.deleteStream(name), () => {
        diary.write({ kind: 'deleted', stream: name })
        this.#scratchAbsent.add(name)
        this.#lastSequence.delete(name)
      })
    }
  }

  async #create(name: string): Promise<Stream> {
    const { durable, diary } = this.#place
    diary.write({ kind: 'ask-create', stream: name })
    diary.flush()
    const settings = [...STREAMS, ...SCRATCH].find((one) => one.name === name)!
    const stream = await durable.createStream(settings)
    if (!this.#place.isOver()) {
      diary.write({ kind: 'created', stream: name })
      diary.flush()
    }
    this.#streams.set(name, stream)
    return stream
  }

  #enterScratch(stream: Stream): void {
    this.#scratch.add(stream.name)
    this.#streams.set(stream.name, stream)
  }

  /** A failure is the engine's answer; what was asked then counts as not promised. */
  #inBackground<T>(
    work: Promise<T>,
    done: (result: T) => void,
    refused: () => void = () => {},
  ): void {
    const tell = (entry: () => void): void => {
      if (this.#place.isOver()) return
      entry()
      this.#place.diary.flush()
    }
    work.then(
      (result) => tell(() => done(result)),
      () => tell(refused),
    )
  }

  // ---- consuming

  #join(joint: Joint): void {
    joint.owed = 0
    joint.tokens.clear()
    let credit = CREDIT
    const receiver: ConsumerReceiver = {
      deliver: (handOut) => {
        if (this.#place.isOver()) return
        if (--credit < 0) this.#fault(`${joint.id} was handed more than it granted`)
        this.#take(joint, handOut)
      },
      expired: (token) => {
        const number = joint.tokens.get(token)
        if (number === undefined || this.#place.isOver()) return
        joint.tokens.delete(token)
        joint.owed += 1
        this.#place.diary.write({ kind: 'expired', consumer: joint.id, number })
        this.#place.diary.flush()
      },
      ended: () => {},
    }
    const member = joint.consumer.join(receiver)
    const grant = (messages: number): void => {
      credit += messages
      member.grant(messages)
    }
    joint.member = { grant, revoke: () => member.revoke(), leave: () => member.leave() }
    member.grant(CREDIT)
  }

  #take(joint: Joint, { message, token, deliveryCount }: HandOut): void {
    const number = numberOf(message.body) ?? 0
    const { sequence } = message
    this.#place.diary.write({
      kind: 'handed-out',
      consumer: joint.id,
      number,
      sequence,
      token,
      deliveryCount,
    })
    joint.tokens.set(token, number)
    const held: Held = { joint, token, number }
    if (this.#below(2) === 0) this.#decide(held)
    else this.#held.push(held)
    this.#place.diary.flush()
  }

  #giveVerdicts(): void {
    const kept: Held[] = []
    for (const held of this.#held.splice(0)) {
      if (!held.joint.tokens.has(held.token)) continue
      if (this.#below(3) === 0) kept.push(held)
      else this.#decide(held)
    }
    this.#held.push(...kept)
  }

  #decide(held: Held): void {
    const kind = this.#below(20)
    if (kind < 8) this.#give(held, 'acknowledge')
    else if (kind < 12) this.#give(held, 'acknowledge-safely')
    else if (kind < 14) this.#give(held, 'release')
    else if (kind < 16) this.#give(held, 'retry')
    else if (kind < 17) this.#give(held, 'reject')
    else this.#transact(held)
  }

  #give(held: Held, verdict: Verdict): void {
    const { joint, token, number } = held
    const { consumer, id } = joint
    joint.tokens.delete(token)
    this.#place.diary.write({ kind: 'ask-verdict', consumer: id, number, verdict })
    const isGood =
      verdict === 'acknowledge'
        ? consumer.acknowledge(token)
        : verdict === 'acknowledge-safely'
          ? consumer.acknowledge(token, (error) => this.#settled(held, error))
          : verdict === 'release'
            ? consumer.release(token)
            : verdict === 'retry'
              ? consumer.retry(token, this.#below(3))
              : consumer.reject(token, 'by the seed')
    if (!isGood) this.#fault(`${id}: '${verdict}' on token ${token} is stale, and nothing ended it`)
    joint.owed += 1
  }

  #settled({ joint, number }: Held, error: Error | undefined): void {
    if (this.#place.isOver() || error !== undefined) return
    this.#place.diary.write({ kind: 'settled', consumer: joint.id, number })
    this.#place.diary.flush()
  }

  #payCredit(joint: Joint): void {
    if (joint.owed === 0 || this.#place.isOver()) return
    const { owed } = joint
    joint.owed = 0
    joint.member.grant(owed)
  }

  #rejoin(): void {
    const joint = this.#joints[this.#below(this.#joints.length)]!
    joint.member.leave()
    this.#place.diary.write({ kind: 'left', consumer: joint.id })
    this.#place.diary.flush()
    this.#join(joint)
  }

  #fault(text: string): void {
    this.#place.diary.write({ kind: 'fault', text })
    this.#place.diary.flush()
  }

  #below(bound: number): number {
    return this.#place.random.nextUint32() % bound
  }
}
