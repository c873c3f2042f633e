// Durable publishing: one promise for each message, and nothing else that is made for it. The engine tells of receipts as ranges
// of tokens; a token is the number of the call, and its place in a ring holds what settles the promise.
import {
  Alarms,
  FanfareError,
  toMilliseconds,
  type Alarm,
  type Clock,
  type Duration,
} from '../base/index.js'
import {
  isOverMark,
  type AppendOptions,
  type Durable,
  type EngineMessage,
  type ReceiptSink,
  type Stream,
  type StreamSettings,
} from '../engine/index.js'
import type { TopicHandle } from '../topic/index.js'

/** Says that a message was captured, and how safe it is. */
export interface Receipt {
  /** The name of the stream. */
  readonly stream: string
  readonly sequence: number
  /** The id was stored before, under this sequence; nothing was stored now. */
  readonly isDuplicate: boolean
  readonly durability: StreamSettings['durability']
}

export interface ReceiptTerms {
  readonly timeout?: Duration | undefined
  readonly signal?: AbortSignal | undefined
}

/** A publish that waits for the backlog to shrink. */
interface Held {
  readonly token: number
  readonly topic: TopicHandle
  readonly message: EngineMessage
  readonly append: AppendOptions | undefined
}

type Resolve = (receipt: Receipt) => void
type Reject = (reason: unknown) => void

const DEFAULT_TIMEOUT_MS = 30_000
/** Those who name no time-out are looked at this often in that time. */
const LOOKS_PER_TIMEOUT = 4
/** Publishes that may wait for the backlog to shrink. */
const MOST_HELD = 100_000

export class DurablePublisher implements ReceiptSink {
  readonly #durable: Durable
  /** What has its own time-out keeps the process alive, as a caller waits for it; the common look does not. */
  readonly #deadlines: Alarms
  readonly #looks: Alarms
  #resolves: (Resolve | undefined)[] = new Array<Resolve | undefined>(64)
  #rejects: (Reject | undefined)[] = new Array<Reject | undefined>(64)
  /** No token below is unsettled. */
  #first = 0
  #next = 0
  #waiting = 0
  /** Every token below was given to the engine, unless it was settled before; and how many of those have no receipt. */
  #sentEnd = 0
  #sent = 0
  /** What is to be undone when a token with terms of its own settles. */
  readonly #own = new Map<number, () => void>()
  /** `#next` at the last looks, the oldest first. */
  #marks: number[] = []
  #look: Alarm | undefined
  #held: Held[] = []
  #isHolding = false
  #isReleaseDue = false
  #isClosed = false
  #takenResolve!: Resolve
  #takenReject!: Reject

  constructor(durable: Durable, clock: Clock) {
    this.#durable = durable
    this.#deadlines = new Alarms(clock, { keepsProcessAlive: true })
    this.#looks = new Alarms(clock)
  }

  /** Publishes whose receipt has not come. */
  get waiting(): number {
    return this.#waiting
  }

