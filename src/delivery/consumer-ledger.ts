// All that is known of one consumer's messages: which are settled, which are in flight until when, which wait for a retry,
// which are held because their key is busy, which are given up. A pure state machine: it is fed the stream's sequences and the
// time, and says what to hand out next and what to write down.
//
// Only unsettled messages take room. Of what was offered and is not there any more, all is known: it is settled.
import type { DeadLetterReason } from '../engine/index.js'
import { AckWaits } from './ack-waits.js'
import { KeyLanes } from './key-lanes.js'
import { LedgerImage, type FailureCause } from './ledger-image.js'
import { LedgerNotes, type NotedFigures } from './ledger-notes.js'
import { MessageSlots, NONE, SlotState } from './message-slots.js'
import { NumberTable } from './number-table.js'
import { SlotHeap } from './slot-heap.js'
import { SlotList } from './slot-list.js'

/** What of `ConsumerSettings` the ledger obeys. */
export interface LedgerOptions {
  /** 'none': what is taken is settled. 'all' is used with order 'stream' only. */
  readonly acknowledge: 'explicit' | 'all' | 'none'
  readonly ackWaitMs: number
  /** Hand-outs before a message is given up; undefined: without end. */
  readonly maxDeliveries: number | undefined
  /** With a list, the ack wait of attempt n is `backoffMs[n - 1]` too. */
  readonly backoffMs: readonly number[]
  readonly maxInFlight: number
  readonly order: 'stream' | 'key'
  readonly lookAhead: number
  readonly followers: 'park' | 'continue'
}

/** One hand-out; the same object each time. */
export interface LedgerHandOut {
  /** The message's sequence, or the negated sequence of a dead letter that is handed out again. */
  readonly id: number
  readonly token: number
  /** Hand-outs that count, this one included. */
  readonly deliveryCount: number
  /** Whether it came back from an earlier hand-out. */
  readonly isRedelivery: boolean
}

/** A message that was given up and whose dead letter is not written yet. */
export interface LedgerFailure {
  readonly id: number
  readonly deliveryCount: number
  readonly reason: DeadLetterReason
  readonly error: string
  readonly key: string | undefined
}

/** A message that is in flight, or was when it was settled. */
export interface LedgerSettlement {
  readonly id: number
  readonly deliveryCount: number
  readonly key: string | undefined
}

/**
 * Tokens passed over after a stop that may have lost notes, so that none is given twice: more than can be handed out before
 * an operating system writes its pages back.
 */
const TOKENS_PER_UNCLEAN_STOP = 2 ** 26

const PARKED = 'behind a dead letter of its key'

export class ConsumerLedger {
  readonly #options: LedgerOptions
  readonly #isByKey: boolean
  readonly #slots = new MessageSlots()
  readonly #byId = new NumberTable()
  readonly #byToken = new NumberTable()
  /** Every message of the stream that has a slot, in its order. */
  readonly #ranks: SlotList
  readonly #fresh: SlotList
  readonly #due: SlotHeap
  readonly #retries: SlotHeap
  readonly #waits: AckWaits
  readonly #lanes: KeyLanes
  readonly #parkedKeys = new Set<string>()
  readonly #redriven = new Set<number>()
  readonly #failures = new Map<number, LedgerFailure>()
  /** What a former process gave up and did not bury, until it is offered again. */
  #restoredFailures: ReadonlyMap<number, FailureCause> = new Map()
  #notes: LedgerNotes
  readonly #handOut = { id: 0, token: 0, deliveryCount: 0, isRedelivery: false }

  #position: number
  #lastToken = 0
  #deliveredSequence = 0
  /** The highest sequence that was handed out, given up or settled: notes must know everything up to it. */
  #touched: number
  /** Up to here a former process looked, and what has no slot is settled. */
  #restoredThrough = 0
  /** The lowest message that is not offered again yet. */
  #firstRestored: number = NONE
  #redelivering = 0
  #stalledBy: string | undefined

  /** `position`: the first sequence to look at; all before it count as settled. */
  constructor(options: LedgerOptions, position: number) {
    this.#options = options
    this.#isByKey = options.order === 'key'
    this.#position = position
    this.#touched = position - 1
    this.#ranks = new SlotList(this.#slots.ranks)
    this.#fresh = new SlotList(this.#slots.queues)
    this.#due = new SlotHeap(this.#slots, (one, other) => this.#isDueBefore(one, other))
    this.#retries = SlotHeap.byDeadline(this.#slots)
    this.#waits = new AckWaits(this.#slots, options.ackWaitMs, options.backoffMs)
    this.#lanes = new KeyLanes(this.#slots)
    this.#notes = this.#beginNotes(position - 1, 0)
  }

