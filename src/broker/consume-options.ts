// The options of a durable consumer as people write them, and the settings that the contract keeps.
import { toMilliseconds, type Duration } from '../base/index.js'
import {
  assertName,
  deadLetterStreamName,
  type ConsumerSettings,
  type DeadLetterSettings,
} from '../engine/index.js'
import { Filter, type FilterPattern } from '../filter/index.js'
import { PART_NAMES, toContentOptions, toFilterPattern } from './content-filter.js'
import {
  oneOf,
  optionInvalid,
  refuseUnknownOptions,
  wholeNumber,
  withoutUndefined,
} from './option-checks.js'
import type { TopicSource } from './source.js'
import { toStartingPoint, type StartingPoint } from './starting-point.js'
import { CONTENT_OPTION_NAMES, type ContentOptions } from './where.js'

export interface RetryPolicy {
  /** Hand-outs before a message is given up; default 5, `Infinity`: never given up. */
  readonly attempts?: number
  /**
   * The wait after a failed attempt: the same after each, or one after the first, one after the second …, of which the last
   * repeats. Default `['1s', '5s', '30s', '2m']`.
   */
  readonly backoff?: Duration | readonly Duration[]
}

export interface DeadLetterOptions {
  /** The stream that takes them, made when first needed; default: `<stream>-dead-letters`. */
  readonly stream?: string
  /**
   * With order 'key': whether what follows a dead letter under its key is parked behind it ('park', the default), to be redriven
   * in order, or goes on ('continue').
   */
  readonly followers?: 'park' | 'continue'
}

