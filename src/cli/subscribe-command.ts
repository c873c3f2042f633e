// `fanfare sub`: prints messages as they come: those of topics from a server, or those of a stream in a data directory.
import { Command } from 'commander'
import { FanfareError } from '../base/index.js'
import type { Broker, Message } from '../broker/index.js'
import {
  connect,
  untilInterrupted,
  whenAborted,
  withClientOptions,
  type ClientFlags,
} from './client-options.js'
import { inDirectory, onlyGiven } from './directory-options.js'
import { printStream, type StreamFlags } from './directory-subscribe.js'
import { toJson, toText, withMessageFormat } from './message-format.js'
import { toCount, toStart } from './numbers.js'
import { whereOf, withWhereOption } from './where-option.js'

interface SubscribeFlags extends ClientFlags, StreamFlags {
  readonly queue?: string
  readonly directory?: string
}

export function subscribeCommand(): Command {
  return withWhereOption(
    withMessageFormat(withClientOptions(new Command('sub').alias('subscribe'))),
  )
    .description('print messages as they come')
    .argument('[topics...]', 'topics or patterns; quote > and *')
    .option('--queue <group>', 'share the messages with the other members of a group')
    .option('--count <count>', 'end after so many messages', toCount('--count'))
    .option('--directory <directory>', 'from a stream of a data directory')
    .option('--stream <name>', 'with --directory: the stream')
    .option(
      '--consumer <name>',
      'with --directory: as this consumer, acknowledging what is printed',
    )
    .option(
      '--from <start>',
      'with --directory: first, last, new (default), last-per-topic, a sequence, a date, or such as "1h ago"',
      toStart,
    )
    .action((topics: string[], flags: SubscribeFlags, command: Command) =>
      flags.directory === undefined
        ? subscribe(topics, flags)
        : inDirectory(onlyGiven(flags, command), (broker) =>
            printStream(broker, topics, flags, untilInterrupted()),
          ),
    )
}

async function subscribe(topics: readonly string[], flags: SubscribeFlags): Promise<void> {
  if (topics.length === 0) throw new FanfareError('OPTION_INVALID', 'say which topics')
  const { stream, consumer, from } = flags
  if ((stream ?? consumer ?? from) !== undefined) {
    throw new FanfareError(
      'OPTION_INVALID',
      '--stream, --consumer and --from are for streams: give --directory',
    )
  }
  const broker = await connect(flags)
  try {
    await printUntilDone(broker, topics, flags)
  } finally {
    await broker.close({ drain: '2s' })
  }
}

async function printUntilDone(
  broker: Broker,
  topics: readonly string[],
  flags: SubscribeFlags,
): Promise<void> {
  const finish = untilInterrupted()
  let received = 0
  const print = (message: Message): void => {
    if (finish.signal.aborted) return
    received += 1
    process.stdout.write(format(message, received, flags))
    if (received === flags.count) finish.abort()
  }
  const options = {
    // Everything is printed: nothing is dropped while a terminal is slow.
    capacity: 1_000_000_000,
    ...(flags.queue === undefined ? {} : { group: flags.queue }),
    ...whereOf(flags),
  }
  for (const topic of topics) broker.subscribe(topic, print, options)
  await broker.flush()
  process.stderr.write(`Subscribed to ${topics.join(', ')}\n`)
  await whenAborted(finish.signal)
}

function format(message: Message, count: number, flags: SubscribeFlags): string {
  if (flags.json === true) return `${toJson(message, flags.headersOnly === true)}\n`
  if (flags.raw === true) return `${message.data as string}\n`
  return toText(message, count, flags.headersOnly === true)
}
