// One member of a durable consumer: takes what the engine hands out, calls the handler, and tells the engine what became of each
// message. Messages in hand are kept from expiring while this process works on them.
import {
  FanfareError,
  toMilliseconds,
  type Alarm,
  type Duration,
  type Timer,
} from '../base/index.js'
import { HandlerLane } from '../delivery/index.js'
import type { Consumer, ConsumerMember, ConsumerReceiver, HandOut } from '../engine/index.js'
import { undeclared, type Selection } from './catalog-index.js'
import { withCause } from './message-context.js'
import type { MemberTerms } from './consume-options.js'
import { HandedOutMessage, type Verdict } from './consumed-message.js'
import { toConsumerStatus, type ConsumerStatus } from './consumer-status.js'
import { CreditWindow } from './credit-window.js'
import type { DurableHost } from './durable-host.js'
import { OpenTransaction } from './transaction.js'
import { waitFor } from './waiting.js'

/** What `consume` resolves with: this process's part in a consumer. */
export interface Consumption extends AsyncDisposable {
  /** The consumer's name. */
  readonly name: string
  /** The name of its stream. */
  readonly stream: string
  readonly isClosed: boolean
  /** Handler calls under way here. */
  readonly running: number
  info(): Promise<ConsumerStatus>
  /** Hands out nothing to any member, for this long or until `resume`; also over a restart. */
  pause(duration?: Duration): Promise<void>
  resume(): Promise<void>
  /**
   * Takes no further messages and waits for handlers at work, as long as `drain` says (default '30s'); what is not settled
   * then is given back. The consumer itself stays. Idempotent.
   */
  close(options?: { readonly drain?: Duration }): Promise<void>
}

export type ConsumeHandler = (message: never, tx: never) => unknown

export interface ConsumptionParts {
  readonly consumer: Consumer
  readonly terms: MemberTerms
  readonly selection: Selection
  readonly handler: ConsumeHandler
  readonly signal: AbortSignal | undefined
  /** Called once, when it has closed. */
  readonly closed: (consumption: Consumption) => void
}

type Handler = (message: HandedOutMessage, tx: OpenTransaction | undefined) => unknown

const DEFAULT_DRAIN: Duration = '30s'

/** Hand-outs are extended this many times in their wait. */
const EXTENSIONS_PER_WAIT = 3

/** Far longer than any process lives: the timer is there to keep it alive. */
const KEEP_ALIVE_MS = 1e12

export class OpenConsumption implements Consumption, ConsumerReceiver {
  readonly #host: DurableHost
  readonly #parts: ConsumptionParts
  readonly #handler: Handler
  readonly #lane: HandlerLane<HandedOutMessage>
  readonly #credit: CreditWindow
  readonly #member: ConsumerMember
  readonly #keepAlive: Timer
  /** What was handed out and is not settled, by token. */
  readonly #inHand = new Map<number, HandedOutMessage>()
  /** Asked for and not handed out. */
  #askedFor = 0
  #running = 0
  #extension: Alarm | undefined
  #closing: Promise<void> | undefined
  #isClosed = false

  constructor(host: DurableHost, parts: ConsumptionParts) {
    const { consumer, terms, handler, signal } = parts
    this.#host = host
    this.#parts = parts
    this.#handler = withCause(host.context, handler as unknown as Handler)
    this.#credit = new CreditWindow(terms.concurrency)
    this.#lane = new HandlerLane<HandedOutMessage>(
      // What waits is bounded by what was asked for.
      { concurrency: terms.concurrency, capacity: Number.MAX_SAFE_INTEGER, overflow: 'reject' },
      (message) => this.#work(message),
      (error, message) => this.#reportFailure(message, error),
    )
    this.#member = consumer.join(this)
    this.#keepAlive = host.clock.startTimer(KEEP_ALIVE_MS, () => {}, { keepsProcessAlive: true })
    signal?.addEventListener('abort', this.#aborted, { once: true })
    this.#ask()
  }

  get name(): string {
    return this.#parts.consumer.name
  }

  get stream(): string {
    return this.#parts.consumer.streamName
  }

  get isClosed(): boolean {
    return this.#closing !== undefined || this.#isClosed
  }

  get running(): number {
    return this.#running
  }