/** What is kept of a consumer, so that every `consume` of its name must say the same. */
export interface ConsumerOptions {
  /** 'key': messages of one key strictly one after another, also over retries. Default 'stream': in stream order, retries whenever due. */
  readonly order?: 'stream' | 'key'
  /** How long a hand-out may stay without a verdict; extended while a handler runs. Default '30s'. */
  readonly ackWait?: Duration
  /** Default 5 attempts. `attempts` is kept, `backoff` is each member's own. */
  readonly retry?: RetryPolicy
  /** Where messages go that are given up; default true, false: they are dropped, with an event. */
  readonly deadLetter?: boolean | DeadLetterOptions
  /** Hand-outs without a verdict at a time, over all members; default 1,000. */
  readonly maxInFlight?: number
  /** With order 'key': messages that may be passed over because their keys are busy; default 10,000. */
  readonly lookAhead?: number
  /** A message older than this becomes a dead letter instead of being handed out; default: none does. */
  readonly maxAge?: Duration
  /** 'original': with the pauses between messages as they were stored. Default 'instant'. */
  readonly replay?: 'instant' | 'original'
  readonly description?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** What a consumer is made with. */
export interface NewConsumerOptions extends ConsumerOptions, ContentOptions {
  /** Definitions, topics or patterns, one of which must match; default: every topic of the stream. */
  readonly topics?: TopicSource | readonly TopicSource[]
  /** Where it begins; default 'first'. */
  readonly from?: StartingPoint
}

/** At least once: handed out until it is settled. Exactly once: what the handler publishes by `tx` and the acknowledgement are one. */
export type Delivery = 'at-least-once' | 'exactly-once'

export interface ConsumeOptions<D extends Delivery = Delivery> extends ConsumerOptions {
  /** Where a new consumer begins; one that exists goes on where it stopped. Default 'first'. */
  readonly from?: StartingPoint
  /** Default 'at-least-once'. */
  readonly delivery?: D
  /** Handler calls under way at once, of this member; default 1. */
  readonly concurrency?: number
  /** The stream's name; needed when several streams capture topics of the source. */
  readonly stream?: string
  /** Closes the member when aborted. */
  readonly signal?: AbortSignal
}

const DEFAULT_ATTEMPTS = 5
const DEFAULT_BACKOFF: readonly Duration[] = ['1s', '5s', '30s', '2m']
const DEFAULT_ACK_WAIT: Duration = '30s'
const DEFAULT_MAX_IN_FLIGHT = 1_000
const DEFAULT_LOOK_AHEAD = 10_000

const ORDERS = ['stream', 'key'] as const
const DELIVERIES = ['at-least-once', 'exactly-once'] as const
const REPLAYS = ['instant', 'original'] as const
const FOLLOWERS = ['park', 'continue'] as const

const CONSUMER_OPTION_NAMES = [
  'order',
  'ackWait',
  'retry',
  'deadLetter',
  'maxInFlight',
  'lookAhead',
  'maxAge',
  'replay',
  'description',
  'metadata',
  ...CONTENT_OPTION_NAMES,
] as const satisfies readonly (keyof (ConsumerOptions & ContentOptions))[]

export const CONSUMER_OPTIONS: ReadonlySet<string> = new Set(CONSUMER_OPTION_NAMES)
export const NEW_CONSUMER_OPTIONS: ReadonlySet<string> = new Set([
  ...CONSUMER_OPTION_NAMES,
  'topics',
  'from',
])
export const CONSUME_OPTIONS: ReadonlySet<string> = new Set([
  ...CONSUMER_OPTION_NAMES,
  'from',
  'delivery',
  'concurrency',
  'stream',
  'signal',
])
const RETRY_POLICY: ReadonlySet<string> = new Set<keyof RetryPolicy>(['attempts', 'backoff'])
const DEAD_LETTER: ReadonlySet<string> = new Set<keyof DeadLetterOptions>(['stream', 'followers'])

/** Settings that have another name than the option they came from. */
export const OPTION_OF_CONSUMER_SETTING: Readonly<Record<string, string>> = {
  ackWaitMs: 'ackWait',
  maxDeliveries: 'retry.attempts',
  maxMessageAgeMs: 'maxAge',
  start: 'from',
  topics: 'the source',
}

/** How one member works; not kept with the consumer. */
export interface MemberTerms {
  readonly delivery: Delivery
  readonly concurrency: number
  /** Waits after the first, second … failed attempt; the last repeats. */
  readonly backoffMs: readonly number[]
}

/** Throws OPTION_INVALID, DURATION_INVALID. */
export function toMemberTerms(options: ConsumeOptions): MemberTerms {
  refuseUnknownOptions('consume', options, CONSUME_OPTIONS)
  refuseUnknownOptions('retry', options.retry, RETRY_POLICY)
  const { delivery = 'at-least-once', concurrency = 1, retry } = options
  const backoff = retry?.backoff ?? DEFAULT_BACKOFF
  const waits = Array.isArray(backoff) ? (backoff as readonly Duration[]) : [backoff as Duration]
  return {
    delivery: oneOf('delivery', delivery, DELIVERIES),
    concurrency: wholeNumber('concurrency', concurrency, 1),
    backoffMs: waits.map((wait) => Math.ceil(toMilliseconds(wait))),
  }
}

/** The settings of a consumer that says nothing of itself. */
export function defaultConsumerSettings(name: string, stream: string): ConsumerSettings {
  assertName('consumer', name)
  return {
    name,
    isDurable: true,
    start: { at: 'first' },
    topics: [],
    acknowledge: 'explicit',
    ackWaitMs: toMilliseconds(DEFAULT_ACK_WAIT),
    maxDeliveries: DEFAULT_ATTEMPTS,
    // Members wait by themselves (see RetryPolicy): the engine would also use these waits in the place of ackWaitMs.
    backoffMs: [],
    maxInFlight: DEFAULT_MAX_IN_FLIGHT,
    order: 'stream',
    lookAhead: DEFAULT_LOOK_AHEAD,
    deadLetter: { stream: deadLetterStreamName(stream), followers: 'park' },
    replay: 'instant',
    headersOnly: false,
    inactiveMs: 0,
  }
}

/** `settings` with what `changes` say otherwise. Throws OPTION_INVALID, DURATION_INVALID. */
export function changedConsumerSettings(
  settings: ConsumerSettings,
  changes: ConsumerOptions & ContentOptions,
  stream: string,
): ConsumerSettings {
  const { order, ackWait, retry, maxInFlight, lookAhead, maxAge, replay } = changes
  const given = withoutUndefined({
    order: order && oneOf('order', order, ORDERS),
    ackWaitMs: ackWait === undefined ? undefined : Math.ceil(toMilliseconds(ackWait)),
    maxInFlight: maxInFlight === undefined ? undefined : wholeNumber('maxInFlight', maxInFlight, 1),
    lookAhead: lookAhead === undefined ? undefined : wholeNumber('lookAhead', lookAhead, 1),
    maxMessageAgeMs: maxAge === undefined ? undefined : Math.ceil(toMilliseconds(maxAge)),
    replay: replay && oneOf('replay', replay, REPLAYS),
    description: changes.description,
    metadata: changes.metadata,
  })
  const { maxDeliveries, deadLetter, where, ...rest } = { ...settings, ...given }
  return {
    ...rest,
    ...filterOf(changes, where),
    ...attemptsOf(retry, maxDeliveries),
    ...deadLettersOf(changes.deadLetter, deadLetter, stream),
  }
}

/** The options that make a consumer like this one. */
export function toConsumerOptions(settings: ConsumerSettings): NewConsumerOptions {
  const { topics, start, order, maxInFlight, lookAhead, replay, description, metadata } = settings
  return withoutUndefined({
    topics,
    from: toStartingPoint(start),
    order,
    ackWait: settings.ackWaitMs,
    retry: { attempts: settings.maxDeliveries ?? Infinity },
    deadLetter: settings.deadLetter ?? false,
    maxInFlight,
    lookAhead,
    maxAge: settings.maxMessageAgeMs,
    replay,
    description,
    metadata,
    ...toContentOptions(settings.where),
  })
}

function filterOf(
  options: ContentOptions,
  now: FilterPattern | undefined,
): Pick<ConsumerSettings, 'where'> {
  const where = toFilterPattern(options, now)
  // What is wrong with it is told in the words of these options.
  return where === undefined ? {} : { where: new Filter(where, PART_NAMES).pattern }
}

function attemptsOf(
  retry: RetryPolicy | undefined,
  now: number | undefined,
): Pick<ConsumerSettings, 'maxDeliveries'> {
  refuseUnknownOptions('retry', retry, RETRY_POLICY)
  const attempts = retry?.attempts ?? now ?? Infinity
  if (attempts === Infinity) return {}
  return { maxDeliveries: wholeNumber('retry.attempts', attempts, 1) }
}

function deadLettersOf(
  option: boolean | DeadLetterOptions | undefined,
  now: DeadLetterSettings | undefined,
  stream: string,
): Pick<ConsumerSettings, 'deadLetter'> {
  if (option === false) return {}
  if (option === undefined) return now === undefined ? {} : { deadLetter: now }
  const standard: DeadLetterSettings = {
    stream: deadLetterStreamName(stream),
    followers: 'park',
  }
  if (option === true) return { deadLetter: standard }
  refuseUnknownOptions('deadLetter', option, DEAD_LETTER)
  if (typeof option !== 'object') {
    throw optionInvalid('deadLetter', option, 'true, false or { stream, followers }')
  }
  const { stream: name = standard.stream, followers = standard.followers } = option
  return { deadLetter: { stream: name, followers: oneOf('followers', followers, FOLLOWERS) } }
}
