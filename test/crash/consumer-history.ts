// What is known of one consumer: for each message how often it was handed out, what was asked of it and what was promised.
import type { ConsumerSettings } from '../../src/engine/index.js'
import type { Ending } from './checker.js'
import type { Entry, Verdict } from './diary.js'
import { Violation } from './violation.js'
import { keyOf } from './world.js'

/** What a consumer and a message have had to do with each other. */
export interface Deal {
  handOuts: number
  lastCount: number
  /** Releases since the last hand-out, which may take back its attempt. */
  releases: number
  isInFlight: boolean
  /** A plain acknowledgement was asked for: it may hold. */
  isAckAsked: boolean
  isRejectAsked: boolean
  /** It was promised that it is never handed out again. */
  isSettled: boolean
  /** It was told, or found, that it is a dead letter. */
  isGivenUp: boolean
  /** Handed out in the last life, where everything is. */
  isHandedOutAtLast: boolean
  /** Transactions that acknowledge it. */
  readonly transactions: number[]
}

type EntryOf<K extends Entry['kind']> = Extract<Entry, { kind: K }>

export class ConsumerHistory {
  readonly #id: string
  readonly #settings: ConsumerSettings
  readonly #deals = new Map<number, Deal>()
  /** The highest sequence handed out of a key; after a loss of power, the highest settled. */
  readonly #highestOfKey = new Map<string, number>()
  readonly #highestSettledOfKey = new Map<string, number>()
  readonly #sequences = new Map<number, number>()
  /** Messages that were passed over by others of their key, with what was handed out. */
  readonly #mustBeGivenUp = new Map<number, string>()
  #lastToken = 0
  #lastFirstSequence = 0

  constructor(id: string, settings: ConsumerSettings) {
    this.#id = id
    this.#settings = settings
  }

  get order(): 'stream' | 'key' {
    return this.#settings.order
  }

