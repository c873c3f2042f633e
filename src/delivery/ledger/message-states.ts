// Where each message of a consumer's ledger is on its way, and the moves from one place to the next. A message is in one state at
// a time and in what belongs to it: the list of fresh ones, a heap, the ack waits, the failures. The ledger says which move is
// due; here it is made, with what the notes must tell of it.
import type { DeadLetterReason } from '../../engine/index.js'
import { AckWaits } from './ack-waits.js'
import { KeyLanes } from './key-lanes.js'
import type { FailureCause, LedgerImage } from './ledger-image.js'
import { LedgerNotes } from './ledger-notes.js'
import type { LedgerFailure, LedgerOptions } from './ledger-types.js'
import { MessageSlots, NONE, SlotState } from './message-slots.js'
import { NumberTable } from './number-table.js'
import { SlotHeap } from './slot-heap.js'
import { SlotList } from './slot-list.js'

export class MessageStates {
  readonly slots = new MessageSlots()
  readonly byId = new NumberTable()
  readonly byToken = new NumberTable()
  /** Every message of the stream that has a slot, in its order. */
  readonly ranks: SlotList
  readonly fresh: SlotList
  readonly retries: SlotHeap
  readonly waits: AckWaits
  readonly lanes: KeyLanes
  readonly parkedKeys = new Set<string>()
  readonly redriven = new Set<number>()
  readonly failures = new Map<number, LedgerFailure>()
  /** What a former process gave up and did not bury, until it is offered again. */
  #restoredFailures: ReadonlyMap<number, FailureCause> = new Map()
  notes: LedgerNotes
  /** The highest sequence that was handed out, given up or settled: notes must know everything up to it. */
  touched: number
  redelivering = 0
  readonly #due: SlotHeap
  readonly #isByKey: boolean

  /** `position`: the first sequence that is not settled from the start. */
  constructor(options: LedgerOptions, position: number) {
    this.#isByKey = options.order === 'key'
    this.touched = position - 1
    this.ranks = new SlotList(this.slots.ranks)
    this.fresh = new SlotList(this.slots.queues)
    this.#due = new SlotHeap(this.slots, (one, other) => this.#isDueBefore(one, other))
    this.retries = SlotHeap.byDeadline(this.slots)
    this.waits = new AckWaits(this.slots, options.ackWaitMs, options.backoffMs)
    this.lanes = new KeyLanes(this.slots)
    this.notes = this.#beginNotes(position - 1, 0)
  }

  /** What was parked and given up before a restart; notes go on behind the image. */
  recover(image: LedgerImage): void {
    this.#restoredFailures = image.failures
    this.notes = this.#beginNotes(image.through, image.lastToken)
    for (const key of image.parkedKeys) this.parkedKeys.add(key)
  }

  #beginNotes(through: number, lastToken: number): LedgerNotes {
    return new LedgerNotes(this.slots, (id) => this.#causeOf(id), through, lastToken)
  }

