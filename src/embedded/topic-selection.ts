// Which messages of a stream a set of patterns picks out: by the log's index of topics where it suffices, by reading where
// it does not.
import type { PurgeOptions, TopicState } from '../engine/index.js'
import type { Clock } from '../base/index.js'
import type { Log } from '../log/index.js'
import { hasWildcard, matchesPattern } from '../topic/index.js'
import { walkRecords } from './record-walk.js'
import { topicOfKey, type TopicLookUp } from './stream-record.js'

const encoder = new TextEncoder()

/** What it needs of the engine. */
export interface SelectionSite {
  readonly clock: Clock
  readonly topicAt: TopicLookUp
}

/** The topics that hold messages and are matched by one of `patterns`; all topics when there is none. */
export function selectTopics(log: Log, patterns: readonly string[]): TopicState[] {
  if (patterns.length > 0 && !patterns.some(hasWildcard)) return findTopics(log, patterns)
  const found: TopicState[] = []
  log.keys.forEach((key, { count, firstSequence, lastSequence }) => {
    const topic = topicOfKey(key)
    if (topic === undefined || !matchesAny(patterns, topic)) return
    found.push({ topic, messages: count, firstSequence, lastSequence })
  })
  return found
}

function findTopics(log: Log, topics: readonly string[]): TopicState[] {
  return [...new Set(topics)].flatMap((topic) => {
    const state = log.keys.find(encoder.encode(topic))
    if (state === undefined) return []
    const { count: messages, firstSequence, lastSequence } = state
    return [{ topic, messages, firstSequence, lastSequence }]
  })
}

export function matchesAny(patterns: readonly string[], topic: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matchesPattern(pattern, topic))
}

/** Sequences that a purge removes, ascending. */
export async function selectForPurge(
  log: Log,
  { clock, topicAt }: SelectionSite,
  options: PurgeOptions,
): Promise<number[]> {
  const patterns = options.topic === undefined ? [] : [options.topic]
  const end = Math.min(options.before ?? Infinity, log.state.lastSequence + 1)
  const selected: number[] = []
  const cursor = log.cursor(log.state.firstSequence, { isTransient: true })
  await walkRecords(cursor, clock, () => {
    if (cursor.sequence >= end) return false
    const { name } = topicAt(cursor.bytes, cursor.keyStart, cursor.keyEnd)
    if (matchesAny(patterns, name)) selected.push(cursor.sequence)
    return true
  })
  return options.keep === undefined
    ? selected
    : selected.slice(0, Math.max(0, selected.length - options.keep))
}

/** Whether a topic is matched, remembered by topic: patterns are compared once for each. */
export class TopicFilter {
  readonly patterns: readonly string[]
  readonly #verdicts = new Map<string, boolean>()

  constructor(patterns: readonly string[]) {
    this.patterns = patterns
  }

  get matchesEverything(): boolean {
    return this.patterns.length === 0
  }

  matches(topic: string): boolean {
    if (this.patterns.length === 0) return true
    const known = this.#verdicts.get(topic)
    if (known !== undefined) return known
    if (this.#verdicts.size >= KEPT_VERDICTS) this.#verdicts.clear()
    const verdict = matchesAny(this.patterns, topic)
    this.#verdicts.set(topic, verdict)
    return verdict
  }
}

const KEPT_VERDICTS = 10_000
