// What one may ask of the stream that captures a message, and how it travels: what must survive a restart is a header, under the
// name and in the form that NATS gives it.
import { FanfareError, toMilliseconds, type Clock, type Duration } from '../base/index.js'
import type { AppendOptions } from '../engine/index.js'
import type { AttributeOptions } from './cloud-event.js'
import { MessageHeaders } from './message-headers.js'
import {
  oneOf,
  optionInvalid,
  refuseUnknownOptions,
  wholeNumber,
  withoutUndefined,
} from './option-checks.js'
import type { Parameterized } from './publications.js'
import type { EmitOptions } from './target.js'

/** Checked against what the stream has accepted; EXPECTATION_FAILED otherwise, and nothing is stored. */
export interface Expectations {
  /** The stream's last sequence; 0: nothing was ever stored. */
  readonly lastSequence?: number
  /** The sequence of the topic's last message; 0: it has none. */
  readonly lastTopicSequence?: number
  /** The name of the stream that captures the topic. */
  readonly stream?: string
}

/** Options of `tx.publish`. An `id` deduplicates: it is stored once within the stream's `duplicateWindow`. */
export interface TransactionPublishOptions extends EmitOptions {
  readonly expect?: Expectations
  /** The message leaves the stream after this time. */
  readonly ttl?: Duration
  /** Hidden from readers and consumers for this long. */
  readonly delay?: Duration
  /** The same as a moment. */
  readonly deliverAt?: Date
  /** Removes what was there before: of the topic, or of the whole stream. */
  readonly rollUp?: 'topic' | 'all'
}

/** Options of `publish`. */
export interface PublishOptions extends TransactionPublishOptions {
  /** Longest wait for the receipt. Default: 30 s at least and 38 s at most, as those who do not say are looked at together. */
  readonly timeout?: Duration
  /** Ends the wait; whether the message is stored is then unknown. */
  readonly signal?: AbortSignal
}

const TRANSACTION_PUBLISH_NAMES = [
  'id',
  'key',
  'headers',
  'cause',
  'correlationId',
  'attributes',
  'params',
  'expect',
  'ttl',
  'delay',
  'deliverAt',
  'rollUp',
] as const satisfies readonly (keyof TransactionPublishOptions | keyof Parameterized)[]

const IN_TRANSACTION: ReadonlySet<string> = new Set(TRANSACTION_PUBLISH_NAMES)
const ALONE: ReadonlySet<string> = new Set([...TRANSACTION_PUBLISH_NAMES, 'timeout', 'signal'])
const EXPECTATION_NAMES: ReadonlySet<string> = new Set<keyof Expectations>([
  'lastSequence',
  'lastTopicSequence',
  'stream',
])
const ROLL_UPS = ['topic', 'all'] as const

/** What a publish asks of the stream, and the attributes of the message that say so. */
export interface PublishTerms {
  readonly append: AppendOptions | undefined
  readonly attributes: AttributeOptions | undefined
}

const PLAIN: PublishTerms = { append: undefined, attributes: undefined }

/** Throws OPTION_INVALID, DURATION_INVALID, HEADER_INVALID. */
export function toPublishTerms(
  options: (PublishOptions & Parameterized) | undefined,
  clock: Clock,
  call: 'publish' | 'tx.publish' = 'publish',
): PublishTerms {
  if (options === undefined) return PLAIN
  refuseUnknownOptions(call, options, call === 'publish' ? ALONE : IN_TRANSACTION)
  const append = toAppendOptions(options, clock)
  const own = append === undefined ? [] : toFields(append)
  if (own.length > 0) {
    const headers = [...MessageHeaders.from(options.headers), ...own]
    return { append, attributes: { ...options, headers } }
  }
  const { id, key, headers, cause, correlationId, attributes } = options
  const isPlain = (id ?? key ?? headers ?? cause ?? correlationId ?? attributes) === undefined
  return { append, attributes: isPlain ? undefined : options }
}

function toAppendOptions(
  options: TransactionPublishOptions,
  clock: Clock,
): AppendOptions | undefined {
  const { id, expect, ttl, delay, deliverAt, rollUp } = options
  const asksNothing = (id ?? expect ?? ttl ?? delay ?? deliverAt ?? rollUp) === undefined
  if (asksNothing) return undefined
  if (id !== undefined && (typeof id !== 'string' || id === '')) {
    throw optionInvalid('id', id, 'a text')
  }
  return withoutUndefined({
    id,
    ...toExpectations(expect),
    ttlMs: ttl === undefined ? undefined : atLeastOneMs('ttl', ttl),
    deliverAtMs: toMoment(options, clock),
    rollUp: rollUp === undefined ? undefined : oneOf('rollUp', rollUp, ROLL_UPS),
  })
}

function toExpectations(expect: Expectations | undefined): AppendOptions {
  if (expect === undefined) return {}
  refuseUnknownOptions('expect', expect, EXPECTATION_NAMES)
  const { lastSequence, lastTopicSequence, stream } = expect
  return withoutUndefined({
    expectedLastSequence:
      lastSequence === undefined ? undefined : wholeNumber('expect.lastSequence', lastSequence, 0),
    expectedLastTopicSequence:
      lastTopicSequence === undefined
        ? undefined
        : wholeNumber('expect.lastTopicSequence', lastTopicSequence, 0),
    expectedStream: stream,
  })
}

function toMoment(
  { delay, deliverAt }: TransactionPublishOptions,
  clock: Clock,
): number | undefined {
  if (delay !== undefined && deliverAt !== undefined) {
    throw new FanfareError('OPTION_INVALID', 'give delay or deliverAt, not both')
  }
  if (delay !== undefined) return clock.nowMs() + atLeastOneMs('delay', delay)
  if (deliverAt === undefined) return undefined
  const atMs = deliverAt instanceof Date ? deliverAt.getTime() : NaN
  if (Number.isNaN(atMs)) throw optionInvalid('deliverAt', deliverAt, 'a valid Date')
  return atMs
}

function atLeastOneMs(option: string, duration: Duration): number {
  const ms = Math.ceil(toMilliseconds(duration))
  if (ms < 1) throw optionInvalid(option, duration, 'longer than nothing')
  return ms
}

/** Nats-Msg-Id and Nats-Rollup as JetStream reads them, Nats-TTL of ADR-43, Nats-Schedule of ADR-51. */
function toFields({ id, ttlMs, deliverAtMs, rollUp }: AppendOptions): [string, string][] {
  const fields: [string, string][] = []
  if (id !== undefined) fields.push(['Nats-Msg-Id', id])
  if (ttlMs !== undefined) fields.push(['Nats-TTL', `${ttlMs}ms`])
  if (deliverAtMs !== undefined) {
    fields.push(['Nats-Schedule', `@at ${new Date(deliverAtMs).toISOString()}`])
  }
  if (rollUp !== undefined) fields.push(['Nats-Rollup', rollUp === 'topic' ? 'sub' : 'all'])
  return fields
}
