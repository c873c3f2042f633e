// All that is known of one consumer's messages: which are settled, which are in flight until when, which wait for a retry,
// which are held because their key is busy, which are given up. A pure state machine: it is fed the stream's sequences and the
// time, and says what to hand out next and what to write down.
//
// Only unsettled messages take room. Of what was offered and is not there any more, all is known: it is settled.
import type { DeadLetterReason } from '../../engine/index.js'
import { LedgerImage } from './ledger-image.js'
import type { NotedFigures } from './ledger-notes.js'
import type {
  LedgerFailure,
  LedgerHandOut,
  LedgerOptions,
  LedgerSettlement,
} from './ledger-types.js'
import { NONE, SlotState, type MessageSlots } from './message-slots.js'
import { MessageStates } from './message-states.js'

/**
 * Tokens passed over after a stop that may have lost notes, so that none is given twice: more than can be handed out before
 * an operating system writes its pages back.
 */
const TOKENS_PER_UNCLEAN_STOP = 2 ** 26

export class ConsumerLedger {
  readonly #options: LedgerOptions
  readonly #isByKey: boolean
  readonly #states: MessageStates
  readonly #slots: MessageSlots
  readonly #handOut = { id: 0, token: 0, deliveryCount: 0, isRedelivery: false }

  #position: number
  #lastToken = 0
  #deliveredSequence = 0
  /** Up to here a former process looked, and what has no slot is settled. */
  #restoredThrough = 0
  /** The lowest message that is not offered again yet. */
  #firstRestored: number = NONE
  #stalledBy: string | undefined

  /** `position`: the first sequence to look at; all before it count as settled. */
  constructor(options: LedgerOptions, position: number) {
    this.#options = options
    this.#isByKey = options.order === 'key'
    this.#position = position
    this.#states = new MessageStates(options, position)
    this.#slots = this.#states.slots
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
    const lowest = this.#states.ranks.first
    return lowest === NONE ? this.#position - 1 : this.#slots.id[lowest]! - 1
  }

  get inFlight(): number {
    return this.#slots.counts[SlotState.inFlight]!
  }

  /** Unsettled messages that came back from a hand-out, whether they are out again or not; without those given up. */
  get redelivering(): number {
    return this.#states.redelivering
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
    return isKnown && this.#states.byId.find(sequence) === NONE
  }

