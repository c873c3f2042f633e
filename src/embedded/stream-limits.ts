// What a stream's limits mean for its log, and for a message that would exceed them.
import { FanfareError } from '../base/index.js'
import type { BytesMessage, StreamSettings } from '../engine/index.js'
import type { Log, LogLimits } from '../log/index.js'
import type { TopicHandle } from '../topic/index.js'

/** What the same transaction appends to the stream before the message that is looked at. */
export interface Ahead {
  readonly messages: number
  readonly bytes: number
  /** The last sequence that each topic will have. */
  readonly tails: ReadonlyMap<TopicHandle, number>
}

export const NOTHING_AHEAD: Ahead = { messages: 0, bytes: 0, tails: new Map() }

/** The limits that the log enforces by removing the oldest. */
export function logLimitsOf(settings: StreamSettings): LogLimits {
  const makesRoom = settings.discard === 'old'
  return {
    maxRecords: makesRoom ? settings.maxMessages : undefined,
    maxBytes: makesRoom ? settings.maxBytes : undefined,
    maxAgeMs: settings.maxAgeMs,
    maxRecordsPerKey: settings.discardPerTopic === 'old' ? settings.maxMessagesPerTopic : undefined,
  }
}

export function findSizeFault(
  { name, maxMessageBytes }: StreamSettings,
  message: BytesMessage,
): FanfareError | undefined {
  if (maxMessageBytes === undefined) return undefined
  const size = message.headerBytes + message.bodyBytes
  if (size <= maxMessageBytes) return undefined
  return new FanfareError(
    'PAYLOAD_TOO_LARGE',
    `${size} bytes are more than stream ${name} takes in one message (${maxMessageBytes})`,
    { details: { stream: name, size, maxMessageBytes } },
  )
}

/** Whether a stream that discards what is new is full; what waits for its commit counts. */
export function findFullness(
  settings: StreamSettings,
  log: Log,
  address: TopicHandle,
  message: BytesMessage,
  ahead: Ahead,
): FanfareError | undefined {
  if (settings.discard === 'new') {
    const { records, bytes, lastSequence } = log.state
    const { maxMessages = Infinity, maxBytes = Infinity } = settings
    const waiting = log.acceptedSequence - lastSequence + ahead.messages
    if (records + waiting >= maxMessages) return fullError(settings, 'maxMessages', maxMessages)
    const size = message.headerBytes + message.bodyBytes + address.bytes.length
    if (bytes + log.backlogBytes + ahead.bytes + size > maxBytes)
      return fullError(settings, 'maxBytes', maxBytes)
  }
  if (settings.discardPerTopic === 'new' && settings.maxMessagesPerTopic !== undefined) {
    const count = log.keys.find(address.bytes)?.count ?? 0
    if (count >= settings.maxMessagesPerTopic) {
      return fullError(settings, 'maxMessagesPerTopic', settings.maxMessagesPerTopic)
    }
  }
  return undefined
}

function fullError({ name }: StreamSettings, limit: string, value: number): FanfareError {
  return new FanfareError('STREAM_FULL', `stream ${name} is full: ${limit} is ${value}`, {
    retryable: true,
    details: { stream: name, limit, value },
  })
}
