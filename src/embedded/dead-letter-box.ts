// A dead letter as a message of its stream, and back. Topic: `$DEAD.<stream>.<consumer>.<original topic>`; headers: those of
// DEAD_LETTER_HEADERS before those of the original.
import {
  BytesMessage,
  DEAD_LETTER_HEADERS as NAMES,
  type DeadLetter,
  type DeadLetterReason,
  type StoredMessage,
  type StreamSettings,
} from '../engine/index.js'
import type { FanfareError } from '../base/index.js'
import { decodeAttribute, decompress, isStructured, StructuredEvent } from '../codec/index.js'
import type { TopicHandle } from '../topic/index.js'
import { decodeHeaderBlock, encodeHeaderBlock, findHeader } from '../wire/index.js'

/** The stream that takes dead letters, as a consumer sees it. */
export interface DeadLetterBox {
  /** Why it cannot take a letter now, or undefined. */
  findRefusal(address: TopicHandle, message: BytesMessage): FanfareError | undefined
  /** Accepts a letter; called within a unit. */
  write(address: TopicHandle, message: BytesMessage): void
  /** Removes a letter, with the unit at hand. */
  settle(sequence: number): void
  read(sequence: number): Promise<StoredMessage | undefined>
}

/** What is known of a failure when its letter is written. */
export interface Failure {
  readonly stream: string
  readonly consumer: string
  readonly reason: DeadLetterReason
  readonly error: string
  readonly attempts: number
}

/** That stream's settings: no limit but the disk, as nothing may vanish; one topic for each consumer and original topic. */
export function deadLetterStreamSettings(
  source: StreamSettings,
  name: string,
  consumer: string,
): StreamSettings {
  return {
    name,
    topics: [deadLetterPattern(source.name, consumer)],
    durability: source.durability,
    retention: 'limits',
    discard: 'new',
    discardPerTopic: 'new',
    duplicateWindowMs: 0,
    description: `dead letters of stream ${source.name}`,
  }
}

/** Every topic of the dead letters of a stream's consumer, or of all its consumers. */
export function deadLetterPattern(stream: string, consumer?: string): string {
  return consumer === undefined ? `$DEAD.${stream}.>` : `$DEAD.${stream}.${consumer}.>`
}

export function deadLetterTopic(stream: string, consumer: string, topic: string): string {
  return `$DEAD.${stream}.${consumer}.${topic}`
}

/** The letter for `original`, which may itself be a letter that was handed out again. */
export function writeDeadLetter(
  original: StoredMessage,
  failure: Failure,
  address: TopicHandle,
): BytesMessage {
  const given = original.headerBytes > 0 ? decodeHeaderBlock(original.headerBlock).fields : []
  const own = new Set<string>(Object.values(NAMES).map((name) => name.toLowerCase()))
  const letter = new BytesMessage(address)
  letter.setParts(
    NOTHING,
    encodeHeaderBlock([
      [NAMES.reason, failure.reason],
      [NAMES.error, toHeaderText(failure.error)],
      [NAMES.attempts, String(failure.attempts)],
      [NAMES.consumer, failure.consumer],
      [NAMES.stream, failure.stream],
      [NAMES.topic, original.handle.name],
      [NAMES.sequence, String(original.sequence)],
      [NAMES.time, new Date(original.timeMs).toISOString()],
      ...given.filter(([name]) => !own.has(name.toLowerCase())),
    ]),
    original.body,
  )
  return letter
}

/** The message as it was before it became a letter, with the original's topic, sequence and time. */
export function restoreOriginal(
  letter: StoredMessage,
  topic: (name: string) => TopicHandle,
): StoredMessage {
  const { fields } = decodeHeaderBlock(letter.headerBlock)
  const own = new Map(fields.map(([name, value]) => [name.toLowerCase(), value]))
  const kept = fields.filter(([name]) => !name.toLowerCase().startsWith('fanfare-dead-'))
  const letterTopic = own.get(NAMES.topic.toLowerCase()) ?? letter.handle.name
  letter.handle = topic(letterTopic)
  const headers = kept.length === 0 ? NOTHING : encodeHeaderBlock(kept)
  letter.setParts(NOTHING, headers, letter.body)
  letter.sequence = Number(own.get(NAMES.sequence.toLowerCase()) ?? letter.sequence)
  letter.timeMs = Date.parse(own.get(NAMES.time.toLowerCase()) ?? '') || letter.timeMs
  return letter
}

/** What a stored letter says; undefined when it is no letter. */
export function readDeadLetter(message: StoredMessage): DeadLetter | undefined {
  if (message.headerBytes === 0) return undefined
  const fields = new Map(
    decodeHeaderBlock(message.headerBlock).fields.map(([name, value]) => [
      name.toLowerCase(),
      value,
    ]),
  )
  const field = (name: keyof typeof NAMES): string | undefined =>
    fields.get(NAMES[name].toLowerCase())
  const topic = field('topic')
  const stream = field('stream')
  const consumer = field('consumer')
  if (topic === undefined || stream === undefined || consumer === undefined) return undefined
  return {
    sequence: message.sequence,
    timeMs: message.timeMs,
    reason: (field('reason') ?? 'rejected') as DeadLetterReason,
    error: field('error') ?? '',
    attempts: Number(field('attempts') ?? 0),
    consumer,
    stream,
    topic,
    originalSequence: Number(field('sequence') ?? 0),
    originalTimeMs: Date.parse(field('time') ?? '') || message.timeMs,
    key: orderKeyOf(message),
    headerBlock: message.headerBlock,
    body: message.body,
  }
}

const KEY_HEADER = 'ce-partitionkey'
const NOTHING = new Uint8Array(0)
const LONGEST_ERROR = 1_000

/**
 * What order is kept by: the key of a CloudEvent, in its headers or, in structured mode, in its body. A message without one is in
 * order with nothing.
 */
export function orderKeyOf(message: BytesMessage): string | undefined {
  const { buffer, headersStart, headersEnd } = message
  if (headersEnd === headersStart) return undefined
  const key = findHeader(buffer, headersStart, headersEnd, KEY_HEADER)
  if (key !== undefined) return decodeAttribute(key)
  const contentType = findHeader(buffer, headersStart, headersEnd, 'content-type')
  if (contentType === undefined || !isStructured(contentType)) return undefined
  return structuredKeyOf(message, contentType)
}

/** Undefined for a body that is not what it says: it is handed out all the same, and fails there. */
function structuredKeyOf(message: BytesMessage, contentType: string): string | undefined {
  const { buffer, headersStart, headersEnd, body } = message
  const encoding = findHeader(buffer, headersStart, headersEnd, 'content-encoding')
  try {
    const event = encoding === undefined ? body : decompress(body, encoding)
    return StructuredEvent.parse(event, contentType).attribute('partitionkey')
  } catch {
    return undefined
  }
}

function toHeaderText(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ').slice(0, LONGEST_ERROR)
}
