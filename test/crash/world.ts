// What the crash tests play with: the streams and consumers that are there in every life, and the messages, each of which
// can be made again from its number alone. The load and the checker know this file, and nothing of each other.
import { BytesMessage, type ConsumerSettings, type StreamSettings } from '../../src/engine/index.js'
import type { TopicHandle } from '../../src/topic/index.js'
import { encodeHeaderBlock } from '../../src/wire/index.js'

const base = {
  durability: 'fsync',
  retention: 'limits',
  discard: 'old',
  discardPerTopic: 'old',
  duplicateWindowMs: 86_400_000,
} as const

function stream(name: string, terms: Partial<StreamSettings> = {}): StreamSettings {
  return { ...base, name, topics: [`${name}.>`], ...terms }
}

/** Made at the first start, never deleted. */
export const STREAMS: readonly StreamSettings[] = [
  /** Keeps everything, so that what is missing cannot be explained away. */
  stream('plain'),
  /** Takes part in every transaction, and keeps everything. */
  stream('twin'),
  /** Whole segments leave. */
  stream('recent', { maxMessages: 150 }),
  /** Most of what is inside a segment leaves, so that it is compacted. */
  stream('latest', { maxMessagesPerTopic: 2 }),
  stream('bounded', { durability: 'os', maxBytes: 40_000 }),
  /** Is purged, and messages are removed from it. */
  stream('loose', { durability: 'os' }),
  stream('purged'),
  stream('full', { discard: 'new', maxMessages: 60 }),
  stream('fleeting', { durability: 'memory' }),
  stream('queue', { retention: 'work-queue' }),
  stream('wanted', { retention: 'interest' }),
]

/** Made and deleted again and again. */
export const SCRATCH: readonly StreamSettings[] = [
  stream('scratch-0'),
  stream('scratch-1', { durability: 'os' }),
]

/** Streams from which nothing is ever taken out. */
export const KEEPING = new Set(['plain', 'twin'])
/** Streams that a purge or a removal may be asked of. */
export const PURGEABLE = ['loose', 'purged', 'full'] as const
export const TOPICS_PER_STREAM = 8
export const KEYS = 6

function consumer(name: string, terms: Partial<ConsumerSettings>): ConsumerSettings {
  return {
    name,
    isDurable: true,
    start: { at: 'first' },
    topics: [],
    acknowledge: 'explicit',
    ackWaitMs: 600_000,
    backoffMs: [],
    maxInFlight: 40,
    order: 'stream',
    lookAhead: 1_000,
    replay: 'instant',
    headersOnly: false,
    inactiveMs: 600_000,
    ...terms,
  }
}

export interface ConsumerPlace {
  readonly stream: string
  readonly settings: ConsumerSettings
}

function deadLetter(
  name: string,
  followers: 'park' | 'continue',
): Pick<ConsumerSettings, 'deadLetter'> {
  return { deadLetter: { stream: `${name}-dead-letters`, followers } }
}

export const CONSUMERS: readonly ConsumerPlace[] = [
  {
    stream: 'plain',
    settings: consumer('steady', {
      maxDeliveries: 4,
      /** Which is also how long an attempt may take. */
      backoffMs: [3, 6],
      ...deadLetter('plain', 'continue'),
    }),
  },
  {
    stream: 'plain',
    settings: consumer('keyed', {
      order: 'key',
      maxInFlight: 16,
      maxDeliveries: 5,
      ...deadLetter('plain', 'continue'),
    }),
  },
  {
    stream: 'twin',
    settings: consumer('parking', {
      order: 'key',
      maxInFlight: 16,
      maxDeliveries: 3,
      ...deadLetter('twin', 'park'),
    }),
  },
  {
    stream: 'queue',
    settings: consumer('worker', { maxDeliveries: 5, ...deadLetter('queue', 'continue') }),
  },
  { stream: 'wanted', settings: consumer('watcher', deadLetter('wanted', 'continue')) },
  { stream: 'latest', settings: consumer('mirror', {}) },
]

export function consumerId({ stream: of, settings }: ConsumerPlace): string {
  return `${of}/${settings.name}`
}

/** Of a message's number: its topic's last token and its key. */
export function topicOf(streamName: string, number: number): string {
  return `${streamName}.${(number * 7) % TOPICS_PER_STREAM}`
}

export function keyOf(number: number): string | undefined {
  return number % 11 === 0 ? undefined : `key-${number % KEYS}`
}

/** A message's bytes: its number, and a filling that no other number has. */
export function bodyOf(number: number): Uint8Array {
  const head = `${number};`
  const bytes = new Uint8Array(head.length + fillingLength(number))
  for (let i = 0; i < head.length; i++) bytes[i] = head.charCodeAt(i)
  let state = Math.imul(number, 0x9e37_79b1) | 1
  for (let i = head.length; i < bytes.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    bytes[i] = state >>> 24
  }
  return bytes
}

function fillingLength(number: number): number {
  if (number % 397 === 0) return 70_000
  if (number % 53 === 0) return 5_000
  return (number * 31) % 200
}

export function makeMessage(handle: TopicHandle, number: number): BytesMessage {
  const key = keyOf(number)
  const message = new BytesMessage(handle)
  const headers: [string, string][] = [['Number', String(number)]]
  if (key !== undefined) headers.push(['ce-partitionkey', key])
  message.setParts(new Uint8Array(0), encodeHeaderBlock(headers), bodyOf(number))
  return message
}

/** The number of a message whose bytes are exactly those that were published; undefined: they are not. */
export function numberOf(body: Uint8Array): number | undefined {
  const end = body.indexOf(59)
  if (end < 1 || end > 12) return undefined
  const number = Number(String.fromCharCode(...body.subarray(0, end)))
  if (!Number.isSafeInteger(number)) return undefined
  const expected = bodyOf(number)
  if (expected.length !== body.length) return undefined
  for (let i = 0; i < body.length; i++) if (body[i] !== expected[i]) return undefined
  return number
}
