// What one may ask of a request, and what requests need of their broker.
import { FanfareError, toMilliseconds, type Alarms, type Duration } from '../base/index.js'
import type { Engine } from '../engine/index.js'
import type { AnyDefinition } from './definition.js'
import type { MessageContext } from './message-context.js'
import type { Message } from './message.js'
import { wholeNumber } from './option-checks.js'
import type { EmitOptions } from './target.js'

export interface RequestOptions extends EmitOptions {
  /** Longest wait for the answer; default '5s'. */
  readonly timeout?: Duration
  readonly signal?: AbortSignal
}

export interface RequestManyOptions extends EmitOptions {
  /** Longest wait for all answers; default '5s'. */
  readonly timeout?: Duration
  /** Ends the loop when no further answer has come for so long; default: only `timeout` and `max` end it. */
  readonly stall?: Duration
  /** Ends the loop after so many answers; default: no limit. */
  readonly max?: number
  /** Ends the loop: it rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** One of several answers. */
export interface Answer<Data = unknown> {
  /** What was answered. Throws `error` when there is one. */
  readonly data: Data
  /** Why there is no data: REPLY_FAILED, QUEUE_OVERFLOW, DECODE_FAILED, VALIDATION_FAILED. */
  readonly error: FanfareError | undefined
  readonly message: Message
}

export interface RequestManyTerms {
  readonly timeoutMs: number
  readonly stallMs: number | undefined
  readonly max: number
  readonly signal: AbortSignal | undefined
}

const DEFAULT_TIMEOUT: Duration = '5s'

/** What is known of the answers to a target. */
export type ReplyDefinition = Pick<AnyDefinition, 'schema' | 'codec' | 'validate'> | undefined

export interface AnswerHost {
  readonly engine: Engine
  readonly context: MessageContext
}

export interface RequestContext {
  readonly engine: Engine
  readonly alarms: Alarms
  readonly context: MessageContext
  /** What ends each request under way when the broker closes. */
  readonly underWay: Set<(reason: FanfareError) => void>
}

export interface RequestTerms {
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

export function toRequestTerms({ timeout, signal }: RequestOptions = {}): RequestTerms {
  return { timeoutMs: toMilliseconds(timeout ?? DEFAULT_TIMEOUT), signal }
}

/** Throws OPTION_INVALID, DURATION_INVALID, or the signal's reason. */
export function toRequestManyTerms(options: RequestManyOptions = {}): RequestManyTerms {
  const { timeout, stall, max = Infinity, signal } = options
  if (max !== Infinity) wholeNumber('max', max, 1)
  signal?.throwIfAborted()
  return {
    timeoutMs: toMilliseconds(timeout ?? DEFAULT_TIMEOUT),
    stallMs: stall === undefined ? undefined : toMilliseconds(stall),
    max,
    signal,
  }
}

export function noResponders(topic: string): FanfareError {
  return new FanfareError('NO_RESPONDERS', `nobody responds to ${topic}`, {
    retryable: true,
    details: { topic },
  })
}
