// Keeps track of what changed in a ledger since its last note. What happened to a message between two notes is told by its
// outcome: one that was offered and settled in between costs no byte.
import { LedgerImageWriter, type FailureCause } from './ledger-image.js'
import { NONE, SlotState, type MessageSlots } from './message-slots.js'

/** What of the ledger's own figures goes into a note. */
export interface NotedFigures {
  readonly lastToken: number
  readonly deliveredSequence: number
  /** Up to here the note shall know everything. */
  readonly through: number
}

export class LedgerNotes {
  readonly #slots: MessageSlots
  readonly #causeOf: (id: number) => FailureCause | undefined
  readonly #writer = new LedgerImageWriter()
  /** Up to here the notes know everything. */
  #through: number
  #lastToken: number
  /** The first message behind `#through`. */
  #firstUnnoted: number = NONE
  /** Slots of messages, up to `#through`, whose attempts changed; a slot that was given away is no longer marked. */
  readonly #changed: number[] = []
  #changedCount = 0
  /** First and last ids of what was settled up to `#through`, in turn. */
  readonly #settled: number[] = []
  #settledCount = 0
  /** Slots that may wait for a retry which was not noted. */
  #delayed: number[] = []
  /** Slots that may be given up, which was not noted. */
  #failed: number[] = []
  #keys: { readonly key: string; readonly isParked: boolean }[] = []

  /** `causeOf` says why a message is given up, unless it is parked: that follows from its key. */
  constructor(
    slots: MessageSlots,
    causeOf: (id: number) => FailureCause | undefined,
    through: number,
    lastToken: number,
  ) {
    this.#slots = slots
    this.#causeOf = causeOf
    this.#through = through
    this.#lastToken = lastToken
  }

  get through(): number {
    return this.#through
  }

  /** A message was added at the end of the ranks. */
  joined(slot: number): void {
    if (this.#firstUnnoted === NONE) this.#firstUnnoted = slot
  }

  /** The attempts of a message changed, or it is a dead letter that is handed out again. */
  changed(slot: number): void {
    const { id, isChanged } = this.#slots
    if (id[slot]! > this.#through || isChanged[slot] === 1) return
    isChanged[slot] = 1
    this.#changed[this.#changedCount++] = slot
  }

  /** A message is about to leave the ranks. */
  settled(slot: number): void {
    const id = this.#slots.id[slot]!
    if (slot === this.#firstUnnoted) this.#firstUnnoted = this.#slots.ranks.next[slot]!
    else if (id < 0) this.#addSettled(id)
    else if (id <= this.#through && !this.#extendSettled(slot, id)) this.#addSettled(id)
  }

  /** A message waits for a retry. */
  delayed(slot: number): void {
    this.#delayed.push(slot)
  }

  /** A message was given up. */
  failed(slot: number): void {
    this.#failed.push(slot)
  }

  parked(key: string, isParked: boolean): void {
    this.#keys.push({ key, isParked })
  }

  /** What changed, as bytes; undefined when nothing did. */
  take(figures: NotedFigures): Uint8Array | undefined {
    const { lastToken, deliveredSequence, through } = figures
    if (!this.#hasNews(lastToken, through)) return undefined
    this.#writer.begin({ lastToken, deliveredSequence, from: this.#through, through })
    this.#firstUnnoted = this.#writeRanks(this.#firstUnnoted, through)
    this.#writer.endRuns()
    this.#writeChanged()
    this.#writeSettled()
    for (const { key, isParked } of this.#keys) this.#writer.key(key, isParked)
    this.#writer.endKeys()
    for (const slot of this.#delayed) this.#writeDelay(slot)
    for (const slot of this.#failed) this.#writeFailure(slot)
    this.#delayed = []
    this.#failed = []
    this.#through = through
    this.#lastToken = lastToken
    this.#keys = []
    return this.#writer.finish()
  }

  /** Everything, as bytes; the next note is the same with or without it. */
  snapshot(
    figures: NotedFigures,
    firstRank: number,
    redriven: readonly number[],
    parkedKeys: Iterable<string>,
  ): Uint8Array {
    this.#writer.begin({ ...figures, from: 0 })
    this.#writeRanks(firstRank, figures.through)
    this.#writer.endRuns()
    for (const slot of redriven) this.#write(slot)
    this.#writer.endRuns()
    this.#writer.endSettled()
    for (const key of parkedKeys) this.#writer.key(key, true)
    this.#writer.endKeys()
    for (let slot = firstRank; slot !== NONE; slot = this.#slots.ranks.next[slot]!) {
      this.#writeFate(slot)
    }
    for (const slot of redriven) this.#writeFate(slot)
    return this.#writer.finish()
  }

  #hasNews(lastToken: number, through: number): boolean {
    return (
      lastToken !== this.#lastToken ||
      through !== this.#through ||
      this.#changedCount > 0 ||
      this.#settledCount > 0 ||
      this.#keys.length > 0 ||
      this.#delayed.length > 0 ||
      this.#failed.length > 0
    )
  }

  /** Widens the last run where only settled messages lie between it and this one. */
  #extendSettled(slot: number, id: number): boolean {
    if (this.#settledCount === 0) return false
    const { id: ids, ranks } = this.#slots
    const last = this.#settledCount - 1
    const lower = ranks.previous[slot]!
    const higher = ranks.next[slot]!
    if (lower !== NONE && this.#settled[last]! < ids[lower]!) return false
    if (higher !== NONE && this.#settled[last - 1]! > ids[higher]!) return false
    if (this.#settled[last]! < 0) return false
    if (id < this.#settled[last - 1]!) this.#settled[last - 1] = id
    else if (id > this.#settled[last]!) this.#settled[last] = id
    return true
  }

  #addSettled(id: number): void {
    this.#settled[this.#settledCount++] = id
    this.#settled[this.#settledCount++] = id
  }

  /** Writes what is unsettled from `slot` through a sequence; returns the slot behind. */
  #writeRanks(slot: number, through: number): number {
    const { id, ranks } = this.#slots
    let next = slot
    while (next !== NONE && id[next]! <= through) {
      this.#write(next)
      next = ranks.next[next]!
    }
    return next
  }

  #writeChanged(): void {
    const { isChanged } = this.#slots
    for (let i = 0; i < this.#changedCount; i++) {
      const slot = this.#changed[i]!
      if (isChanged[slot] === 0) continue
      isChanged[slot] = 0
      this.#write(slot)
    }
    this.#changedCount = 0
    this.#writer.endRuns()
  }

  #writeSettled(): void {
    for (let i = 0; i < this.#settledCount; i += 2) {
      this.#writer.settled(this.#settled[i]!, this.#settled[i + 1]!)
    }
    this.#settledCount = 0
    this.#writer.endSettled()
  }

  #writeDelay(slot: number): void {
    const { id, state, deadlineMs } = this.#slots
    const isWaiting = state[slot] === SlotState.waiting || state[slot] === SlotState.restored
    if (isWaiting && deadlineMs[slot]! > 0) this.#writer.delay(id[slot]!, deadlineMs[slot]!)
  }

  #writeFailure(slot: number): void {
    const { id, state } = this.#slots
    const isGivenUp = state[slot] === SlotState.failed || state[slot] === SlotState.restored
    const cause = isGivenUp ? this.#causeOf(id[slot]!) : undefined
    if (cause !== undefined) this.#writer.failure(id[slot]!, cause)
  }

  #writeFate(slot: number): void {
    this.#writeDelay(slot)
    this.#writeFailure(slot)
  }

  #write(slot: number): void {
    this.#writer.message(this.#slots.id[slot]!, this.#slots.attempts[slot]!)
  }
}
