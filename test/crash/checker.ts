// The independent checker: knows what was asked, what was promised and what was found, and nothing of how an engine works.
// It throws a Violation at the first thing that the contract does not allow.
//
// "Evident" is a message of which somebody was told that it is committed: by a receipt, a hand-out, a reader, or the receipt
// of its duplicate. From then on only a removal that was asked for, or a limit, explains its absence.
import type { StreamSettings } from '../../src/engine/index.js'
import type { Entry } from './diary.js'
import { ConsumerHistory, type Deal } from './consumer-history.js'
import { NUMBERS_PER_LIFE } from './load.js'
import { bodyOf, consumerId, CONSUMERS, KEEPING, keyOf, SCRATCH, STREAMS } from './world.js'
import { TOPICS_PER_STREAM } from './world.js'
import { Violation } from './violation.js'

/** How a life ended; 'close' loses nothing, a kill what this process held, a loss of power what was not synced. */
export type Ending = 'close' | 'kill' | 'power loss'

type EntryOf<K extends Entry['kind']> = Extract<Entry, { kind: K }>

interface Message {
  readonly number: number
  readonly stream: StreamHistory
  readonly topic: number
  readonly ask: EntryOf<'ask-publish'>
  readonly askedAt: number
  /** Its place among all messages asked of the stream, and of the topic. */
  readonly order: number
  readonly orderInTopic: number
  /** Of a delayed message: of the record that waits. */
  sequence: number | undefined
  evidentAt: number | undefined
  /** Why it must not be there. */
  banned: string | undefined
  /** It was promised that it is gone. */
  isGone: boolean
}

interface Removal {
  readonly ask: EntryOf<'ask-removal'>
  readonly stream: StreamHistory
  readonly askedAt: number
  isRefused: boolean
}

interface TransactionHistory {
  readonly ask: EntryOf<'ask-transaction'>
  isPromised: boolean
  isRefused: boolean
  /** Known from what was found. */
  isThere: boolean | undefined
}

/** One stream from its creation to its deletion. */
class StreamHistory {
  readonly settings: StreamSettings
  readonly asked: Message[] = []
  readonly perTopic = new Map<number, number>()
  readonly bySequence = new Map<number, Message>()
  readonly byId = new Map<string, Message[]>()
  readonly byKey = new Map<string, Message[]>()
  readonly removals: Removal[] = []
  delayed = 0
  /** The highest sequence anybody was told of, and the same when the present life began. */
  highest = 0
  highestBefore = 0
  isDeleting = false
  /** Some removal of this life could not be written: what it took comes back, and later ones do not know of it. */
  hasRefusedRemovals = false
  /** Messages that refused removals may have taken: others had their room, and they are there again after a stop. */
  refusedRemovals = 0

  constructor(settings: StreamSettings) {
    this.settings = settings
  }

  get name(): string {
    return this.settings.name
  }
}

export class Checker {
  readonly #messages = new Map<number, Message>()
  readonly #streams = new Map<string, StreamHistory>()
  readonly #beingCreated = new Map<string, StreamHistory>()
  readonly #transactions = new Map<number, TransactionHistory>()
  readonly #removals = new Map<number, Removal>()
  readonly #consumers = new Map<string, ConsumerHistory>()
  readonly #foundConsumers = new Set<string>()
  readonly #found = new Map<string, EntryOf<'found-stream'>>()
  readonly #foundLetters = new Map<string, EntryOf<'found-letters'>>()
  #at = 0
  #hasWorked = false
  #life = -1
  /** Whether any life ended with a loss of power since the start. */
  #lostPower = false
  /** The disk fails now and then: what was asked may be refused, and a refusal may be all that is told. */
  isDiskFailing = false
  /** All that waits for its moment is due. */
  isEverythingDue = false

  /** What was seen, for the report of a run. */
  readonly counts = { promised: 0, handedOut: 0, transactions: 0, inventories: 0, messages: 0 }

  constructor() {
    for (const place of CONSUMERS) {
      this.#consumers.set(consumerId(place), new ConsumerHistory(consumerId(place), place.settings))
    }
  }