  /** Everything up to here was looked at, by this process or a former one. */
  get lookedThrough(): number {
    return Math.max(this.#position - 1, this.#restoredThrough)
  }

  /** How many of the stream's messages up to there were never handed out and are to be. Looks at all that are not settled. */
  countUntouched(): number {
    const { id, attempts, isAgain, state } = this.#slots
    let count = 0
    for (let slot = this.#states.ranks.first; slot !== NONE; slot = this.#slots.ranks.next[slot]!) {
      const isNew = attempts[slot] === 0 && isAgain[slot] === 0 && state[slot] !== SlotState.failed
      if (isNew && id[slot]! > 0) count += 1
    }
    return count
  }

  /** How many `failures` there are. */
  get failed(): number {
    return this.#states.failures.size
  }

  /** Dead letters that are handed out again and not settled, as ids, in their order. */
  get redrivenIds(): readonly number[] {
    return [...this.#states.redriven].sort((one, other) => other - one)
  }

  get parkedKeys(): ReadonlySet<string> {
    return this.#states.parkedKeys
  }

  /** With order 'key': the key most of whose messages are held, while the look-ahead is used up. */
  get stalledBy(): string | undefined {
    if (!this.#isByKey || this.#slots.heldBack < this.#options.lookAhead) return undefined
    const known = this.#stalledBy
    if (known === undefined || this.#states.lanes.head(known) === NONE) {
      this.#stalledBy = this.#states.lanes.longest()
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
    const slot = isRestored ? restored : this.#states.enter(sequence)
    this.#lookAt(sequence + 1)
    if (this.#isByKey && key !== undefined) this.#states.lanes.join(slot, key)
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
    let slot = this.#states.byId.find(id)
    if (slot === NONE) {
      slot = this.#states.enter(id)
      this.#states.notes.changed(slot)
    } else if (this.#slots.state[slot] !== SlotState.restored) return
    if (this.#isByKey && key !== undefined) this.#states.joinAhead(slot, key)
    this.#admit(slot, undefined)
  }

  /** Settles a message without a word because it is no longer there. */
  forget(id: number): void {
    const slot = this.#states.byId.find(id)
    if (slot === NONE) return
    this.#settle(slot)
    this.#lookAt(this.#position)
  }

  // ---- Handing out

  /** The next message to hand out, or undefined: what came back first, then redriven dead letters, then in stream order. */
  take(nowMs: number): LedgerHandOut | undefined {
    if (this.inFlight >= this.#options.maxInFlight) return undefined
    this.#states.awakeRetries(nowMs)
    const slot = this.#states.nextReady()
    if (slot === NONE) return undefined
    const handOut = this.#fillHandOut(slot)
    if (handOut.id > this.#deliveredSequence) this.#deliveredSequence = handOut.id
    if (handOut.id > this.#states.touched) this.#states.touched = handOut.id
    if (this.#options.acknowledge === 'none') this.#settle(slot)
    else this.#states.fly(slot, this.#lastToken, nowMs)
    return handOut
  }

  /** What is in flight under a token, as `revive` takes it; undefined for a token that is not good. */
  findHandOut(token: number): LedgerSettlement | undefined {
    const slot = this.#states.byToken.find(token)
    if (slot === NONE) return undefined
    const { id, attempts } = this.#slots
    return { id: id[slot]!, deliveryCount: attempts[slot]!, key: this.#states.lanes.keyOf(slot) }
  }

  // ---- Verdicts: all answer whether the token was good

  settle(token: number): boolean {
    const slot = this.#states.byToken.find(token)
    if (slot === NONE) return false
    this.#settle(slot)
    return true
  }

  /** Settles everything that was handed out up to this one, what waits to be handed out again included. */
  settleThrough(token: number): boolean {
    const last = this.#states.byToken.find(token)
    if (last === NONE) return false
    const lastId = this.#slots.id[last]!
    let slot = this.#states.ranks.first
    while (slot !== NONE && this.#slots.id[slot]! <= lastId) {
      const next = this.#slots.ranks.next[slot]!
      if (this.#states.wasHandedOut(slot)) this.#settle(slot)
      slot = next
    }
    for (const id of this.#states.redriven) {
      const redriven = this.#states.byId.find(id)
      const redrivenToken = this.#slots.token[redriven]!
      if (this.#states.wasHandedOut(redriven) && redrivenToken <= token) this.#settle(redriven)
    }
    return true
  }

  /** Gives a message back, due at once, as if it had not been handed out. */
  release(token: number): boolean {
    const slot = this.#return(token)
    if (slot === NONE) return false
    this.#slots.attempts[slot]! -= 1
    this.#states.notes.changed(slot)
    this.#states.becomeDue(slot)
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
    if (this.#isExhausted(slot)) this.#states.fail(slot, 'attempts-exhausted', error)
    else this.#await(slot, nowMs, delayMs ?? this.#backoffMs(slot))
    return true
  }

  /** Gives a message up. */
  fail(token: number, reason: DeadLetterReason, error: string): boolean {
    const slot = this.#states.byToken.find(token)
    if (slot === NONE) return false
    this.#states.fail(slot, reason, error)
    return true
  }

  /** Begins the ack wait anew. */
  extend(token: number, nowMs: number): boolean {
    const slot = this.#states.byToken.find(token)
    if (slot === NONE) return false
    this.#states.waits.end(slot)
    this.#states.waits.begin(slot, nowMs)
    return true
  }

  // ---- Time

  /** When the soonest ack wait or retry is over; undefined when there is none. */
  get nextDeadlineMs(): number | undefined {
    const wait = this.#states.waits.first
    const retry = this.#states.retries.first
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
    this.#states.awakeRetries(nowMs)
    for (;;) {
      const slot = this.#states.waits.first
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
    return this.#states.failures.values()
  }

  isFailure(id: number): boolean {
    return this.#states.failures.has(id)
  }

  /** Gives up a message that did not reach a member: it may just have been taken, and that does not count. */
  giveUp(id: number, reason: DeadLetterReason, error: string): boolean {
    const slot = this.#states.byId.find(id)
    if (slot === NONE) return false
    if (this.#slots.state[slot] === SlotState.inFlight) this.#slots.attempts[slot]! -= 1
    this.#states.notes.changed(slot)
    this.#states.fail(slot, reason, error)
    return true
  }

  /**
   * The dead letter is in the commit: the message is settled. With followers 'park' its key is parked until `unpark`: all
   * that follow under it become failures with the reason 'parked'.
   */
  bury(id: number): void {
    const slot = this.#states.byId.find(id)
    if (slot === NONE) return
    const key = this.#states.lanes.keyOf(slot)
    if (key !== undefined && this.#options.followers === 'park') this.#states.park(key, slot)
    this.#settle(slot)
  }

  /** Takes a burial back whose commit failed: the failure waits again. */
  unbury({ id, deliveryCount, reason, error, key }: LedgerFailure): void {
    const slot = this.#states.reenter(id, deliveryCount, key)
    if (slot !== NONE) this.#states.fail(slot, reason, error)
  }

  /** Takes a settlement back whose commit failed: the message is due again. */
  revive({ id, deliveryCount, key }: LedgerSettlement): void {
    const slot = this.#states.reenter(id, deliveryCount, key)
    if (slot === NONE) return
    this.#states.markAgain(slot, true)
    this.#states.becomeDue(slot)
  }

  /** Lets the messages of a key go on; those that were parked and are not buried yet go on too. */
  unpark(key: string): void {
    this.#states.unpark(key)
  }

  // ---- Persistence

  /** What changed since the last call, to be kept; undefined when nothing did. */
  takeNote(): Uint8Array | undefined {
    return this.#states.notes.take(this.#figures())
  }

  /** All that has to be kept. Notes taken before are part of it; the next note fits behind it. */
  snapshot(): Uint8Array {
    const redriven = this.redrivenIds.map((id) => this.#states.byId.find(id))
    return this.#states.notes.snapshot(
      this.#figures(),
      this.#states.ranks.first,
      redriven,
      this.#states.parkedKeys,
    )
  }

  #figures(): NotedFigures {
    const fresh = this.#states.fresh.first
    const seen = fresh === NONE ? this.#position : this.#slots.id[fresh]!
    return {
      lastToken: this.#lastToken,
      deliveredSequence: this.#deliveredSequence,
      through: Math.max(this.#states.notes.through, this.#states.touched, seen - 1),
    }
  }

  #recover(image: LedgerImage, tokensPassedOver: number): void {
    this.#lastToken = image.lastToken + tokensPassedOver
    this.#deliveredSequence = image.deliveredSequence
    this.#restoredThrough = image.through
    this.#states.recover(image)
    for (const id of [...image.unsettled.keys()].sort((one, other) => one - other)) {
      const slot = this.#states.enter(id)
      this.#slots.attempts[slot] = image.unsettled.get(id)!
      this.#slots.deadlineMs[slot] = image.dueMs.get(id) ?? 0
      this.#slots.move(slot, SlotState.restored)
    }
    this.#firstRestored = this.#states.ranks.first
    this.#lookAt(this.floor + 1)
  }

  // ---- One message's way

  /** Decides what becomes of a message that was offered; `key` is given when a parked key shall stop it. */
  #admit(slot: number, key: string | undefined): void {
    const isParked = key !== undefined && this.#states.parkedKeys.has(key)
    const wasRestored = this.#slots.state[slot] === SlotState.restored
    const dueMs = wasRestored ? this.#slots.deadlineMs[slot]! : 0
    this.#states.markAgain(slot, this.#slots.attempts[slot]! > 0)
    if (wasRestored && this.#states.failAgain(slot)) return
    if (this.#isExhausted(slot)) this.#states.fail(slot, 'attempts-exhausted', 'never settled')
    else if (isParked) this.#states.failAsParked(slot)
    else if (dueMs > 0) this.#states.awaitUntil(slot, dueMs)
    else this.#states.becomeReady(slot)
  }

  #await(slot: number, nowMs: number, delayMs: number): void {
    if (delayMs <= 0) return this.#states.becomeDue(slot)
    this.#states.awaitUntil(slot, nowMs + delayMs)
    this.#states.notes.delayed(slot)
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

  /** Ends a hand-out whose message will be handed out again. */
  #return(token: number): number {
    const slot = this.#states.byToken.find(token)
    if (slot === NONE) return NONE
    this.#states.withdraw(slot)
    this.#states.markAgain(slot, true)
    return slot
  }

  #settle(slot: number): void {
    if (slot === this.#firstRestored) this.#firstRestored = this.#slots.ranks.next[slot]!
    this.#states.settle(slot)
  }

  #isExhausted(slot: number): boolean {
    const { maxDeliveries } = this.#options
    return maxDeliveries !== undefined && this.#slots.attempts[slot]! >= maxDeliveries
  }

  #backoffMs(slot: number): number {
    const { backoffMs } = this.#options
    return backoffMs[Math.min(this.#slots.attempts[slot]!, backoffMs.length) - 1] ?? 0
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