  beginLife(ending: Ending): void {
    for (const deal of this.#deals.values()) deal.isInFlight = deal.isHandedOutAtLast = false
    this.#lastFirstSequence = 0
    if (ending !== 'power loss') return
    this.#lastToken = 0
    this.#highestOfKey.clear()
    for (const deal of this.#deals.values()) deal.lastCount = 0
    for (const [key, sequence] of this.#highestSettledOfKey) this.#highestOfKey.set(key, sequence)
  }

  deal(number: number): Deal {
    const known = this.#deals.get(number)
    if (known !== undefined) return known
    const deal = newDeal()
    this.#deals.set(number, deal)
    return deal
  }

  /** The deal as it is, without beginning one. */
  peek(number: number): Deal {
    return this.#deals.get(number) ?? newDeal()
  }

  handedOut(entry: EntryOf<'handed-out'>): void {
    const { number, sequence, token, deliveryCount } = entry
    const deal = this.deal(number)
    const what = `${this.#id}: message ${number} (${sequence})`
    if (deal.isSettled) throw new Violation(`${what} was settled and is handed out again`)
    if (deal.isGivenUp) throw new Violation(`${what} is a dead letter and is handed out`)
    if (deal.isInFlight) throw new Violation(`${what} is in flight and is handed out again`)
    if (token <= this.#lastToken) {
      throw new Violation(`${what} has token ${token} after ${this.#lastToken}`)
    }
    if (deliveryCount < deal.lastCount + 1 - deal.releases) {
      throw new Violation(`${what} is attempt ${deliveryCount} after attempt ${deal.lastCount}`)
    }
    if (this.order === 'stream' && deliveryCount === 1 && deal.handOuts === 0) {
      if (sequence < this.#lastFirstSequence) {
        throw new Violation(`${what} is first handed out after ${this.#lastFirstSequence}`)
      }
      this.#lastFirstSequence = sequence
    }
    this.#lastToken = token
    this.#sequences.set(number, sequence)
    deal.handOuts += 1
    deal.lastCount = deliveryCount
    deal.releases = 0
    deal.isInFlight = deal.isHandedOutAtLast = true
  }

  /** `before`: the message of the same key that must be done with. */
  checkKeyOrder(entry: EntryOf<'handed-out'>, before: number | undefined): void {
    const { number, sequence } = entry
    const key = keyOf(number)!
    const what = `${this.#id}: message ${number} (${sequence}) of ${key}`
    const highest = this.#highestOfKey.get(key) ?? 0
    if (sequence < highest) throw new Violation(`${what} is handed out after ${highest}`)
    this.#highestOfKey.set(key, sequence)
    if (before === undefined) return
    const earlier = this.peek(before)
    if (earlier.isInFlight)
      throw new Violation(`${what} is handed out while ${before} is in flight`)
    // Its letter is committed by now; that this is told may follow.
    if (earlier.handOuts === 0 && !earlier.isGivenUp) this.#mustBeGivenUp.set(before, what)
  }

  askVerdict({ number, verdict }: EntryOf<'ask-verdict'>): void {
    const deal = this.deal(number)
    deal.isInFlight = false
    apply(deal, verdict)
  }

  settled(number: number): void {
    const deal = this.deal(number)
    deal.isSettled = true
    deal.isInFlight = false
    const key = keyOf(number)
    const sequence = this.#sequences.get(number)
    if (key === undefined || sequence === undefined) return
    const highest = this.#highestSettledOfKey.get(key) ?? 0
    this.#highestSettledOfKey.set(key, Math.max(highest, sequence))
  }

  left(): void {
    for (const deal of this.#deals.values()) deal.isInFlight = false
  }

  gaveUp(number: number): void {
    const deal = this.deal(number)
    if (deal.isSettled) throw new Violation(`${this.#id}: ${number} was settled and is given up`)
    deal.isGivenUp = true
    deal.isInFlight = false
  }

  foundLastToken(lastToken: number): void {
    if (lastToken < this.#lastToken) {
      throw new Violation(`the last token of ${this.#id} is ${lastToken}, was ${this.#lastToken}`)
    }
  }

  foundLetter(number: number, reason: string): void {
    if (number === 0) throw new Violation(`a dead letter of ${this.#id} has other bytes`)
    this.gaveUp(number)
    const deal = this.deal(number)
    if (reason === 'rejected' && !deal.isRejectAsked) {
      throw new Violation(`${this.#id}: ${number} is rejected, and nobody did`)
    }
    if (deal.isHandedOutAtLast) {
      throw new Violation(`${this.#id}: ${number} is a dead letter and was handed out`)
    }
  }

  /** Dead letters stay; `found` holds the consumer's id and the number of each. */
  checkLetters(found: ReadonlySet<string>): void {
    for (const [number, what] of this.#mustBeGivenUp) {
      if (this.peek(number).isGivenUp) continue
      throw new Violation(`${what} was handed out and ${number} before it never was`)
    }
    if (this.#settings.deadLetter === undefined) return
    for (const [number, { isGivenUp }] of this.#deals) {
      if (!isGivenUp || found.has(`${this.#id} ${number}`)) continue
      throw new Violation(`the dead letter of ${this.#id} ${number} is lost`)
    }
  }

  checkHandedOutAtLast(number: number): void {
    const { isHandedOutAtLast, isGivenUp, isRejectAsked, handOuts } = this.peek(number)
    const isDropped = this.#settings.deadLetter === undefined && isRejectAsked
    if (isHandedOutAtLast || isGivenUp || isDropped) return
    throw new Violation(
      `${this.#id}: message ${number} is neither settled nor handed out nor a dead letter (handed out ${handOuts} times)`,
    )
  }
}

function newDeal(): Deal {
  return {
    handOuts: 0,
    lastCount: 0,
    releases: 0,
    isInFlight: false,
    isAckAsked: false,
    isRejectAsked: false,
    isSettled: false,
    isGivenUp: false,
    isHandedOutAtLast: false,
    transactions: [],
  }
}

function apply(deal: Deal, verdict: Verdict): void {
  if (verdict === 'acknowledge' || verdict === 'acknowledge-safely') deal.isAckAsked = true
  if (verdict === 'release') deal.releases += 1
  if (verdict === 'reject') deal.isRejectAsked = true
}
