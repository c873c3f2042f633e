// From a record of the log to a message of the contract and back: the key is the topic, the head is the header block.
import { decodeExactly } from '../base/index.js'
import { StoredMessage } from '../engine/index.js'
import type { LogRecord } from '../log/index.js'
import type { TopicHandle } from '../topic/index.js'

/** Finds the handle of a topic's bytes. */
export type TopicLookUp = (bytes: Uint8Array, from: number, to: number) => TopicHandle

const ZERO = 0

/** Points `message` at the record where it lies. */
export function showRecord(
  record: LogRecord,
  message: StoredMessage,
  topicAt: TopicLookUp,
): StoredMessage {
  const { bytes, keyStart, keyEnd } = record
  message.handle = topicAt(bytes, isDelayedKey(bytes, keyStart) ? keyStart + 1 : keyStart, keyEnd)
  message.sequence = record.sequence
  message.timeMs = record.timeMs
  message.buffer = bytes
  message.replyStart = message.replyEnd = 0
  message.headersStart = record.headStart
  message.headersEnd = record.headEnd
  message.bodyStart = record.bodyStart
  message.bodyEnd = record.bodyEnd
  return message
}

export function toStoredMessage(record: LogRecord, topicAt: TopicLookUp): StoredMessage {
  const { bytes, keyStart, keyEnd } = record
  const topicStart = isDelayedKey(bytes, keyStart) ? keyStart + 1 : keyStart
  return showRecord(record, new StoredMessage(topicAt(bytes, topicStart, keyEnd)), topicAt)
}

/** The topic of a key in the log's index, or undefined for a delayed message's. */
export function topicOfKey(key: Uint8Array): string | undefined {
  return isDelayedKey(key, 0) ? undefined : decodeExactly(key, 0, key.length)
}

/** The key under which a delayed message lies. */
export function delayedKey(topic: Uint8Array): Uint8Array {
  const key = new Uint8Array(topic.length + 1)
  key.set(topic, 1)
  return key
}

export function isDelayedKey(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === ZERO
}