  /**
   * The ledger as it was, as far as the notes tell. The stream is offered again from `position`, and the dead letters of
   * `redrivenIds` before it; what was handed out and not settled keeps its attempts. Tokens from before are no longer good,
   * provided that a snapshot of the restored ledger is kept before it hands anything out.
   *
   * @param mayLackNotes whether the last notes may be lost, as after an unclean stop: tokens then leave a wide gap, so
   *   that none of those that were given and forgotten is given again; default true
   */
  static restore(
    options: LedgerOptions,
    snapshot: Uint8Array,
    notes: readonly Uint8Array[],
    mayLackNotes = true,
  ): ConsumerLedger {
    const image = LedgerImage.read(snapshot, notes)
    const ledger = new ConsumerLedger(options, image.through + 1)
    ledger.#recover(image, mayLackNotes ? TOKENS_PER_UNCLEAN_STOP : 0)
    return ledger
  }

  // ---- What is known

  /** Every sequence up to here is settled, or does not match. */
  get floor(): number {
    const lowest = this.#ranks.first
    return lowest === NONE ? this.#position - 1 : this.#slots.id[lowest]! - 1
  }

  get inFlight(): number {
    return this.#slots.counts[SlotState.inFlight]!
  }

  /** Unsettled messages that came back from a hand-out, whether they are out again or not; without those given up. */
  get redelivering(): number {
    return this.#redelivering
  }

  get lastToken(): number {
    return this.#lastToken
  }

  /** The highest sequence that was handed out; 0 before the first. */
  get deliveredSequence(): number {
    return this.#deliveredSequence
  }

  /** Whether the message is done with: acknowledged, buried, or passed over. */
  isSettled(sequence: number): boolean {
    const isKnown = sequence < this.#position || sequence <= this.#restoredThrough
    return isKnown && this.#byId.find(sequence) === NONE
  }

