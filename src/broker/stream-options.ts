// The options of a stream as people write them, and the settings that the contract keeps.
import { FanfareError, toMilliseconds, type Duration } from '../base/index.js'
import {
  assertName,
  type Discard,
  type Retention,
  type Stream as EngineStream,
  type StreamSettings,
} from '../engine/index.js'
import { oneOf, refuseUnknownOptions, wholeNumber, withoutUndefined } from './option-checks.js'
import { patternOf, type TopicSource } from './source.js'

/** How safe a message is when its receipt comes: on the disk; handed to the operating system; in this process. */
export type Durability = StreamSettings['durability']

export interface StreamOptions {
  /** What it captures: definitions, topics or patterns. No two streams have a topic in common. */
  readonly topics: TopicSource | readonly TopicSource[]
  /** Default: the strongest there is, 'fsync' with a directory and 'memory' without. */
  readonly durability?: Durability
  /** Oldest messages leave at this age; default: never. */
  readonly maxAge?: Duration
  /** Default: no limit. */
  readonly maxMessages?: number
  /** Of messages as stored; default: no limit. */
  readonly maxBytes?: number
  /** Default: no limit. 1 keeps the latest state of each topic. */
  readonly maxMessagesPerTopic?: number
  /** Largest headers plus body; default: what the engine takes. */
  readonly maxMessageBytes?: number
  /** Default: no limit. */
  readonly maxConsumers?: number
  /** What a full stream does: remove the oldest ('old', the default) or refuse the new one with STREAM_FULL ('new'). */
  readonly discard?: Discard
  /** The same for a topic that has `maxMessagesPerTopic`; default 'old'. */
  readonly discardPerTopic?: Discard
  /**
   * When messages leave besides the limits: never ('limits', the default), when every consumer is through ('interest'), or
   * when one is ('work-queue').
   */
  readonly retention?: Retention
  /** How long an `id` is remembered, so that publishing it again stores nothing; default '2m', 0: not at all. */
  readonly duplicateWindow?: Duration
  readonly description?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** What `stream.update` changes: the rest stays. */
export type StreamChanges = Partial<StreamOptions>

const DEFAULT_DUPLICATE_WINDOW: Duration = '2m'

const DURABILITIES = ['fsync', 'os', 'memory'] as const
const DISCARDS = ['old', 'new'] as const
const RETENTIONS = ['limits', 'interest', 'work-queue'] as const

const OPTION_NAMES: ReadonlySet<string> = new Set<keyof StreamOptions>([
  'topics',
  'durability',
  'maxAge',
  'maxMessages',
  'maxBytes',
  'maxMessagesPerTopic',
  'maxMessageBytes',
  'maxConsumers',
  'discard',
  'discardPerTopic',
  'retention',
  'duplicateWindow',
  'description',
  'metadata',
])

/** Settings that have another name than the option they came from. */
const OPTION_OF_SETTING: Readonly<Record<string, string>> = {
  maxAgeMs: 'maxAge',
  duplicateWindowMs: 'duplicateWindow',
}

/** Throws NAME_INVALID, OPTION_INVALID, DURATION_INVALID, PATTERN_INVALID. */
export function toStreamSettings(
  name: string,
  options: StreamOptions,
  strongest: Durability,
): StreamSettings {
  assertName('stream', name)
  return changedSettings(
    {
      name,
      topics: [],
      durability: strongest,
      retention: 'limits',
      discard: 'old',
      discardPerTopic: 'old',
      duplicateWindowMs: toMilliseconds(DEFAULT_DUPLICATE_WINDOW),
    },
    options,
    `stream('${name}')`,
  )
}

/** `settings` with what `changes` say otherwise. */
export function changedSettings(
  settings: StreamSettings,
  changes: StreamChanges,
  call: string,
): StreamSettings {
  refuseUnknownOptions(call, changes, OPTION_NAMES)
  const { topics, durability, discard, discardPerTopic, retention, maxAge, duplicateWindow } =
    changes
  const count = (name: CountOption) =>
    changes[name] === undefined ? undefined : wholeNumber(name, changes[name], 1)
  const given = withoutUndefined({
    topics: topics === undefined ? undefined : toPatterns(topics),
    durability: durability && oneOf('durability', durability, DURABILITIES),
    discard: discard && oneOf('discard', discard, DISCARDS),
    discardPerTopic: discardPerTopic && oneOf('discardPerTopic', discardPerTopic, DISCARDS),
    retention: retention && oneOf('retention', retention, RETENTIONS),
    maxAgeMs: maxAge === undefined ? undefined : toMilliseconds(maxAge),
    duplicateWindowMs: duplicateWindow === undefined ? undefined : toMilliseconds(duplicateWindow),
    maxMessages: count('maxMessages'),
    maxBytes: count('maxBytes'),
    maxMessagesPerTopic: count('maxMessagesPerTopic'),
    maxMessageBytes: count('maxMessageBytes'),
    maxConsumers: count('maxConsumers'),
    description: changes.description,
    metadata: changes.metadata,
  })
  return { ...settings, ...given }
}

type CountOption =
  'maxMessages' | 'maxBytes' | 'maxMessagesPerTopic' | 'maxMessageBytes' | 'maxConsumers'

/** The patterns of definitions and patterns. */
export function toPatterns(topics: TopicSource | readonly TopicSource[]): string[] {
  const sources = Array.isArray(topics)
    ? (topics as readonly TopicSource[])
    : [topics as TopicSource]
  return sources.map(patternOf)
}

/** The options that make a stream like this one. */
export function toStreamOptions(settings: StreamSettings): StreamOptions {
  const options: Record<string, unknown> = {}
  for (const [setting, value] of Object.entries(settings)) {
    if (setting !== 'name') options[OPTION_OF_SETTING[setting] ?? setting] = value
  }
  return options as unknown as StreamOptions
}

/** A refusal that names settings, in the words of the options. */
export function inWordsOfOptions(
  error: unknown,
  words: Readonly<Record<string, string>>,
  describe: (fields: string) => string,
): unknown {
  if (!FanfareError.is(error)) return error
  if (error.code !== 'STREAM_DIFFERS' && error.code !== 'CONSUMER_DIFFERS') return error
  const given = error.details.fields
  if (!Array.isArray(given)) return error
  const fields = (given as string[]).map((field) => words[field] ?? field).sort()
  return new FanfareError(error.code, describe(fields.join(', ')), {
    details: { ...error.details, fields },
    cause: error,
  })
}

/** Rejects with STREAM_DIFFERS in the words of the options. */
export async function verified(name: string, made: Promise<EngineStream>): Promise<EngineStream> {
  try {
    return await made
  } catch (error) {
    throw inWordsOfOptions(
      error,
      OPTION_OF_SETTING,
      (fields) =>
        `stream '${name}' exists with other options: ${fields}; change them by stream.update()`,
    )
  }
}