  /** Why a message is given up, where it does not follow from its key. */
  #causeOf(id: number): FailureCause | undefined {
    const failure = this.failures.get(id) ?? this.#restoredFailures.get(id)
    return failure?.reason === 'parked' ? undefined : failure
  }

  // ---- Coming and going

  /** Makes a slot; its state is the caller's next word. */
  enter(id: number): number {
    const slot = this.slots.take(id)
    this.byId.add(id, slot)
    if (id < 0) {
      this.redriven.add(id)
    } else {
      this.ranks.add(slot)
      if (id > this.notes.through) this.notes.joined(slot)
    }
    return slot
  }

  /** Makes a slot for a message that had left, in its old place. */
  reenter(id: number, deliveryCount: number, key: string | undefined): number {
    if (this.byId.find(id) !== NONE) return NONE
    const slot = this.slots.take(id)
    this.byId.add(id, slot)
    this.slots.attempts[slot] = deliveryCount
    if (id < 0) this.redriven.add(id)
    else {
      let after = this.ranks.first
      while (after !== NONE && this.slots.id[after]! < id) after = this.slots.ranks.next[after]!
      this.ranks.insertBefore(after, slot)
    }
    if (this.#isByKey && key !== undefined) this.joinAhead(slot, key)
    this.notes.changed(slot)
    return slot
  }

  /** The message is done with and leaves; the next one of its key moves up. */
  settle(slot: number): void {
    const id = this.slots.id[slot]!
    this.withdraw(slot)
    this.markAgain(slot, false)
    this.notes.settled(slot)
    if (id < 0) this.redriven.delete(id)
    else this.ranks.remove(slot)
    if (id > this.touched) this.touched = id
    this.byId.remove(id)
    const head = this.lanes.leave(slot)
    this.slots.give(slot)
    if (head !== NONE) this.#promote(head)
  }

  // ---- From state to state

  #becomeFresh(slot: number): void {
    this.slots.move(slot, SlotState.fresh)
    this.fresh.add(slot)
  }

  /** To be handed out when its turn comes, unless another of its key is before it. */
  becomeReady(slot: number): void {
    if (!this.lanes.isHead(slot)) this.slots.move(slot, SlotState.held)
    else if (this.#isUrgent(slot)) this.becomeDue(slot)
    else this.#becomeFresh(slot)
  }

  becomeDue(slot: number): void {
    this.slots.move(slot, SlotState.due)
    this.#due.add(slot)
  }

  awaitUntil(slot: number, dueMs: number): void {
    this.slots.deadlineMs[slot] = dueMs
    this.slots.move(slot, SlotState.waiting)
    this.retries.add(slot)
  }

  /** Retries whose moment has come are due, or held behind their key. */
  awakeRetries(nowMs: number): void {
    for (;;) {
      const slot = this.retries.first
      if (slot === NONE || this.slots.deadlineMs[slot]! > nowMs) return
      this.retries.remove(slot)
      // The note of its delay is out of date.
      this.notes.changed(slot)
      if (this.lanes.isHead(slot)) this.becomeDue(slot)
      else this.slots.move(slot, SlotState.held)
    }
  }

  fly(slot: number, token: number, nowMs: number): void {
    this.withdraw(slot)
    this.slots.token[slot] = token
    this.slots.move(slot, SlotState.inFlight)
    this.byToken.add(token, slot)
    this.waits.begin(slot, nowMs)
    this.notes.changed(slot)
  }

  fail(slot: number, reason: DeadLetterReason, error: string): void {
    this.withdraw(slot)
    this.markAgain(slot, false)
    this.slots.move(slot, SlotState.failed)
    const id = this.slots.id[slot]!
    const deliveryCount = this.slots.attempts[slot]!
    const key = this.lanes.keyOf(slot)
    this.failures.set(id, { id, deliveryCount, reason, error, key })
    if (reason === 'parked') return
    this.touched = Math.max(this.touched, id)
    this.notes.failed(slot)
  }

  /** Gives up what a former process had given up; false: it had not. */
  failAgain(slot: number): boolean {
    const cause = this.#restoredFailures.get(this.slots.id[slot]!)
    if (cause !== undefined) this.fail(slot, cause.reason, cause.error)
    return cause !== undefined
  }

  failAsParked(slot: number): void {
    this.fail(slot, 'parked', 'behind a dead letter of its key')
  }

  /** Takes back that a message was parked. */
  #unfail(slot: number): void {
    this.withdraw(slot)
    this.markAgain(slot, this.slots.attempts[slot]! > 0)
    this.slots.move(slot, SlotState.held)
  }

  /** Takes a message out of what its state keeps it in; its next state is the caller's next word. */
  withdraw(slot: number): void {
    const { state, token, id } = this.slots
    switch (state[slot]) {
      case SlotState.fresh:
        this.fresh.remove(slot)
        break
      case SlotState.due:
        this.#due.remove(slot)
        break
      case SlotState.waiting:
        this.retries.remove(slot)
        break
      case SlotState.inFlight:
        this.byToken.remove(token[slot]!)
        this.waits.end(slot)
        break
      case SlotState.failed:
        this.failures.delete(id[slot]!)
        break
      default:
    }
    this.slots.move(slot, SlotState.free)
  }

  /** Remembers whether a message came back from a hand-out. */
  markAgain(slot: number, isAgain: boolean): void {
    const mark = isAgain ? 1 : 0
    this.redelivering += mark - this.slots.isAgain[slot]!
    this.slots.isAgain[slot] = mark
  }

  wasHandedOut(slot: number): boolean {
    return this.slots.state[slot] === SlotState.inFlight || this.slots.isAgain[slot] === 1
  }

  // ---- Order

  /** What is to be handed out next, or NONE. */
  nextReady(): number {
    const due = this.#due.first
    const fresh = this.fresh.first
    if (due === NONE || fresh === NONE || this.#isUrgent(due)) return due === NONE ? fresh : due
    return this.slots.id[due]! < this.slots.id[fresh]! ? due : fresh
  }

  /** Whether a message goes before all that were never handed out. */
  #isUrgent(slot: number): boolean {
    return this.slots.isAgain[slot] === 1 || this.slots.id[slot]! < 0
  }

  #isDueBefore(one: number, other: number): boolean {
    const isUrgent = this.#isUrgent(one)
    if (isUrgent !== this.#isUrgent(other)) return isUrgent
    return this.#isOlder(one, other)
  }

  /** Dead letters that are handed out again are older than every message of the stream, and in their own order. */
  #isOlder(one: number, other: number): boolean {
    const id = this.slots.id[one]!
    const otherId = this.slots.id[other]!
    if (id < 0) return otherId > 0 || id > otherId
    return otherId > 0 && id < otherId
  }

  // ---- Keys

  /** Puts a redriven dead letter in front of what is younger in its lane, but never in front of what is in flight. */
  joinAhead(slot: number, key: string): void {
    let before = this.lanes.head(key)
    while (before !== NONE && !this.#mayOvertake(slot, before)) before = this.lanes.next(before)
    if (before !== NONE && this.lanes.isHead(before)) this.#holdBack(before)
    this.lanes.join(slot, key, before)
  }

  #mayOvertake(slot: number, other: number): boolean {
    return this.slots.state[other] !== SlotState.inFlight && this.#isOlder(slot, other)
  }

  /** A head that loses its place: what was ready is held; what waits or is given up goes on doing so. */
  #holdBack(slot: number): void {
    const state = this.slots.state[slot]
    if (state !== SlotState.fresh && state !== SlotState.due) return
    this.withdraw(slot)
    this.slots.move(slot, SlotState.held)
  }

  /** All before it under its key are settled. */
  #promote(head: number): void {
    if (this.slots.state[head] === SlotState.held) this.becomeDue(head)
  }

  /** Parks the key of a message that is about to be buried. */
  park(key: string, buried: number): void {
    if (!this.parkedKeys.has(key)) {
      this.parkedKeys.add(key)
      this.notes.parked(key, true)
    }
    for (let slot = this.lanes.head(key); slot !== NONE; slot = this.lanes.next(slot)) {
      const state = this.slots.state[slot]
      if (state === SlotState.inFlight || state === SlotState.failed) continue
      if (this.#isOlder(buried, slot)) this.failAsParked(slot)
    }
  }

  /** Lets the messages of a key go on; those that were parked and are not buried yet go on too. */
  unpark(key: string): void {
    if (!this.parkedKeys.delete(key)) return
    this.notes.parked(key, false)
    for (let slot = this.lanes.head(key); slot !== NONE; slot = this.lanes.next(slot)) {
      if (this.failures.get(this.slots.id[slot]!)?.reason === 'parked') this.#unfail(slot)
    }
    const head = this.lanes.head(key)
    if (head !== NONE) this.#promote(head)
  }
}