  /** Everything up to here was looked at, by this process or a former one. */
  get lookedThrough(): number {
    return Math.max(this.#position - 1, this.#restoredThrough)
  }

  /** How many of the stream's messages up to there were never handed out and are to be. Looks at all that are not settled. */
  countUntouched(): number {
    const { id, attempts, isAgain, state } = this.#slots
    let count = 0
    for (let slot = this.#ranks.first; slot !== NONE; slot = this.#slots.ranks.next[slot]!) {
      const isNew = attempts[slot] === 0 && isAgain[slot] === 0 && state[slot] !== SlotState.failed
      if (isNew && id[slot]! > 0) count += 1
    }
    return count
  }

  /** How many `failures` there are. */
  get failed(): number {
    return this.#failures.size
  }

  /** Dead letters that are handed out again and not settled, as ids, in their order. */
  get redrivenIds(): readonly number[] {
    return [...this.#redriven].sort((one, other) => other - one)
  }

  get parkedKeys(): ReadonlySet<string> {
    return this.#parkedKeys
  }

  /** With order 'key': the key most of whose messages are held, while the look-ahead is used up. */
  get stalledBy(): string | undefined {
    if (!this.#isByKey || this.#slots.heldBack < this.#options.lookAhead) return undefined
    const known = this.#stalledBy
    if (known === undefined || this.#lanes.head(known) === NONE) {
      this.#stalledBy = this.#lanes.longest()
    }
    return this.#stalledBy
  }

  // ---- Feeding

  /**
   * The next sequence to be told of. It leaps over what is known to be settled from before a restart; telling of what was
   * leapt over does no harm.
   */
  get position(): number {
    return this.#position
  }

  /**
   * Whether there is room to look further. With order 'stream' every unsettled message counts against `maxInFlight`, those
   * that wait for a retry or a dead letter too. With order 'key' those count against `lookAhead`, together with what is held.
   */
  get wantsMore(): boolean {
    const { maxInFlight, lookAhead } = this.#options
    const { held, heldBack } = this.#slots
    if (!this.#isByKey) return held < maxInFlight
    return held - heldBack < maxInFlight && heldBack < lookAhead
  }

  /** Tells of a message that matches; whatever lies between `position` and it does not, or is gone. */
  offer(sequence: number, key?: string): void {
    if (sequence < this.#position) return
    if (this.#firstRestored !== NONE) this.#forgetRestoredBelow(sequence)
    const restored = this.#firstRestored
    const isRestored = restored !== NONE && this.#slots.id[restored] === sequence
    if (isRestored) this.#firstRestored = this.#slots.ranks.next[restored]!
    else if (sequence <= this.#restoredThrough) return this.#lookAt(sequence + 1)
    const slot = isRestored ? restored : this.#enter(sequence)
    this.#lookAt(sequence + 1)
    if (this.#isByKey && key !== undefined) this.#lanes.join(slot, key)
    this.#admit(slot, key)
  }

  /** Tells that nothing up to a sequence matches, or that it is gone. */
  skip(throughSequence: number): void {
    if (throughSequence < this.#position) return
    if (this.#firstRestored !== NONE) this.#forgetRestoredBelow(throughSequence + 1)
    this.#lookAt(throughSequence + 1)
  }

  /**
   * Hands a dead letter out again, before the messages of the stream and before those of its key that are not in flight. Its
   * id is `-deadSequence`. Does nothing for one that is already on its way.
   */
  offerRedriven(deadSequence: number, key?: string): void {
    const id = -deadSequence
    let slot = this.#byId.find(id)
    if (slot === NONE) {
      slot = this.#enter(id)
      this.#notes.changed(slot)
    } else if (this.#slots.state[slot] !== SlotState.restored) return
    if (this.#isByKey && key !== undefined) this.#joinAhead(slot, key)
    this.#admit(slot, undefined)
  }

  /** Settles a message without a word because it is no longer there. */
  forget(id: number): void {
    const slot = this.#byId.find(id)
    if (slot === NONE) return
    this.#settle(slot)
    this.#lookAt(this.#position)
  }

  // ---- Handing out

  /** The next message to hand out, or undefined: what came back first, then redriven dead letters, then in stream order. */
  take(nowMs: number): LedgerHandOut | undefined {
    if (this.inFlight >= this.#options.maxInFlight) return undefined
    this.#awakeRetries(nowMs)
    const slot = this.#nextReady()
    if (slot === NONE) return undefined
    const handOut = this.#fillHandOut(slot)
    if (handOut.id > this.#deliveredSequence) this.#deliveredSequence = handOut.id
    if (handOut.id > this.#touched) this.#touched = handOut.id
    if (this.#options.acknowledge === 'none') this.#settle(slot)
    else this.#fly(slot, nowMs)
    return handOut
  }

  /** What is in flight under a token, as `revive` takes it; undefined for a token that is not good. */
  findHandOut(token: number): LedgerSettlement | undefined {
    const slot = this.#byToken.find(token)
    if (slot === NONE) return undefined
    const { id, attempts } = this.#slots
    return { id: id[slot]!, deliveryCount: attempts[slot]!, key: this.#lanes.keyOf(slot) }
  }

  // ---- Verdicts: all answer whether the token was good

  settle(token: number): boolean {
    const slot = this.#byToken.find(token)
    if (slot === NONE) return false
    this.#settle(slot)
    return true
  }

  /** Settles everything that was handed out up to this one, what waits to be handed out again included. */
  settleThrough(token: number): boolean {
    const last = this.#byToken.find(token)
    if (last === NONE) return false
    const lastId = this.#slots.id[last]!
    let slot = this.#ranks.first
    while (slot !== NONE && this.#slots.id[slot]! <= lastId) {
      const next = this.#slots.ranks.next[slot]!
      if (this.#wasHandedOut(slot)) this.#settle(slot)
      slot = next
    }
    for (const id of this.#redriven) {
      const redriven = this.#byId.find(id)
      const redrivenToken = this.#slots.token[redriven]!
      if (this.#wasHandedOut(redriven) && redrivenToken <= token) this.#settle(redriven)
    }
    return true
  }

  /** Gives a message back, due at once, as if it had not been handed out. */
  release(token: number): boolean {
    const slot = this.#return(token)
    if (slot === NONE) return false
    this.#slots.attempts[slot]! -= 1
    this.#notes.changed(slot)
    this.#becomeDue(slot)
    return true
  }

  /** The member left: due at once, and the attempt counts. */
  giveBack(token: number): boolean {
    return this.retry(token, 0, 0, 'the receiver left')
  }

  /**
   * The attempt failed. The message is due again after `delayMs`, or after what the backoff says of the attempt; the last
   * attempt becomes a failure with `error`.
   */
  retry(token: number, nowMs: number, delayMs?: number, error = ''): boolean {
    const slot = this.#return(token)
    if (slot === NONE) return false
    if (this.#isExhausted(slot)) this.#fail(slot, 'attempts-exhausted', error)
    else this.#await(slot, nowMs, delayMs ?? this.#backoffMs(slot))
    return true
  }

  /** Gives a message up. */
  fail(token: number, reason: DeadLetterReason, error: string): boolean {
    const slot = this.#byToken.find(token)
    if (slot === NONE) return false
    this.#fail(slot, reason, error)
    return true
  }

  /** Begins the ack wait anew. */
  extend(token: number, nowMs: number): boolean {
    const slot = this.#byToken.find(token)
    if (slot === NONE) return false
    this.#waits.end(slot)
    this.#waits.begin(slot, nowMs)
    return true
  }

  // ---- Time

  /** When the soonest ack wait or retry is over; undefined when there is none. */
  get nextDeadlineMs(): number | undefined {
    const wait = this.#waits.first
    const retry = this.#retries.first
    const { deadlineMs } = this.#slots
    if (wait === NONE) return retry === NONE ? undefined : deadlineMs[retry]
    if (retry === NONE) return deadlineMs[wait]
    return Math.min(deadlineMs[wait]!, deadlineMs[retry]!)
  }

  /**
   * Ends the waits that are over: what was in flight is due again, or a failure after the last attempt, and `visit` is told;
   * retries become due.
   */
  expire(nowMs: number, visit: (token: number, id: number) => void): void {
    this.#awakeRetries(nowMs)
    for (;;) {
      const slot = this.#waits.first
      if (slot === NONE || this.#slots.deadlineMs[slot]! > nowMs) break
      const token = this.#slots.token[slot]!
      const id = this.#slots.id[slot]!
      this.retry(token, nowMs, 0, 'no verdict within the ack wait')
      visit(token, id)
    }
  }

  // ---- Giving up

  /** What was given up and not buried yet, in order; burying while reading is allowed. */
  failures(): Iterable<LedgerFailure> {
    return this.#failures.values()
  }

  isFailure(id: number): boolean {
    return this.#failures.has(id)
  }

  /** Gives up a message that did not reach a member: it may just have been taken, and that does not count. */
  giveUp(id: number, reason: DeadLetterReason, error: string): boolean {
    const slot = this.#byId.find(id)
    if (slot === NONE) return false
    if (this.#slots.state[slot] === SlotState.inFlight) this.#slots.attempts[slot]! -= 1
    this.#notes.changed(slot)
    this.#fail(slot, reason, error)
    return true
  }

  /**
   * The dead letter is in the commit: the message is settled. With followers 'park' its key is parked until `unpark`: all
   * that follow under it become failures with the reason 'parked'.
   */
  bury(id: number): void {
    const slot = this.#byId.find(id)
    if (slot === NONE) return
    const key = this.#lanes.keyOf(slot)
    if (key !== undefined && this.#options.followers === 'park') this.#park(key, slot)
    this.#settle(slot)
  }

  /** Takes a burial back whose commit failed: the failure waits again. */
  unbury({ id, deliveryCount, reason, error, key }: LedgerFailure): void {
    const slot = this.#reenter(id, deliveryCount, key)
    if (slot !== NONE) this.#fail(slot, reason, error)
  }

  /** Takes a settlement back whose commit failed: the message is due again. */
  revive({ id, deliveryCount, key }: LedgerSettlement): void {
    const slot = this.#reenter(id, deliveryCount, key)
    if (slot === NONE) return
    this.#markAgain(slot, true)
    this.#becomeDue(slot)
  }

  isParked(key: string): boolean {
    return this.#parkedKeys.has(key)
  }

  /** Lets the messages of a key go on; those that were parked and are not buried yet go on too. */
  unpark(key: string): void {
    if (!this.#parkedKeys.delete(key)) return
    this.#notes.parked(key, false)
    for (let slot = this.#lanes.head(key); slot !== NONE; slot = this.#lanes.next(slot)) {
      if (this.#failures.get(this.#slots.id[slot]!)?.reason === 'parked') this.#unfail(slot)
    }
    const head = this.#lanes.head(key)
    if (head !== NONE) this.#promote(head)
  }

  // ---- Persistence

  /** What changed since the last call, to be kept; undefined when nothing did. */
  takeNote(): Uint8Array | undefined {
    return this.#notes.take(this.#figures())
  }

  /** All that has to be kept. Notes taken before are part of it; the next note fits behind it. */
  snapshot(): Uint8Array {
    const redriven = this.redrivenIds.map((id) => this.#byId.find(id))
    return this.#notes.snapshot(this.#figures(), this.#ranks.first, redriven, this.#parkedKeys)
  }

  #figures(): NotedFigures {
    const fresh = this.#fresh.first
    const seen = fresh === NONE ? this.#position : this.#slots.id[fresh]!
    return {
      lastToken: this.#lastToken,
      deliveredSequence: this.#deliveredSequence,
      through: Math.max(this.#notes.through, this.#touched, seen - 1),
    }
  }

  #beginNotes(through: number, lastToken: number): LedgerNotes {
    return new LedgerNotes(this.#slots, (id) => this.#causeOf(id), through, lastToken)
  }

  /** Why a message is given up, where it does not follow from its key. */
  #causeOf(id: number): FailureCause | undefined {
    const failure = this.#failures.get(id) ?? this.#restoredFailures.get(id)
    return failure?.reason === 'parked' ? undefined : failure
  }

  #recover(image: LedgerImage, tokensPassedOver: number): void {
    this.#lastToken = image.lastToken + tokensPassedOver
    this.#deliveredSequence = image.deliveredSequence
    this.#restoredThrough = image.through
    this.#restoredFailures = image.failures
    this.#notes = this.#beginNotes(image.through, image.lastToken)
    for (const key of image.parkedKeys) this.#parkedKeys.add(key)
    for (const id of [...image.unsettled.keys()].sort((one, other) => one - other)) {
      const slot = this.#enter(id)
      this.#slots.attempts[slot] = image.unsettled.get(id)!
      this.#slots.deadlineMs[slot] = image.dueMs.get(id) ?? 0
      this.#slots.move(slot, SlotState.restored)
    }
    this.#firstRestored = this.#ranks.first
    this.#lookAt(this.floor + 1)
  }

  // ---- One message's way

  /** Makes a slot; its state comes with `#admit`. */
  #enter(id: number): number {
    const slot = this.#slots.take(id)
    this.#byId.add(id, slot)
    if (id < 0) {
      this.#redriven.add(id)
    } else {
      this.#ranks.add(slot)
      if (id > this.#notes.through) this.#notes.joined(slot)
    }
    return slot
  }

  /** Makes a slot for a message that had left, in its old place. */
  #reenter(id: number, deliveryCount: number, key: string | undefined): number {
    if (this.#byId.find(id) !== NONE) return NONE
    const slot = this.#slots.take(id)
    this.#byId.add(id, slot)
    this.#slots.attempts[slot] = deliveryCount
    if (id < 0) this.#redriven.add(id)
    else {
      let after = this.#ranks.first
      while (after !== NONE && this.#slots.id[after]! < id) after = this.#slots.ranks.next[after]!
      this.#ranks.insertBefore(after, slot)
    }
    if (this.#isByKey && key !== undefined) this.#joinAhead(slot, key)
    this.#notes.changed(slot)
    return slot
  }

  /** Decides what becomes of a message that was offered; `key` is given when a parked key shall stop it. */
  #admit(slot: number, key: string | undefined): void {
    const isParked = key !== undefined && this.#parkedKeys.has(key)
    const wasRestored = this.#slots.state[slot] === SlotState.restored
    const dueMs = wasRestored ? this.#slots.deadlineMs[slot]! : 0
    const cause = wasRestored ? this.#restoredFailures.get(this.#slots.id[slot]!) : undefined
    this.#markAgain(slot, this.#slots.attempts[slot]! > 0)
    if (cause !== undefined) this.#fail(slot, cause.reason, cause.error)
    else if (this.#isExhausted(slot)) this.#fail(slot, 'attempts-exhausted', 'never settled')
    else if (isParked) this.#fail(slot, 'parked', PARKED)
    else if (dueMs > 0) this.#awaitUntil(slot, dueMs)
    else if (!this.#lanes.isHead(slot)) this.#slots.move(slot, SlotState.held)
    else if (this.#isUrgent(slot)) this.#becomeDue(slot)
    else this.#becomeFresh(slot)
  }

  #becomeFresh(slot: number): void {
    this.#slots.move(slot, SlotState.fresh)
    this.#fresh.add(slot)
  }

  #becomeDue(slot: number): void {
    this.#slots.move(slot, SlotState.due)
    this.#due.add(slot)
  }

  #await(slot: number, nowMs: number, delayMs: number): void {
    if (delayMs <= 0) return this.#becomeDue(slot)
    this.#awaitUntil(slot, nowMs + delayMs)
    this.#notes.delayed(slot)
  }

  #awaitUntil(slot: number, dueMs: number): void {
    this.#slots.deadlineMs[slot] = dueMs
    this.#slots.move(slot, SlotState.waiting)
    this.#retries.add(slot)
  }

  #awakeRetries(nowMs: number): void {
    for (;;) {
      const slot = this.#retries.first
      if (slot === NONE || this.#slots.deadlineMs[slot]! > nowMs) return
      this.#retries.remove(slot)
      // The note of its delay is out of date.
      this.#notes.changed(slot)
      if (this.#lanes.isHead(slot)) this.#becomeDue(slot)
      else this.#slots.move(slot, SlotState.held)
    }
  }

  #nextReady(): number {
    const due = this.#due.first
    const fresh = this.#fresh.first
    if (due === NONE || fresh === NONE || this.#isUrgent(due)) return due === NONE ? fresh : due
    return this.#slots.id[due]! < this.#slots.id[fresh]! ? due : fresh
  }

  #fillHandOut(slot: number): LedgerHandOut {
    const { id, attempts, isAgain } = this.#slots
    attempts[slot]! += 1
    const handOut = this.#handOut
    handOut.id = id[slot]!
    handOut.token = ++this.#lastToken
    handOut.deliveryCount = attempts[slot]!
    handOut.isRedelivery = isAgain[slot] === 1
    return handOut
  }

  #fly(slot: number, nowMs: number): void {
    this.#withdraw(slot)
    this.#slots.token[slot] = this.#lastToken
    this.#slots.move(slot, SlotState.inFlight)
    this.#byToken.add(this.#lastToken, slot)
    this.#waits.begin(slot, nowMs)
    this.#notes.changed(slot)
  }

  /** Ends a hand-out whose message will be handed out again. */
  #return(token: number): number {
    const slot = this.#byToken.find(token)
    if (slot === NONE) return NONE
    this.#withdraw(slot)
    this.#markAgain(slot, true)
    return slot
  }

  #fail(slot: number, reason: DeadLetterReason, error: string): void {
    this.#withdraw(slot)
    this.#markAgain(slot, false)
    this.#slots.move(slot, SlotState.failed)
    const id = this.#slots.id[slot]!
    const deliveryCount = this.#slots.attempts[slot]!
    const key = this.#lanes.keyOf(slot)
    this.#failures.set(id, { id, deliveryCount, reason, error, key })
    if (reason === 'parked') return
    this.#touched = Math.max(this.#touched, id)
    this.#notes.failed(slot)
  }

  /** Takes back that a message was parked. */
  #unfail(slot: number): void {
    this.#withdraw(slot)
    this.#markAgain(slot, this.#slots.attempts[slot]! > 0)
    this.#slots.move(slot, SlotState.held)
  }

  #settle(slot: number): void {
    const id = this.#slots.id[slot]!
    this.#withdraw(slot)
    this.#markAgain(slot, false)
    this.#notes.settled(slot)
    if (slot === this.#firstRestored) this.#firstRestored = this.#slots.ranks.next[slot]!
    if (id < 0) this.#redriven.delete(id)
    else this.#ranks.remove(slot)
    if (id > this.#touched) this.#touched = id
    this.#byId.remove(id)
    const head = this.#lanes.leave(slot)
    this.#slots.give(slot)
    if (head !== NONE) this.#promote(head)
  }

  /** Takes a message out of what its state keeps it in; its next state is the caller's next word. */
  #withdraw(slot: number): void {
    const { state, token, id } = this.#slots
    switch (state[slot]) {
      case SlotState.fresh:
        this.#fresh.remove(slot)
        break
      case SlotState.due:
        this.#due.remove(slot)
        break
      case SlotState.waiting:
        this.#retries.remove(slot)
        break
      case SlotState.inFlight:
        this.#byToken.remove(token[slot]!)
        this.#waits.end(slot)
        break
      case SlotState.failed:
        this.#failures.delete(id[slot]!)
        break
      default:
    }
    this.#slots.move(slot, SlotState.free)
  }

  #markAgain(slot: number, isAgain: boolean): void {
    const mark = isAgain ? 1 : 0
    this.#redelivering += mark - this.#slots.isAgain[slot]!
    this.#slots.isAgain[slot] = mark
  }

  #wasHandedOut(slot: number): boolean {
    return this.#slots.state[slot] === SlotState.inFlight || this.#slots.isAgain[slot] === 1
  }

  #isExhausted(slot: number): boolean {
    const { maxDeliveries } = this.#options
    return maxDeliveries !== undefined && this.#slots.attempts[slot]! >= maxDeliveries
  }

  #backoffMs(slot: number): number {
    const { backoffMs } = this.#options
    return backoffMs[Math.min(this.#slots.attempts[slot]!, backoffMs.length) - 1] ?? 0
  }

  // ---- Order

  /** Whether a message goes before all that were never handed out. */
  #isUrgent(slot: number): boolean {
    return this.#slots.isAgain[slot] === 1 || this.#slots.id[slot]! < 0
  }

  #isDueBefore(one: number, other: number): boolean {
    const isUrgent = this.#isUrgent(one)
    if (isUrgent !== this.#isUrgent(other)) return isUrgent
    return this.#isOlder(one, other)
  }

  /** Dead letters that are handed out again are older than every message of the stream, and in their own order. */
  #isOlder(one: number, other: number): boolean {
    const id = this.#slots.id[one]!
    const otherId = this.#slots.id[other]!
    if (id < 0) return otherId > 0 || id > otherId
    return otherId > 0 && id < otherId
  }

  // ---- Keys

  /** Puts a redriven dead letter in front of what is younger in its lane, but never in front of what is in flight. */
  #joinAhead(slot: number, key: string): void {
    let before = this.#lanes.head(key)
    while (before !== NONE && !this.#mayOvertake(slot, before)) before = this.#lanes.next(before)
    if (before !== NONE && this.#lanes.isHead(before)) this.#holdBack(before)
    this.#lanes.join(slot, key, before)
  }

  #mayOvertake(slot: number, other: number): boolean {
    return this.#slots.state[other] !== SlotState.inFlight && this.#isOlder(slot, other)
  }

  /** A head that loses its place: what was ready is held; what waits or is given up goes on doing so. */
  #holdBack(slot: number): void {
    const state = this.#slots.state[slot]
    if (state !== SlotState.fresh && state !== SlotState.due) return
    this.#withdraw(slot)
    this.#slots.move(slot, SlotState.held)
  }

  /** All before it under its key are settled. */
  #promote(head: number): void {
    if (this.#slots.state[head] === SlotState.held) this.#becomeDue(head)
  }

  /** Parks the key of a message that is about to be buried. */
  #park(key: string, buried: number): void {
    if (!this.#parkedKeys.has(key)) {
      this.#parkedKeys.add(key)
      this.#notes.parked(key, true)
    }
    for (let slot = this.#lanes.head(key); slot !== NONE; slot = this.#lanes.next(slot)) {
      const state = this.#slots.state[slot]
      if (state === SlotState.inFlight || state === SlotState.failed) continue
      if (this.#isOlder(buried, slot)) this.#fail(slot, 'parked', PARKED)
    }
  }

  // ---- After a restart

  /** What a former process knew and is not found any more is settled. */
  #forgetRestoredBelow(sequence: number): void {
    while (this.#firstRestored !== NONE && this.#slots.id[this.#firstRestored]! < sequence) {
      this.#settle(this.#firstRestored)
    }
  }

  /** Moves on to `sequence`, or to the next that is not known to be settled. */
  #lookAt(sequence: number): void {
    if (this.#firstRestored !== NONE) {
      this.#position = Math.max(sequence, this.#slots.id[this.#firstRestored]!)
    } else {
      this.#position = Math.max(sequence, this.#restoredThrough + 1)
    }
  }
}
