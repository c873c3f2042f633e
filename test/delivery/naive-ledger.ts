// The consumer's ledger in its simplest form: one map of messages, searched from end to end for every question. It is slow
// and obviously right, and takes the same calls.
import type { LedgerOptions } from '../../src/delivery/ledger/index.js'

interface Message {
  readonly id: number
  readonly key: string | undefined
  attempts: number
  state: 'ready' | 'flight' | 'waiting' | 'failed'
  wasHandedOut: boolean
  token: number
  deadlineMs: number
  /** Counts the beginnings of waits. */
  began: number
  reason: string
}

/** What of it survives a restart. */
export interface KeptLedger {
  readonly seenThrough: number
  readonly attempts: ReadonlyMap<number, number>
  readonly parkedKeys: ReadonlySet<string>
  /** When what waits for a retry is due. */
  readonly dueMs: ReadonlyMap<number, number>
  /** Why what was given up was, unless it is parked. */
  readonly failures: ReadonlyMap<number, string>
}

export class NaiveLedger {
  readonly #options: LedgerOptions
  /** In the order they were offered, and each lane in its own. */
  readonly #messages = new Map<number, Message>()
  readonly #lanes = new Map<string, number[]>()
  readonly #failures: number[] = []
  #begun = 0
  readonly #kept: KeptLedger
  readonly parkedKeys: Set<string>
  seenThrough: number

  constructor(options: LedgerOptions, kept: KeptLedger) {
    this.#options = options
    this.#kept = kept
    this.seenThrough = 0
    this.parkedKeys = new Set(kept.parkedKeys)
  }

