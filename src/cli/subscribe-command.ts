// `fanfare sub`: prints the messages of one or more topics as they come.
import { Command } from 'commander'
import type { Broker, Message } from '../broker/index.js'
import {
  connect,
  untilInterrupted,
  whenAborted,
  withClientOptions,
  type ClientFlags,
} from './client-options.js'
import { toCount } from './numbers.js'
import { toJson, toText } from './message-format.js'

interface SubscribeFlags extends ClientFlags {
  readonly queue?: string
  readonly count?: number
  readonly headersOnly?: boolean
  readonly raw?: boolean
  readonly json?: boolean
}

export function subscribeCommand(): Command {
  return withClientOptions(new Command('sub').alias('subscribe'))
    .description('print messages as they come')
    .argument('<topics...>', 'topics or patterns; quote > and *')
    .option('--queue <group>', 'share the messages with the other members of a group')
    .option('--count <count>', 'end after so many messages', toCount('--count'))
    .option('--headers-only', 'leave the bodies out')
    .option('-r, --raw', 'bodies only, one a line')
    .option('-j, --json', 'one JSON object a line')
    .action(subscribe)
}

async function subscribe(topics: readonly string[], flags: SubscribeFlags): Promise<void> {
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