  async info(): Promise<ConsumerStatus> {
    return toConsumerStatus(this.stream, await this.#parts.consumer.info())
  }

  async pause(duration?: Duration): Promise<void> {
    const { consumer } = this.#parts
    if (duration === undefined) await consumer.pause()
    else await consumer.pause(this.#host.clock.nowMs() + Math.ceil(toMilliseconds(duration)))
  }

  async resume(): Promise<void> {
    await this.#parts.consumer.resume()
  }

  close(options: { readonly drain?: Duration } = {}): Promise<void> {
    this.#closing ??= this.#close(toMilliseconds(options.drain ?? DEFAULT_DRAIN))
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  // ---- What the engine calls

  deliver(handOut: HandOut, consumer: Consumer): void {
    this.#askedFor = Math.max(0, this.#askedFor - 1)
    if (this.isClosed) {
      consumer.release(handOut.token)
      return
    }
    const message = new HandedOutMessage(
      this.stream,
      handOut,
      this.#host.context,
      this.#host.definitionIn(this.#parts.selection, handOut.message.handle.name),
    )
    if (handOut.deliveryCount > 1) this.#credit.shrink()
    this.#inHand.set(message.token, message)
    if (this.#extension === undefined) this.#extendLater()
    this.#lane.offer(message)
  }

  expired(token: number): void {
    const message = this.#inHand.get(token)
    if (message === undefined) return
    this.#inHand.delete(token)
    message.end(
      new FanfareError(
        'TOKEN_STALE',
        `the wait for a verdict on message ${message.sequence} is over; it is handed out again`,
        { details: { stream: this.stream, consumer: this.name, sequence: message.sequence } },
      ),
    )
    this.#host.report({
      type: 'hand-out-expired',
      stream: this.stream,
      consumer: this.name,
      topic: message.topic,
      sequence: message.sequence,
    })
    this.#ask()
  }

  ended(reason: FanfareError): void {
    if (this.#isClosed) return
    if (reason.code !== 'CLOSED') {
      const { stream, name: consumer } = this
      this.#host.report({ type: 'consumer-ended', stream, consumer, reason: reason.message })
    }
    this.#finish(reason)
  }

  // ---- One message's way

  /** Calls the handler; what it returns is awaited by the lane. */
  #work(message: HandedOutMessage): unknown {
    // It may have expired, or been given back, while it waited.
    if (!this.#inHand.has(message.token)) return undefined
    message.hasBegun = true
    this.#running += 1
    const checked = message.check()
    return checked === undefined ? this.#handle(message) : checked.then(() => this.#handle(message))
  }

  #handle(message: HandedOutMessage): unknown {
    const startedAtMs = this.#host.clock.elapsedMs()
    let tx: OpenTransaction | undefined
    try {
      // What a definition does not allow never reaches its handler.
      this.#assertDeclared(message)
      if (this.#parts.terms.delivery === 'exactly-once') {
        tx = new OpenTransaction(this.#host, message)
      }
      const outcome = this.#handler(message, tx)
      if (tx === undefined && !isThenable(outcome)) {
        this.#succeeded(message, startedAtMs)
        return undefined
      }
      return this.#await(message, outcome, tx, startedAtMs)
    } catch (error) {
      this.#failed(message, error, tx)
      return undefined
    }
  }

  /** Throws what is wrong with the data, or UNDECLARED_TOPIC for what another publisher stored beside the catalog. */
  #assertDeclared(message: HandedOutMessage): void {
    if (message.isDeclared) void message.data
    else if (this.#host.isStrict) throw (message.dataError = undeclared(message.topic))
  }

  async #await(
    message: HandedOutMessage,
    outcome: unknown,
    tx: OpenTransaction | undefined,
    startedAtMs: number,
  ): Promise<void> {
    try {
      await outcome
      if (tx !== undefined) await this.#commit(message, tx)
      else this.#succeeded(message, startedAtMs)
    } catch (error) {
      this.#failed(message, error, tx)
    }
  }

  /** The handler returned: its verdict, or an acknowledgement. */
  #succeeded(message: HandedOutMessage, startedAtMs: number): void {
    const { verdict } = message
    if (!this.#settle(message)) return
    if (verdict === undefined) {
      this.#credit.succeeded(this.#host.clock.elapsedMs() - startedAtMs)
      this.#parts.consumer.acknowledge(message.token)
    } else this.#apply(message, verdict, 'the handler asked for it')
    this.#ask()
  }

  /** The handler returned: what it published and the acknowledgement become one; another verdict undoes what it published. */
  async #commit(message: HandedOutMessage, tx: OpenTransaction): Promise<void> {
    const { verdict } = message
    if (verdict === undefined && this.#inHand.has(message.token)) {
      tx.acknowledge(this.#parts.consumer, message.token)
      await tx.commit()
      this.#settle(message)
    } else {
      tx.abort()
      if (!this.#settle(message)) return
      if (verdict !== undefined) this.#apply(message, verdict, 'the handler asked for it')
    }
    this.#ask()
  }

  /** The handler threw, the data could not be read, or the commit failed. */
  #failed(message: HandedOutMessage, error: unknown, tx: OpenTransaction | undefined): void {
    const { verdict, dataError } = message
    tx?.abort()
    this.#credit.shrink()
    this.#reportFailure(message, error)
    if (!this.#settle(message)) return
    if (verdict !== undefined) this.#apply(message, verdict, textOf(error))
    else if (dataError !== undefined && dataError === error) {
      this.#parts.consumer.reject(message.token, textOf(error), true)
    } else this.#apply(message, { type: 'retry', delayMs: undefined }, textOf(error))
    this.#ask()
  }

  #apply(message: HandedOutMessage, verdict: Verdict, error: string): void {
    const { consumer, terms } = this.#parts
    const { token, deliveryCount } = message
    switch (verdict.type) {
      case 'release':
        return void consumer.release(token)
      case 'reject':
        return void consumer.reject(token, verdict.reason)
      case 'retry': {
        const waits = terms.backoffMs
        const wait = waits[Math.min(deliveryCount, waits.length) - 1]
        return void consumer.retry(token, verdict.delayMs ?? wait ?? 0, error)
      }
    }
  }

  /** Takes a message out of hand; false when its hand-out is over, so that no verdict counts. */
  #settle(message: HandedOutMessage): boolean {
    if (!message.settle()) return false
    this.#running -= 1
    return this.#inHand.delete(message.token)
  }

  #reportFailure(message: HandedOutMessage, error: unknown): void {
    this.#host.report({
      type: 'handler-failed',
      pattern: this.name,
      topic: message.topic,
      error,
    })
  }

  // ---- Asking, and holding

  #ask(): void {
    if (this.isClosed) return
    // A handler that goes on after its hand-out is over takes its place all the same: another member shall have the message.
    const held = this.#running + this.#lane.queued + this.#askedFor
    const wanted = this.#credit.wanted(held)
    if (wanted === 0) return
    this.#askedFor += wanted
    this.#member.grant(wanted)
  }

  #extendLater(): void {
    const { ackWaitMs } = this.#parts.consumer.settings
    this.#extension = this.#host.alarms.set(ackWaitMs / EXTENSIONS_PER_WAIT, () => {
      this.#extension = undefined
      if (this.#inHand.size === 0) return
      for (const token of this.#inHand.keys()) this.#parts.consumer.extend(token)
      this.#extendLater()
    })
  }

  // ---- Its end

  readonly #aborted = (): void => {
    void this.close()
  }

  async #close(drainMs: number): Promise<void> {
    if (this.#isClosed) return
    this.#member.revoke()
    this.#giveBackWaiting()
    await waitFor(this.#host.alarms, this.#lane.whenIdle(), { timeoutMs: drainMs })
    this.#finish(new FanfareError('CLOSED', 'the consumer was closed before the handler ended'))
  }

  /** What no handler has begun with goes to other members at once, and the attempt does not count. */
  #giveBackWaiting(): void {
    for (const [token, message] of this.#inHand) {
      if (message.hasBegun) continue
      this.#inHand.delete(token)
      this.#parts.consumer.release(token)
    }
    this.#lane.stop()
  }

  #finish(reason: FanfareError): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#lane.stop()
    for (const message of this.#inHand.values()) message.end(reason)
    this.#inHand.clear()
    this.#member.leave()
    this.#keepAlive.cancel()
    this.#host.alarms.cancel(this.#extension)
    this.#parts.signal?.removeEventListener('abort', this.#aborted)
    this.#parts.closed(this)
  }
}

function isThenable(value: unknown): boolean {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