  beginLife(ending: Ending): void {
    this.#life += 1
    this.#found.clear()
    this.#foundLetters.clear()
    if (ending === 'power loss') this.#lostPower = true
    for (const consumer of this.#consumers.values()) consumer.beginLife(ending)
    for (const stream of this.#streams.values()) {
      stream.highestBefore = stream.highest
      stream.hasRefusedRemovals = false
      const { durability } = stream.settings
      const isLost = durability === 'memory' || (durability === 'os' && ending === 'power loss')
      if (!isLost) continue
      for (const message of stream.asked) {
        message.evidentAt = undefined
        if (durability === 'memory') message.banned = 'it was in memory'
        else message.isGone = false
      }
    }
  }

  take(entry: Entry): void {
    this.#at += 1
    switch (entry.kind) {
      case 'ask-publish':
        return this.#askPublish(entry)
      case 'stored':
        return this.#stored(entry)
      case 'duplicate':
        return this.#duplicate(entry)
      case 'refused':
        return this.#refused(entry)
      case 'ask-transaction':
        return this.#askTransaction(entry)
      case 'transaction-done':
        return this.#transactionDone(this.#transactions.get(entry.transaction)!)
      case 'transaction-refused':
        return this.#transactionRefused(this.#transactions.get(entry.transaction)!, entry.code)
      case 'ask-removal':
        return this.#askRemoval(entry)
      case 'removed':
        return this.#removed(this.#removals.get(entry.removal)!)
      case 'removal-refused':
        return this.#removalRefused(this.#removals.get(entry.removal)!)
      case 'ask-create':
        return this.#askCreate(entry.stream)
      case 'created':
        return this.#created(entry.stream)
      case 'ask-delete':
        this.#streams.get(entry.stream)!.isDeleting = true
        return
      case 'deleted':
        this.#streams.delete(entry.stream)
        return
      case 'handed-out':
        return this.#handedOut(entry)
      case 'ask-verdict':
        return this.#consumer(entry.consumer).askVerdict(entry)
      case 'settled':
        return this.#consumer(entry.consumer).settled(entry.number)
      case 'expired':
        this.#consumer(entry.consumer).deal(entry.number).isInFlight = false
        return
      case 'left':
        return this.#consumer(entry.consumer).left()
      case 'dead-lettered':
        return this.#deadLettered(entry)
      case 'found-stream':
        this.#found.set(entry.stream, entry)
        return
      case 'found-letters':
        this.#foundLetters.set(entry.stream, entry)
        return
      case 'found-consumer':
        this.#foundConsumers.add(entry.consumer)
        this.#consumer(entry.consumer).foundLastToken(entry.lastToken)
        return
      case 'inventory-done':
        return this.#audit()
      case 'working':
        this.#hasWorked = true
        return
      case 'finding':
        throw new Violation(`opening found damage where none was done: ${entry.text}`)
      case 'fault':
        throw new Violation(entry.text)
    }
  }

  /** All that was not settled has been handed out by now. */
  checkNothingIsLeft(): void {
    for (const { stream: name, settings } of CONSUMERS) {
      const stream = this.#streams.get(name)
      const found = this.#found.get(name)
      if (stream === undefined || found === undefined) continue
      const consumer = this.#consumer(`${name}/${settings.name}`)
      for (const number of found.numbers) {
        if (this.#canBeSettled(consumer.peek(number))) continue
        consumer.checkHandedOutAtLast(number)
      }
    }
  }

  // ---- publishing

  #askPublish(ask: EntryOf<'ask-publish'>): void {
    const stream = this.#streams.get(ask.stream)
    if (stream === undefined) throw new Error(`the load published to ${ask.stream}, not there`)
    const topic = topicNumber(ask.number)
    const inTopic = stream.perTopic.get(topic) ?? 0
    const message: Message = {
      number: ask.number,
      stream,
      topic,
      ask,
      askedAt: this.#at,
      order: stream.asked.length,
      orderInTopic: inTopic,
      sequence: undefined,
      evidentAt: undefined,
      banned: undefined,
      isGone: false,
    }
    this.counts.messages += 1
    stream.perTopic.set(topic, inTopic + 1)
    stream.asked.push(message)
    if (ask.isDelayed === true) stream.delayed += 1
    if (ask.id !== undefined) push(stream.byId, ask.id, message)
    const key = keyOf(ask.number)
    if (key !== undefined && ask.isDelayed !== true) push(stream.byKey, key, message)
    this.#messages.set(ask.number, message)
  }

  #stored({ number, sequence }: EntryOf<'stored'>): void {
    const message = this.#message(number)
    const { stream, ask } = message
    this.counts.promised += 1
    if (message.banned !== undefined) {
      throw new Violation(`message ${number} has a receipt although ${message.banned}`)
    }
    if (sequence <= stream.highestBefore) {
      throw new Violation(
        `sequence ${sequence} of ${stream.name} is given again; an earlier life told of ${stream.highestBefore}`,
      )
    }
    if (ask.expected !== undefined && sequence !== ask.expected + 1) {
      throw new Violation(
        `message ${number} expected to follow ${ask.expected} in ${stream.name} and became ${sequence}`,
      )
    }
    this.#learnSequence(message, sequence)
    this.#evident(message)
  }

