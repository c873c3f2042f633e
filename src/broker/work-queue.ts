// A command is for one receiver, so a stream that captures it hands each message to one consumer: a work queue.
import { FanfareError } from '../base/index.js'
import type { Durable, Stream } from '../engine/index.js'
import { matchesPattern } from '../topic/index.js'
import type { AnyDefinition } from './definition.js'

/** Throws KIND_MISMATCH when one of the definitions is a command, and the stream no work queue. */
export function assertWorkQueue(definitions: readonly AnyDefinition[], stream: Stream): void {
  if (stream.settings.retention === 'work-queue') return
  const found = definitions.find(({ kind }) => kind === 'command')
  if (found !== undefined) throw needsWorkQueue(found.topic, stream.name)
}

/** Rejects with KIND_MISMATCH when the stream that captures the topic of a command is no work queue. */
export async function assertQueued(durable: Durable, topic: string): Promise<void> {
  const streams = await durable.streams()
  const stream = streams.find(({ settings }) =>
    settings.topics.some((pattern) => matchesPattern(pattern, topic)),
  )
  if (stream === undefined || stream.settings.retention === 'work-queue') return
  throw needsWorkQueue(topic, stream.name)
}

function needsWorkQueue(topic: string, stream: string): FanfareError {
  return new FanfareError(
    'KIND_MISMATCH',
    `${topic} is a command, for one receiver: its stream '${stream}' needs retention 'work-queue'`,
    { details: { topic, stream, kind: 'command' } },
  )
}
