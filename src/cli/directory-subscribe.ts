// `fanfare sub --directory`: prints the messages of a stream: from a start, or as a consumer hands them out.
import { FanfareError } from '../base/index.js'
import type { Broker, StartingPoint } from '../broker/index.js'
import { openConsumer } from './consumer-next-command.js'
import { ConsumerPuller } from './consumer-puller.js'
import { findStream } from './find-by-name.js'
import { formatStored, type MessageFormat } from './message-format.js'
import { print } from './output.js'
import { whereOf, type WhereFlag } from './where-option.js'

export interface StreamFlags extends MessageFormat, WhereFlag {
  readonly stream?: string
  readonly consumer?: string
  readonly from?: StartingPoint
  readonly count?: number
}

/** Prints until `finish` is aborted, or `count` messages were printed. */
export async function printStream(
  broker: Broker,
  topics: readonly string[],
  flags: StreamFlags,
  finish: AbortController,
): Promise<void> {
  const { stream, consumer, from } = flags
  if (stream === undefined) {
    throw new FanfareError('OPTION_INVALID', 'with --directory, say which stream: --stream')
  }
  if (consumer === undefined) return follow(broker, stream, topics, flags, finish)
  if (topics.length > 0 || from !== undefined || flags.where !== undefined) {
    throw new FanfareError(
      'OPTION_INVALID',
      `a consumer has its topics, its filter and its place: leave topics, --where and --from out`,
    )
  }
  await consume(broker, stream, consumer, flags, finish.signal)
}

async function follow(
  broker: Broker,
  name: string,
  topics: readonly string[],
  flags: StreamFlags,
  finish: AbortController,
): Promise<void> {
  const { from = 'new', count } = flags
  const stream = await findStream(broker, name)
  const messages = stream.read({
    from,
    follow: true,
    signal: finish.signal,
    ...(topics.length === 0 ? {} : { topics }),
    ...(count === undefined ? {} : { limit: count }),
    ...whereOf(flags),
  })
  try {
    for await (const message of messages) print(formatStored(message, flags))
  } catch (error) {
    if (!finish.signal.aborted) throw error
  }
}

/** A message is acknowledged when it has been printed. */
async function consume(
  broker: Broker,
  streamName: string,
  name: string,
  flags: StreamFlags,
  signal: AbortSignal,
): Promise<void> {
  const puller = new ConsumerPuller(await openConsumer(broker, streamName, name))
  try {
    for (let printed = 0; printed !== flags.count; printed++) {
      const message = await puller.next({ signal })
      if (message === undefined) return
      print(formatStored(message, flags))
      await puller.acknowledge(message)
    }
  } finally {
    puller.leave()
  }
}