  /** What a restart would find now; what was offered before and is not offered again yet counts as it was kept. */
  keep(): KeptLedger {
    const attempts = new Map<number, number>()
    const dueMs = new Map<number, number>()
    const failures = new Map<number, string>()
    for (const [id, count] of this.#kept.attempts) {
      if (id < 0 ? this.#wasSeen.has(id) : id <= this.seenThrough) continue
      attempts.set(id, count)
      if (this.#kept.dueMs.has(id)) dueMs.set(id, this.#kept.dueMs.get(id)!)
      if (this.#kept.failures.has(id)) failures.set(id, this.#kept.failures.get(id)!)
    }
    for (const { id, attempts: count, state, deadlineMs, reason } of this.#messages.values()) {
      attempts.set(id, count)
      if (state === 'failed' && reason !== 'parked') failures.set(id, reason)
      if (state === 'waiting') dueMs.set(id, deadlineMs)
    }
    const seenThrough = Math.max(this.seenThrough, this.#kept.seenThrough)
    return { seenThrough, attempts, parkedKeys: new Set(this.parkedKeys), dueMs, failures }
  }

  readonly #wasSeen = new Set<number>()

  get all(): readonly Message[] {
    return [...this.#messages.values()]
  }

  get inFlight(): readonly Message[] {
    return this.all.filter(({ state }) => state === 'flight')
  }

  get redelivering(): number {
    return this.all.filter(({ state, wasHandedOut }) => wasHandedOut && state !== 'failed').length
  }

  get failures(): readonly Message[] {
    return this.#failures.map((id) => this.#messages.get(id)!)
  }

  get wantsMore(): boolean {
    const { maxInFlight, lookAhead, order } = this.#options
    if (order === 'stream') return this.#messages.size < maxInFlight
    const held = this.all.filter(
      (one) => one.state === 'waiting' || one.state === 'failed' || this.#isBlocked(one),
    ).length
    return this.#messages.size - held < maxInFlight && held < lookAhead
  }

  get nextDeadlineMs(): number | undefined {
    const deadlines = this.all
      .filter(({ state }) => state === 'flight' || state === 'waiting')
      .map(({ deadlineMs }) => deadlineMs)
    return deadlines.length === 0 ? undefined : Math.min(...deadlines)
  }

  offer(sequence: number, key: string | undefined): void {
    this.seenThrough = sequence
    const attempts = this.#kept.attempts.get(sequence)
    if (sequence <= this.#kept.seenThrough && attempts === undefined) return
    const message = this.#enter(sequence, key, attempts ?? 0)
    this.#delay(message)
    if (message.key !== undefined) this.#lane(message.key).push(sequence)
    const reason = this.#kept.failures.get(sequence)
    if (reason !== undefined) this.#fail(message, reason)
    else if (this.#isExhausted(message)) this.#fail(message, 'attempts-exhausted')
    else if (message.key !== undefined && this.parkedKeys.has(message.key)) {
      this.#fail(message, 'parked')
    }
  }

  offerRedriven(deadSequence: number, key: string | undefined): void {
    const id = -deadSequence
    if (this.#messages.has(id)) return
    const isKept = !this.#wasSeen.has(id)
    const attempts = isKept ? (this.#kept.attempts.get(id) ?? 0) : 0
    this.#wasSeen.add(id)
    const message = this.#enter(id, key, attempts)
    if (isKept) this.#delay(message)
    if (message.key !== undefined) {
      const lane = this.#lane(message.key)
      const place = lane.findIndex((other) => {
        return this.#messages.get(other)!.state !== 'flight' && rank(other) > rank(id)
      })
      lane.splice(place < 0 ? lane.length : place, 0, id)
    }
    const reason = isKept ? this.#kept.failures.get(id) : undefined
    if (reason !== undefined) this.#fail(message, reason)
    else if (this.#isExhausted(message)) this.#fail(message, 'attempts-exhausted')
  }

  skip(throughSequence: number): void {
    this.seenThrough = Math.max(this.seenThrough, throughSequence)
  }

  take(nowMs: number, token: number): Message | undefined {
    if (this.inFlight.length >= this.#options.maxInFlight) return undefined
    this.#awake(nowMs)
    const isUrgent = (one: Message): boolean => one.wasHandedOut || one.id < 0
    const [message] = this.all
      .filter((one) => one.state === 'ready' && !this.#isBlocked(one))
      .sort((one, other) => {
        if (isUrgent(one) !== isUrgent(other)) return isUrgent(one) ? -1 : 1
        return rank(one.id) - rank(other.id)
      })
    if (message === undefined) return undefined
    message.attempts += 1
    message.token = token
    if (this.#options.acknowledge === 'none') this.settle(message.id)
    else {
      message.state = 'flight'
      this.extend(message, nowMs)
    }
    return message
  }

  settle(id: number): void {
    const message = this.#messages.get(id)
    if (message === undefined) return
    this.#messages.delete(id)
    if (message.key !== undefined) remove(this.#lane(message.key), id)
    remove(this.#failures, id)
  }

  settleThrough(message: Message): void {
    for (const one of this.all) {
      const isBefore = one.id < 0 ? one.token <= message.token : one.id <= message.id
      const isOut = one.state === 'flight' || (one.wasHandedOut && one.state !== 'failed')
      if (isBefore && isOut) this.settle(one.id)
    }
  }

  release(message: Message): void {
    message.attempts -= 1
    message.wasHandedOut = true
    message.state = 'ready'
  }

  retry(message: Message, nowMs: number, delayMs: number | undefined): void {
    const { backoffMs } = this.#options
    if (this.#isExhausted(message)) return this.#fail(message, 'attempts-exhausted')
    const backoff = backoffMs[Math.min(message.attempts, backoffMs.length) - 1]
    const delay = delayMs ?? backoff ?? 0
    message.wasHandedOut = true
    message.state = delay > 0 ? 'waiting' : 'ready'
    message.deadlineMs = nowMs + delay
  }

  fail(message: Message, reason: string): void {
    this.#fail(message, reason)
  }

  giveUp(id: number, reason: string): void {
    const message = this.#messages.get(id)
    if (message === undefined) return
    if (message.state === 'flight') message.attempts -= 1
    this.#fail(message, reason)
  }

  extend(message: Message, nowMs: number): void {
    const { backoffMs, ackWaitMs } = this.#options
    const wait = backoffMs[Math.min(message.attempts, backoffMs.length) - 1] ?? ackWaitMs
    message.deadlineMs = nowMs + wait
    message.began = ++this.#begun
  }

  /** Returns the ids whose ack wait is over. */
  expire(nowMs: number): number[] {
    this.#awake(nowMs)
    const over = this.inFlight.filter(({ deadlineMs }) => deadlineMs <= nowMs)
    // Equal waits end in the order they began, others that end together in the order of their tokens.
    const tie = this.#options.backoffMs.length > 1 ? 'token' : 'began'
    over.sort((one, other) => one.deadlineMs - other.deadlineMs || one[tie] - other[tie])
    for (const message of over) this.retry(message, nowMs, 0)
    return over.map(({ id }) => id)
  }

  bury(id: number): void {
    const message = this.#messages.get(id)
    if (message === undefined) return
    const { key } = message
    if (key !== undefined && this.#options.followers === 'park') {
      this.parkedKeys.add(key)
      for (const other of this.#lane(key)) {
        const follower = this.#messages.get(other)!
        const isFree = follower.state === 'ready' || follower.state === 'waiting'
        if (isFree && rank(other) > rank(id)) this.#fail(follower, 'parked')
      }
    }
    this.settle(id)
  }

  unpark(key: string): void {
    if (!this.parkedKeys.delete(key)) return
    for (const message of this.all) {
      if (message.key !== key || message.reason !== 'parked') continue
      message.state = 'ready'
      message.reason = ''
      message.wasHandedOut = message.attempts > 0
      remove(this.#failures, message.id)
    }
  }

  #enter(id: number, key: string | undefined, attempts: number): Message {
    const message: Message = {
      id,
      key: this.#options.order === 'key' ? key : undefined,
      attempts,
      state: 'ready',
      wasHandedOut: attempts > 0,
      token: 0,
      deadlineMs: 0,
      began: 0,
      reason: '',
    }
    this.#messages.set(id, message)
    return message
  }

  /** A wait for a retry that a former ledger began. */
  #delay(message: Message): void {
    const dueMs = this.#kept.dueMs.get(message.id)
    if (dueMs === undefined) return
    message.state = 'waiting'
    message.deadlineMs = dueMs
  }

  #fail(message: Message, reason: string): void {
    remove(this.#failures, message.id)
    this.#failures.push(message.id)
    message.state = 'failed'
    message.reason = reason
  }

  #awake(nowMs: number): void {
    for (const message of this.all) {
      if (message.state === 'waiting' && message.deadlineMs <= nowMs) message.state = 'ready'
    }
  }

  #isExhausted({ attempts }: Message): boolean {
    return attempts >= (this.#options.maxDeliveries ?? Infinity)
  }

  /** Whether something of its key is before it. */
  #isBlocked({ id, key, state }: Message): boolean {
    return key !== undefined && state === 'ready' && this.#lane(key)[0] !== id
  }

  #lane(key: string): number[] {
    const lane = this.#lanes.get(key) ?? []
    this.#lanes.set(key, lane)
    return lane
  }
}

/** Redriven dead letters before the stream, each kind in its order. */
function rank(id: number): number {
  return id < 0 ? -id - 1e9 : id
}

function remove(ids: number[], id: number): void {
  const place = ids.indexOf(id)
  if (place >= 0) ids.splice(place, 1)
}