  #duplicate({ number, sequence }: EntryOf<'duplicate'>): void {
    const message = this.#message(number)
    const { stream, ask } = message
    if (ask.id === undefined) throw new Violation(`message ${number} has no id and is a duplicate`)
    message.banned = 'it was refused as a duplicate'
    const original = stream.bySequence.get(sequence)
    if (original === undefined) return
    if (original.ask.id !== ask.id) {
      throw new Violation(
        `message ${number} with id ${ask.id} is said to be ${sequence} of ${stream.name}, whose id is ${original.ask.id}`,
      )
    }
    if (original.ask.isDelayed !== true) this.#evident(original)
  }

  /** What a stream refused while it was being deleted comes back with it when the deletion is undone. */
  #refused({ number, code }: EntryOf<'refused'>): void {
    const message = this.#message(number)
    const isOfItsEnd = code === 'STREAM_DELETED' || code === 'CLOSED'
    if (!isOfItsEnd || !message.stream.isDeleting) message.banned = `it was refused with ${code}`
  }

  #learnSequence(message: Message, sequence: number): void {
    const { stream, number } = message
    const holder = stream.bySequence.get(sequence)
    if (holder !== undefined && holder !== message) {
      throw new Violation(
        `sequence ${sequence} of ${stream.name} is message ${number}, and was message ${holder.number}`,
      )
    }
    stream.bySequence.set(sequence, message)
    stream.highest = Math.max(stream.highest, sequence)
    if (message.ask.isDelayed === true) return
    if (message.sequence !== undefined && message.sequence !== sequence) {
      throw new Violation(
        `message ${number} of ${stream.name} is ${sequence}, and was ${message.sequence}`,
      )
    }
    message.sequence = sequence
  }

  #evident(message: Message): void {
    if (message.evidentAt !== undefined) return
    message.evidentAt = this.#at
    const { stream, ask } = message
    if (ask.id === undefined) return
    for (const other of stream.byId.get(ask.id)!) {
      if (other === message || other.evidentAt === undefined) continue
      throw new Violation(
        `id ${ask.id} was accepted twice by ${stream.name}: as ${describe(other)}, then as ${describe(message)}`,
      )
    }
  }

  // ---- transactions

  #askTransaction(ask: EntryOf<'ask-transaction'>): void {
    const transaction = { ask, isPromised: false, isRefused: false, isThere: undefined }
    this.#transactions.set(ask.transaction, transaction)
    if (ask.consumer !== undefined) {
      this.#consumer(ask.consumer).deal(ask.acknowledged!).transactions.push(ask.transaction)
    }
  }

  #transactionDone(transaction: TransactionHistory): void {
    this.counts.transactions += 1
    transaction.isPromised = true
    const { consumer, acknowledged } = transaction.ask
    if (consumer !== undefined) this.#consumer(consumer).settled(acknowledged!)
  }

  #transactionRefused(transaction: TransactionHistory, code: string): void {
    transaction.isRefused = true
    for (const number of transaction.ask.numbers) {
      this.#message(number).banned = `its transaction was refused with ${code}`
    }
  }

  /** After a restart: each transaction is there or not, and stays so. */
  #auditTransaction(transaction: TransactionHistory, found: ReadonlySet<number>): void {
    const { ask, isPromised, isRefused, isThere } = transaction
    const parts = ask.numbers.filter((number) => {
      const message = this.#messages.get(number)
      return message !== undefined && KEEPING.has(message.stream.name)
    })
    const there = parts.filter((number) => found.has(number))
    if (there.length > 0 && there.length < parts.length) {
      throw new Violation(
        `half of transaction ${ask.transaction} is there: ${there.join()} of ${parts.join()}`,
      )
    }
    const isFound = there.length > 0
    if (isPromised && !isFound) throw new Violation(`transaction ${ask.transaction} is lost`)
    if (isRefused && isFound) {
      throw new Violation(`transaction ${ask.transaction} was refused and is there`)
    }
    if (isThere !== undefined && isThere !== isFound) {
      throw new Violation(`transaction ${ask.transaction} was ${isThere ? '' : 'not '}there before`)
    }
    if (isThere !== undefined) return
    transaction.isThere = isFound
    for (const number of ask.numbers) {
      const message = this.#messages.get(number)
      if (message === undefined) continue
      if (isFound) this.#evident(message)
      else message.banned ??= `transaction ${ask.transaction} is not there`
    }
    if (isFound && ask.consumer !== undefined) {
      this.#consumer(ask.consumer).settled(ask.acknowledged!)
    }
  }

  // ---- removing, creating, deleting

  #askRemoval(ask: EntryOf<'ask-removal'>): void {
    const stream = this.#streams.get(ask.stream)!
    const removal = { ask, stream, askedAt: this.#at, isRefused: false }
    this.#removals.set(ask.removal, removal)
    stream.removals.push(removal)
  }

  #removalRefused(removal: Removal): void {
    const { stream } = removal
    removal.isRefused = true
    stream.hasRefusedRemovals = true
    stream.refusedRemovals += stream.asked.filter((message) => mayCover(removal, message)).length
  }

  #removed(removal: Removal): void {
    if (removal.stream.hasRefusedRemovals) return
    for (const message of removal.stream.asked) {
      if (message.ask.isDelayed === true || message.evidentAt === undefined) continue
      if (message.evidentAt < removal.askedAt && covers(removal, message)) message.isGone = true
    }
  }

  #askCreate(name: string): void {
    if (this.#streams.has(name)) return
    const settings = [...STREAMS, ...SCRATCH].find((one) => one.name === name)!
    this.#beingCreated.set(name, new StreamHistory(settings))
  }

  #created(name: string): void {
    const stream = this.#beingCreated.get(name)
    if (stream === undefined) return
    this.#beingCreated.delete(name)
    this.#streams.set(name, stream)
  }

  // ---- consuming

  #handedOut(entry: EntryOf<'handed-out'>): void {
    this.counts.handedOut += 1
    const consumer = this.#consumer(entry.consumer)
    const message = this.#shown(entry.consumer.split('/')[0]!, entry.number, entry.sequence)
    consumer.handedOut(entry)
    const key = keyOf(entry.number)
    if (consumer.order !== 'key' || key === undefined || message.ask.isDelayed === true) return
    consumer.checkKeyOrder(entry, this.#evidentBefore(message, key))
  }

  /** The nearest message of the same key before this one of which it is known that it is committed. */
  #evidentBefore(message: Message, key: string): number | undefined {
    const ofKey = message.stream.byKey.get(key)!
    for (let i = ofKey.indexOf(message) - 1; i >= 0; i--) {
      const earlier = ofKey[i]!
      if (earlier.evidentAt !== undefined && earlier.banned === undefined) return earlier.number
    }
    return undefined
  }

  #deadLettered({ consumer, sequence }: EntryOf<'dead-lettered'>): void {
    const message = this.#streams.get(consumer.split('/')[0]!)?.bySequence.get(sequence)
    // A delayed message has a new sequence, which nobody may have been told of when it is parked.
    if (message === undefined) return
    this.#consumer(consumer).gaveUp(message.number)
  }

  /** A message that somebody was shown: it must be one that was published, and be committed. */
  #shown(streamName: string, number: number, sequence: number): Message {
    const message = this.#messages.get(number)
    if (message === undefined || message.stream !== this.#streams.get(streamName)) {
      throw new Violation(
        `${sequence} of ${streamName} is message ${number}, which was not published to it`,
      )
    }
    if (message.banned !== undefined) {
      throw new Violation(
        `${sequence} of ${streamName} is message ${number}, although ${message.banned}`,
      )
    }
    this.#learnSequence(message, sequence)
    this.#evident(message)
    return message
  }

  #canBeSettled({ isAckAsked, isSettled, transactions }: Deal): boolean {
    return (
      isAckAsked ||
      isSettled ||
      transactions.some((id) => this.#transactions.get(id)!.isThere !== false)
    )
  }

  // ---- what was found

  #audit(): void {
    this.counts.inventories += 1
    this.#settleStreams()
    const found = new Set([...this.#found.values()].flatMap(({ numbers }) => numbers))
    for (const stream of this.#streams.values()) {
      this.#auditFound(stream, this.#found.get(stream.name)!)
    }
    for (const transaction of this.#transactions.values()) {
      if (Math.floor(transaction.ask.transaction / NUMBERS_PER_LIFE) < this.#life) {
        this.#auditTransaction(transaction, found)
      }
    }
    this.#auditLetters()
    for (const stream of this.#streams.values()) this.#auditMissing(stream, found)
    if (this.#hasWorked) {
      for (const id of this.#consumers.keys()) {
        if (!this.#foundConsumers.has(id)) throw new Violation(`consumer ${id} is lost`)
      }
    }
    for (const stream of this.#streams.values()) stream.highestBefore = stream.highest
    this.#foundConsumers.clear()
  }

  /** What was being created or deleted is there or not; everything else is. */
  #settleStreams(): void {
    for (const [name, stream] of this.#beingCreated) {
      if (this.#found.has(name)) this.#streams.set(name, stream)
    }
    this.#beingCreated.clear()
    for (const [name, stream] of this.#streams) {
      if (this.#found.has(name)) stream.isDeleting = false
      else if (stream.isDeleting) this.#streams.delete(name)
      else throw new Violation(`stream ${name} is lost`)
    }
    for (const name of this.#found.keys()) {
      if (!this.#streams.has(name)) throw new Violation(`stream ${name} was deleted and is there`)
    }
  }

  #auditFound(stream: StreamHistory, found: EntryOf<'found-stream'>): void {
    const seen = new Set<number>()
    const ids = new Set<string>()
    let lastSequence = 0
    let lastNumber = 0
    found.sequences.forEach((sequence, i) => {
      const number = found.numbers[i]!
      const message = this.#shown(stream.name, number, sequence)
      const where = `${sequence} of ${stream.name}, message ${number},`
      if (message.topic !== found.topics[i]) throw new Violation(`${where} has another topic`)
      if (sequence <= lastSequence) throw new Violation(`${where} follows ${lastSequence}`)
      if (seen.has(number)) throw new Violation(`${where} is there twice`)
      if (message.isGone) throw new Violation(`${where} was removed and is there`)
      const { id, isDelayed } = message.ask
      if (isDelayed !== true && number < lastNumber) {
        throw new Violation(`${where} was published before ${lastNumber} and follows it`)
      }
      if (id !== undefined && ids.has(id)) throw new Violation(`${where} has an id that is there`)
      if (id !== undefined) ids.add(id)
      seen.add(number)
      lastSequence = sequence
      if (isDelayed !== true) lastNumber = number
    })
    const mayHaveLost = this.#lostPower && stream.settings.durability !== 'fsync'
    if (found.lastSequence < stream.highest && !mayHaveLost) {
      throw new Violation(
        `the last sequence of ${stream.name} is ${found.lastSequence}, and was ${stream.highest}`,
      )
    }
    stream.highest = Math.max(stream.highest, found.lastSequence)
    // What could not be removed, or not be moved to its new place, had lost its room.
    const room = this.isDiskFailing ? stream.refusedRemovals + stream.delayed : 0
    auditLimits(stream.settings, found, room)
  }

  #auditMissing(stream: StreamHistory, found: ReadonlySet<number>): void {
    const rolledUp = new Map<number, Message>()
    for (const message of stream.asked) {
      if (message.ask.rollUp === 'topic' && message.evidentAt !== undefined && !message.isGone) {
        if (found.has(message.number)) rolledUp.set(message.topic, message)
      }
    }
    for (const message of stream.asked) {
      const isFound = found.has(message.number)
      const rollUp = rolledUp.get(message.topic)
      if (isFound && rollUp !== undefined && message.ask.isDelayed !== true) {
        // What a refused removal took is back, and the roll-up did not know of it.
        const isBack = stream.removals.some((one) => one.isRefused && mayCover(one, message))
        if (message.order < rollUp.order && !isBack) {
          throw new Violation(`${describe(message)} was there before roll-up ${describe(rollUp)}`)
        }
      }
      if (isFound || message.evidentAt === undefined || message.banned !== undefined) continue
      if (message.ask.isDelayed === true && !this.isEverythingDue) continue
      if (this.#mayBeMissing(message)) continue
      throw new Violation(`${describe(message)} is lost`)
    }
  }

  #mayBeMissing(message: Message): boolean {
    const { stream } = message
    if (message.isGone || stream.removals.some((removal) => mayCover(removal, message))) return true
    if (isBeyondLimits(stream, message)) return true
    if (hasLaterRollUp(stream, message)) return true
    const { retention, name } = stream.settings
    if (retention === 'limits') return false
    return CONSUMERS.filter((place) => place.stream === name).every((place) => {
      const deal = this.#consumer(consumerId(place)).peek(message.number)
      return deal.isGivenUp || this.#canBeSettled(deal)
    })
  }

  #auditLetters(): void {
    const letters = new Set<string>()
    for (const { letters: found } of this.#foundLetters.values()) {
      for (const { consumer, number, reason } of found) {
        const name = `${consumer} ${number}`
        if (letters.has(name)) throw new Violation(`there are two dead letters of ${name}`)
        letters.add(name)
        this.#consumer(consumer).foundLetter(number, reason)
      }
    }
    for (const consumer of this.#consumers.values()) consumer.checkLetters(letters)
  }

  #message(number: number): Message {
    const message = this.#messages.get(number)
    if (message === undefined) throw new Violation(`message ${number} was never published`)
    return message
  }

  #consumer(id: string): ConsumerHistory {
    const consumer = this.#consumers.get(id)
    if (consumer === undefined) throw new Violation(`there is no consumer ${id}`)
    return consumer
  }
}

function topicNumber(number: number): number {
  return (number * 7) % TOPICS_PER_STREAM
}

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [item])
  else list.push(item)
}

