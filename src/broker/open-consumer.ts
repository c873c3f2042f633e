// Makes a durable consumer, or verifies that the one of its name was made alike.
import { FanfareError, type Clock } from '../base/index.js'
import type { Consumer, ConsumerSettings, Stream as EngineStream } from '../engine/index.js'
import {
  changedConsumerSettings,
  defaultConsumerSettings,
  OPTION_OF_CONSUMER_SETTING,
  type ConsumerOptions,
} from './consume-options.js'
import { isRelative, toStartPoint, type StartingPoint } from './starting-point.js'
import { inWordsOfOptions } from './stream-options.js'
import type { ContentOptions } from './where.js'

/** Rejects with CONSUMER_DIFFERS in the words of the options. */
export async function openConsumer(
  stream: EngineStream,
  name: string,
  patterns: readonly string[],
  options: ConsumerOptions & ContentOptions & { readonly from?: StartingPoint },
  clock: Clock,
): Promise<Consumer> {
  const { from = 'first' } = options
  const base: ConsumerSettings = {
    ...defaultConsumerSettings(name, stream.name),
    topics: patterns,
    start: toStartPoint(from, clock.nowMs()),
  }
  const settings = changedConsumerSettings(base, options, stream.name)
  try {
    return await createFrom(stream, settings, isRelative(from))
  } catch (error) {
    throw inWordsOfOptions(
      error,
      OPTION_OF_CONSUMER_SETTING,
      (fields) =>
        `consumer '${name}' of stream '${stream.name}' exists with other options: ${fields}; change them by stream.updateConsumer(), or stream.deleteConsumer() first`,
    )
  }
}

/** A relative start ('1h ago') was another moment when the consumer was made: the one there is keeps its own. */
async function createFrom(
  stream: EngineStream,
  settings: ConsumerSettings,
  isRelativeStart: boolean,
): Promise<Consumer> {
  try {
    return await stream.createConsumer(settings)
  } catch (error) {
    if (!isRelativeStart || !differsBy(error, 'start')) throw error
    const existing = await stream.findConsumer(settings.name)
    if (existing === undefined) throw error
    return stream.createConsumer({ ...settings, start: existing.settings.start })
  }
}

function differsBy(error: unknown, setting: string): boolean {
  if (!FanfareError.is(error) || error.code !== 'CONSUMER_DIFFERS') return false
  const { fields } = error.details
  return Array.isArray(fields) && fields.includes(setting)
}
