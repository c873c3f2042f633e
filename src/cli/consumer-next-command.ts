// `fanfare consumer next`: prints the next messages of a consumer and acknowledges them.
import { Command } from 'commander'
import { FanfareError } from '../base/index.js'
import type { Broker } from '../broker/index.js'
import type { Consumer } from '../engine/index.js'
import { ConsumerPuller } from './consumer-puller.js'
import { inDirectory, type DirectoryFlags } from './directory-options.js'
import { findConsumer, findStream } from './find-by-name.js'
import { formatStored, withMessageFormat, type MessageFormat } from './message-format.js'
import { toCount, toMs } from './numbers.js'
import { print } from './output.js'

interface NextFlags extends DirectoryFlags, MessageFormat {
  readonly count: number
  readonly timeout: number
  readonly ack: boolean
}

export function consumerNextCommand(): Command {
  return withMessageFormat(new Command('next'))
    .description('print the next messages, and acknowledge each when it is printed')
    .argument('<stream>')
    .argument('<consumer>')
    .option('--count <count>', 'so many messages', toCount('--count'), 1)
    .option('--timeout <duration>', 'longest wait for a message', toMs('--timeout'), 1_000)
    .option('--no-ack', 'give the messages back instead')
    .action((stream: string, consumer: string, flags: NextFlags) =>
      inDirectory(flags, (broker) => printNext(broker, stream, consumer, flags)),
    )
}

/** The consumer on the contract: there one joins it as it is, without saying what it was made with. */
export async function openConsumer(
  broker: Broker,
  streamName: string,
  name: string,
): Promise<Consumer> {
  await findConsumer(await findStream(broker, streamName), name)
  const stream = await broker.engine.durable?.findStream(streamName)
  const consumer = await stream?.findConsumer(name)
  if (consumer !== undefined) return consumer
  throw new FanfareError('CONSUMER_NOT_FOUND', `stream ${streamName} has no consumer ${name}`)
}

async function printNext(
  broker: Broker,
  streamName: string,
  name: string,
  flags: NextFlags,
): Promise<void> {
  const consumer = await openConsumer(broker, streamName, name)
  const puller = new ConsumerPuller(consumer)
  try {
    for (let i = 0; i < flags.count; i++) {
      const message = await puller.next({ timeoutMs: flags.timeout })
      if (message === undefined) throw await nothingCame(consumer)
      print(formatStored(message, flags))
      if (flags.ack) await puller.acknowledge(message)
    }
  } finally {
    puller.leave()
  }
}

async function nothingCame(consumer: Consumer): Promise<FanfareError> {
  const { pending, redelivering, isPaused } = await consumer.info()
  const state = isPaused
    ? 'it is paused'
    : `${pending} are pending, ${redelivering} wait for another attempt`
  return new FanfareError(
    'TIMEOUT',
    `consumer ${consumer.name} of stream ${consumer.streamName} has no message now; ${state}`,
    { retryable: true },
  )
}