/** The removal promises that the message, evident when it was asked for, is gone. */
function covers({ ask }: Removal, message: Message): boolean {
  const sequence = message.sequence ?? Infinity
  if (ask.only !== undefined) return ask.only === sequence
  if (ask.topic !== undefined && ask.topic !== `${ask.stream}.${message.topic}`) return false
  return sequence < ask.before
}

/** The removal may have taken the message. */
function mayCover(removal: Removal, message: Message): boolean {
  if (removal.askedAt < message.askedAt) return false
  if (message.ask.isDelayed === true || message.sequence === undefined) return true
  return covers(removal, message)
}

const BYTES_AROUND_A_BODY = 300

/** Enough was published after the message that the stream's limits may have taken it. */
function isBeyondLimits(stream: StreamHistory, message: Message): boolean {
  const { maxMessages, maxMessagesPerTopic, maxBytes, discard } = stream.settings
  const later = stream.asked.length - message.order - 1 + stream.delayed
  if (discard === 'old' && maxMessages !== undefined && later >= maxMessages) return true
  if (maxMessagesPerTopic !== undefined) {
    const laterInTopic = stream.perTopic.get(message.topic)! - message.orderInTopic - 1
    if (laterInTopic + stream.delayed >= maxMessagesPerTopic) return true
  }
  if (maxBytes === undefined) return false
  let bytes = 0
  for (const { number } of stream.asked.slice(message.order)) {
    bytes += bodyOf(number).length + BYTES_AROUND_A_BODY
  }
  return bytes + stream.delayed * BYTES_AROUND_A_BODY >= maxBytes
}

