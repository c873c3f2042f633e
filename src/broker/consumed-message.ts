// A message as a durable consumer hands it out: with the verdicts that are not an acknowledgement, recorded when they are
// given and applied when the handler settles.
import { FanfareError, toMilliseconds, type Duration } from '../base/index.js'
import type { HandOut } from '../engine/index.js'
import type { TopicOf } from './declared.js'
import type { AnyDefinition } from './definition.js'
import type { MessageContext } from './message-context.js'
import { refuseUnknownOptions } from './option-checks.js'
import type { Described, Selected } from './source.js'
import { ReadMessage, type StoredMessage } from './stored-message.js'
import type { ParametersOf } from './topic-template.js'

export interface RetryOptions {
  /** Default: what the consumer's `retry.backoff` says of this attempt. */
  readonly after?: Duration
}

/** A handler that returns acknowledges; one that throws gives the message back, to be handed out again later. */
export interface ConsumedMessage<
  Data = unknown,
  Parameters = Readonly<Record<string, string>>,
  Type extends string = string,
  Topic extends string = string,
> extends StoredMessage<Data, Parameters, Type, Topic> {
  /** 1 for the first hand-out. */
  readonly deliveryCount: number
  /** Aborted when the hand-out is over without a verdict: its wait has passed, or the broker closed beyond its drain. */
  readonly signal: AbortSignal
  /** Gives it back, to be handed out again later; after the last attempt it is a dead letter. Throws VERDICT_ALREADY_GIVEN. */
  retry(options?: RetryOptions): void
  /** Gives it back, to be handed out again at once; the attempt does not count. Throws VERDICT_ALREADY_GIVEN. */
  release(): void
  /** Gives it up: a dead letter with this reason. Throws VERDICT_ALREADY_GIVEN. */
  reject(reason: string): void
}

/** The message that a source yields to the handler of a consumer; of a pattern, those of events and commands. */
export type ConsumedMessageOf<S, C = undefined> = ConsumedMessageOfDefinition<
  Selected<S, C, 'event' | 'command'>
>

type ConsumedMessageOfDefinition<D> =
  D extends Described<infer Template extends string, infer Type extends string, infer Output>
    ? ConsumedMessage<Output, ParametersOf<Template>, Type, TopicOf<Template>>
    : ConsumedMessage

export type Verdict =
  | { readonly type: 'retry'; readonly delayMs: number | undefined }
  | { readonly type: 'release' }
  | { readonly type: 'reject'; readonly reason: string }

const RETRY_OPTIONS: ReadonlySet<string> = new Set<keyof RetryOptions>(['after'])

export class HandedOutMessage extends ReadMessage implements ConsumedMessage {
  readonly deliveryCount: number
  readonly token: number
  /** Whether a definition says what the data must be. */
  readonly isDeclared: boolean
  /** Whether a handler was called with it. */
  hasBegun = false
  /** What the handler said, if anything. */
  verdict: Verdict | undefined
  /** Why the data could not be read, once somebody tried. */
  dataError: unknown
  #abortion: AbortController | undefined
  #overBecause: FanfareError | undefined
  #isSettled = false

  /** Takes a copy: the hand-out is valid during the call only. */
  constructor(
    stream: string,
    handOut: HandOut,
    context: MessageContext,
    definition: AnyDefinition | undefined,
  ) {
    super(stream, handOut.message, context, definition)
    this.deliveryCount = handOut.deliveryCount
    this.token = handOut.token
    this.isDeclared = definition !== undefined
  }

  override get data(): unknown {
    try {
      return super.data
    } catch (error) {
      this.dataError = error
      throw error
    }
  }

  /** Made when somebody asks. */
  get signal(): AbortSignal {
    this.#abortion ??= new AbortController()
    if (this.#overBecause !== undefined) this.#abortion.abort(this.#overBecause)
    return this.#abortion.signal
  }

  retry(options: RetryOptions = {}): void {
    refuseUnknownOptions('message.retry', options, RETRY_OPTIONS)
    const { after } = options
    this.#give({
      type: 'retry',
      delayMs: after === undefined ? undefined : Math.ceil(toMilliseconds(after)),
    })
  }

  release(): void {
    this.#give({ type: 'release' })
  }

  reject(reason: string): void {
    this.#give({ type: 'reject', reason: String(reason) })
  }

  /** The handler has settled: a verdict would come too late. False when it had before. */
  settle(): boolean {
    if (this.#isSettled) return false
    this.#isSettled = true
    return true
  }

  /** The hand-out is over; what the handler does from now on counts for nothing. */
  end(reason: FanfareError): void {
    this.#overBecause = reason
    this.#abortion?.abort(reason)
  }

  #give(verdict: Verdict): void {
    if (this.verdict === undefined && !this.#isSettled) {
      this.verdict = verdict
      return
    }
    const earlier = this.verdict?.type ?? 'what the handler returned'
    throw new FanfareError(
      'VERDICT_ALREADY_GIVEN',
      `message ${this.sequence} of stream ${this.stream} has its verdict: ${earlier}`,
      { details: { stream: this.stream, sequence: this.sequence, verdict: verdict.type } },
    )
  }
}