  publish(
    topic: TopicHandle,
    message: EngineMessage,
    append: AppendOptions | undefined,
    terms: ReceiptTerms | undefined,
  ): Promise<Receipt> {
    terms?.signal?.throwIfAborted()
    const timeoutMs = terms?.timeout === undefined ? undefined : toMilliseconds(terms.timeout)
    if (this.#isHolding && this.#held.length >= MOST_HELD) throw heldOverflow(topic.name)
    // Encoded now: what the caller does with the data afterwards changes nothing.
    message.toBytes()
    const promise = new Promise<Receipt>(this.#take)
    const token = this.#add()
    if (timeoutMs !== undefined || terms?.signal !== undefined) {
      this.#watch(token, topic, timeoutMs, terms?.signal)
    }
    if (this.#isHolding) this.#held.push({ token, topic, message, append })
    else this.#send(token, topic, message, append)
    return promise
  }

  // ---- What the engine calls

  committed(stream: Stream, token: number, sequence: number, count: number): void {
    const { name, settings } = stream
    for (let i = 0; i < count; i++) {
      const resolve = this.#settle(token + i)
      resolve?.({
        stream: name,
        sequence: sequence + i,
        isDuplicate: false,
        durability: settings.durability,
      })
    }
    this.#releaseSoon()
  }

  duplicate(stream: Stream, token: number, sequence: number): void {
    const { name, settings } = stream
    this.#settle(token)?.({
      stream: name,
      sequence,
      isDuplicate: true,
      durability: settings.durability,
    })
    this.#releaseSoon()
  }

  refused(token: number, count: number, error: FanfareError): void {
    for (let i = 0; i < count; i++) this.#fail(token + i, error)
    this.#releaseSoon()
  }

  // ---- Its end

  /** Refuses what has not been accepted. */
  close(): void {
    this.#isClosed = true
    const error = closedError()
    for (const { token } of this.#held.splice(0)) this.#fail(token, error)
  }

  /** The engine is closed and tells nothing more. */
  abandon(): void {
    const error = closedError()
    for (let token = this.#first; token < this.#next; token++) this.#fail(token, error)
    this.#deadlines.close()
    this.#looks.close()
  }

  // ---- The ring

  /** The one executor of all promises: hands on what settles the promise that is being made. */
  readonly #take = (resolve: Resolve, reject: Reject): void => {
    this.#takenResolve = resolve
    this.#takenReject = reject
  }

  #add(): number {
    if (this.#next - this.#first === this.#resolves.length) this.#grow()
    const token = this.#next++
    const place = token & (this.#resolves.length - 1)
    this.#resolves[place] = this.#takenResolve
    this.#rejects[place] = this.#takenReject
    this.#waiting += 1
    if (this.#look === undefined) this.#lookLater()
    return token
  }

  /** Takes a token's promise out of the ring; undefined when it was settled before. */
  #settle(token: number): Resolve | undefined {
    const place = token & (this.#resolves.length - 1)
    const resolve = token < this.#first ? undefined : this.#resolves[place]
    if (resolve !== undefined) this.#clear(token, place)
    return resolve
  }

  #fail(token: number, reason: unknown): void {
    const place = token & (this.#resolves.length - 1)
    const reject = token < this.#first ? undefined : this.#rejects[place]
    if (reject === undefined) return
    this.#clear(token, place)
    reject(reason)
  }

  #clear(token: number, place: number): void {
    this.#resolves[place] = undefined
    this.#rejects[place] = undefined
    this.#waiting -= 1
    if (token < this.#sentEnd) this.#sent -= 1
    if (this.#own.size > 0) this.#unwatch(token)
    if (token !== this.#first) return
    const mask = this.#resolves.length - 1
    do this.#first += 1
    while (this.#first < this.#next && this.#resolves[this.#first & mask] === undefined)
  }

  /** The length stays a power of two, so that a token is masked, not divided. */
  #grow(): void {
    const [oldResolves, oldRejects] = [this.#resolves, this.#rejects]
    const length = oldResolves.length * 2
    this.#resolves = new Array<Resolve | undefined>(length)
    this.#rejects = new Array<Reject | undefined>(length)
    for (let token = this.#first; token < this.#next; token++) {
      const from = token & (oldResolves.length - 1)
      this.#resolves[token & (length - 1)] = oldResolves[from]
      this.#rejects[token & (length - 1)] = oldRejects[from]
    }
  }

  // ---- Holding back

  #send(
    token: number,
    topic: TopicHandle,
    message: EngineMessage,
    append: AppendOptions | undefined,
  ): void {
    this.#sentEnd = token + 1
    this.#sent += 1
    try {
      const outcome = this.#durable.publish(topic, message, this, token, append)
      // Without a receipt to come nothing would ever let the others go on: they are not held for another publisher's backlog.
      if (isOverMark(outcome) && this.#sent > 0) this.#isHolding = true
    } catch (error) {
      this.#fail(token, error)
    }
  }

  /** After the call at hand, in which the engine tells of a whole commit cycle. */
  #releaseSoon(): void {
    if (!this.#isHolding || this.#isReleaseDue) return
    this.#isReleaseDue = true
    void Promise.resolve().then(() => this.#release())
  }

  #release(): void {
    this.#isReleaseDue = false
    this.#isHolding = false
    let sent = 0
    while (sent < this.#held.length && !this.#isHolding) {
      const { token, topic, message, append } = this.#held[sent++]!
      // It may have timed out, or been aborted.
      if (this.#isWaiting(token)) this.#send(token, topic, message, append)
    }
    this.#held.splice(0, sent)
    if (this.#held.length > 0) this.#isHolding = true
  }

  #isWaiting(token: number): boolean {
    return token >= this.#first && this.#resolves[token & (this.#resolves.length - 1)] !== undefined
  }

  // ---- Time-outs and signals

  #watch(
    token: number,
    topic: TopicHandle,
    timeoutMs: number | undefined,
    signal: AbortSignal | undefined,
  ): void {
    const aborted = (): void => this.#fail(token, signal!.reason)
    signal?.addEventListener('abort', aborted, { once: true })
    const alarm = this.#deadlines.set(timeoutMs ?? DEFAULT_TIMEOUT_MS, () =>
      this.#fail(token, timedOut(topic.name)),
    )
    this.#own.set(token, () => {
      signal?.removeEventListener('abort', aborted)
      this.#deadlines.cancel(alarm)
    })
  }

  #unwatch(token: number): void {
    this.#own.get(token)?.()
    this.#own.delete(token)
  }

  #lookLater(): void {
    this.#look = this.#looks.set(DEFAULT_TIMEOUT_MS / LOOKS_PER_TIMEOUT, () => {
      this.#look = undefined
      this.#lookForLate()
    })
  }

  /** Ends the wait for what was published before the oldest mark. */
  #lookForLate(): void {
    this.#marks.push(this.#next)
    if (this.#marks.length > LOOKS_PER_TIMEOUT) {
      const late = this.#marks.shift()!
      const error = timedOut(undefined)
      for (let token = this.#first; token < late; token++) {
        if (!this.#own.has(token)) this.#fail(token, error)
      }
    }
    if (this.#waiting > 0 && !this.#isClosed) this.#lookLater()
    else this.#marks = []
  }
}

function timedOut(topic: string | undefined): FanfareError {
  const what = topic === undefined ? 'a message' : `a message to ${topic}`
  return new FanfareError(
    'TIMEOUT',
    `no receipt for ${what} in time; whether it is stored is unknown, so publish it again with the same id`,
    { retryable: true, details: { topic } },
  )
}

function heldOverflow(topic: string): FanfareError {
  return new FanfareError(
    'QUEUE_OVERFLOW',
    `${MOST_HELD} publishes wait for the disk; await them before publishing more`,
    { retryable: true, details: { topic } },
  )
}

function closedError(): FanfareError {
  return new FanfareError('CLOSED', 'the broker was closed before the receipt came')
}