function hasLaterRollUp(stream: StreamHistory, message: Message): boolean {
  return stream.asked.some(
    ({ ask, topic, order, banned }) =>
      ask.rollUp === 'topic' &&
      banned === undefined &&
      topic === message.topic &&
      (order > message.order || message.ask.isDelayed === true),
  )
}

function auditLimits(settings: StreamSettings, found: EntryOf<'found-stream'>, room: number): void {
  const { name, maxMessages = Infinity, maxMessagesPerTopic = Infinity, maxBytes } = settings
  if (found.numbers.length > maxMessages + (settings.discard === 'new' ? room : 0)) {
    throw new Violation(`${name} holds ${found.numbers.length} messages, more than ${maxMessages}`)
  }
  for (let topic = 0; topic < TOPICS_PER_STREAM; topic++) {
    const count = found.topics.filter((one) => one === topic).length
    if (count > maxMessagesPerTopic) {
      throw new Violation(`topic ${topic} of ${name} holds ${count} messages`)
    }
  }
  if (maxBytes === undefined) return
  const bytes = found.numbers.reduce((sum, number) => sum + bodyOf(number).length, 0)
  if (found.numbers.length > 1 && bytes > maxBytes) {
    throw new Violation(`${name} holds ${bytes} bytes, more than ${maxBytes}`)
  }
}

function describe({ number, stream, sequence }: Message): string {
  return `message ${number} (${stream.name} ${sequence ?? '?'})`
}
