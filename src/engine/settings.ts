// Settings of streams and consumers: what is valid, and where two differ. Checked once, above the contract's callers.
import { FanfareError } from '../base/index.js'
import { findPatternFault, patternsOverlap } from '../topic/index.js'
import type { ConsumerSettings } from './consumer.js'
import { DEAD_LETTERS_SUFFIX } from './dead-letters.js'
import type { StreamSettings } from './stream.js'

/** Safe on every file system and as one token of a topic. */
const NAME = /^[A-Za-z0-9_-]{1,100}$/
/** What a stream adds to its name for the stream of its dead letters must fit as well. */
const LONGEST_STREAM_NAME = 80
/** Device names of Windows, which no file may have. */
const RESERVED_NAME = /^(con|prn|aux|nul|com\d|lpt\d)$/i

/** Throws NAME_INVALID for a name that is no file name everywhere and no token of a topic. */
export function assertName(kind: 'stream' | 'consumer', name: unknown): asserts name is string {
  const isName = typeof name === 'string' && NAME.test(name) && !RESERVED_NAME.test(name)
  const longest =
    kind === 'stream' && !String(name).endsWith(DEAD_LETTERS_SUFFIX) ? LONGEST_STREAM_NAME : 100
  if (isName && name.length <= longest) return
  throw new FanfareError(
    'NAME_INVALID',
    `invalid ${kind} name ${JSON.stringify(name)}: write 1 to ${longest} letters, digits, '-' or '_'`,
    { details: { name } },
  )
}

/** Throws NAME_INVALID, PATTERN_INVALID, TOPICS_OVERLAP, OPTION_INVALID. */
export function assertStreamSettings(settings: StreamSettings): void {
  assertName('stream', settings.name)
  assertPatterns(settings.topics)
  if (settings.topics.length === 0) throw invalid('topics', settings.topics, 'at least one pattern')
  settings.topics.forEach((topic, i) => {
    const other = settings.topics.slice(0, i).find((earlier) => patternsOverlap(earlier, topic))
    if (other === undefined) return
    throw new FanfareError(
      'TOPICS_OVERLAP',
      `the topics '${other}' and '${topic}' of stream ${settings.name} overlap`,
      { details: { topic, other, stream: settings.name } },
    )
  })
  for (const name of [
    'maxMessages',
    'maxBytes',
    'maxAgeMs',
    'maxMessagesPerTopic',
    'maxMessageBytes',
    'maxConsumers',
  ] as const) {
    const value = settings[name]
    if (value !== undefined) assertWhole(name, value, 1)
  }
  assertWhole('duplicateWindowMs', settings.duplicateWindowMs, 0)
}

/** Throws NAME_INVALID, PATTERN_INVALID, OPTION_INVALID. */
export function assertConsumerSettings(settings: ConsumerSettings, stream: StreamSettings): void {
  assertName('consumer', settings.name)
  assertPatterns(settings.topics)
  for (const topic of settings.topics) {
    if (stream.topics.some((captured) => patternsOverlap(captured, topic))) continue
    throw invalid('topics', topic, `a pattern that stream ${stream.name} captures`)
  }
  assertWhole('ackWaitMs', settings.ackWaitMs, 1)
  if (settings.maxDeliveries !== undefined) assertWhole('maxDeliveries', settings.maxDeliveries, 1)
  for (const wait of settings.backoffMs) assertWhole('backoffMs', wait, 0)
  assertWhole('maxInFlight', settings.maxInFlight, 1)
  assertWhole('lookAhead', settings.lookAhead, 1)
  assertWhole('inactiveMs', settings.inactiveMs, 0)
  if (settings.maxMessageAgeMs !== undefined) {
    assertWhole('maxMessageAgeMs', settings.maxMessageAgeMs, 1)
  }
  if (settings.order === 'key' && settings.acknowledge !== 'explicit') {
    throw invalid('acknowledge', settings.acknowledge, `'explicit' with order 'key'`)
  }
  if (settings.deadLetter !== undefined) assertName('stream', settings.deadLetter.stream)
  if (settings.start.at === 'sequence') assertWhole('start.sequence', settings.start.sequence, 1)
}

/** The fields in which `left` and `right` differ, by name; nothing: they are equal. */
export function differingFields<T extends object>(left: T, right: T): (keyof T & string)[] {
  const names = new Set([...Object.keys(left), ...Object.keys(right)]) as Set<keyof T & string>
  return [...names].filter((name) => !isEqual(left[name], right[name])).sort()
}

function isEqual(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true
  if (typeof left !== 'object' || typeof right !== 'object' || !left || !right) return false
  if (Array.isArray(left) !== Array.isArray(right)) return false
  return differingFields(left, right).length === 0
}

function assertPatterns(patterns: readonly string[]): void {
  for (const pattern of patterns) {
    const fault = findPatternFault(pattern)
    if (fault === undefined) continue
    throw new FanfareError(
      'PATTERN_INVALID',
      `invalid pattern ${JSON.stringify(pattern)}: ${fault}`,
      {
        details: { pattern },
      },
    )
  }
}

function assertWhole(name: string, value: unknown, least: number): void {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return
  throw invalid(name, value, `a whole number, at least ${least}`)
}

function invalid(option: string, value: unknown, wanted: string): FanfareError {
  return new FanfareError(
    'OPTION_INVALID',
    `${option} must be ${wanted}, not ${JSON.stringify(value)}`,
    { details: { option, value } },
  )
}
