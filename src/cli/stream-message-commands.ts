// `fanfare stream get` and `read`: the messages of a stream, without touching them.
import { Command } from 'commander'
import { FanfareError } from '../base/index.js'
import type { Broker, StartingPoint, StoredMessage } from '../broker/index.js'
import { collect } from './client-options.js'
import { inDirectory, type DirectoryFlags } from './directory-options.js'
import { findStream } from './find-by-name.js'
import { formatStored, withMessageFormat, type MessageFormat } from './message-format.js'
import { toCount, toStart, toWholeNumber } from './numbers.js'
import { print } from './output.js'
import { whereOf, withWhereOption, type WhereFlag } from './where-option.js'

interface GetFlags extends DirectoryFlags, MessageFormat {
  readonly last?: string
}

interface ReadFlags extends DirectoryFlags, MessageFormat, WhereFlag {
  readonly from: StartingPoint
  readonly topic?: readonly string[]
  readonly limit?: number
}

export function streamGetCommand(): Command {
  return withMessageFormat(new Command('get'))
    .description('print one message, by its sequence or as the last of a topic')
    .argument('<stream>')
    .argument('[sequence]', 'its number in the stream', toWholeNumber('the sequence', 1))
    .option('--last <topic>', 'the newest message of this topic')
    .action((name: string, sequence: number | undefined, flags: GetFlags) =>
      inDirectory(flags, (broker) => get(broker, name, sequence, flags)),
    )
}

async function get(
  broker: Broker,
  name: string,
  sequence: number | undefined,
  flags: GetFlags,
): Promise<void> {
  const { last } = flags
  if ((sequence === undefined) === (last === undefined)) {
    throw new FanfareError('OPTION_INVALID', 'say which message: a sequence, or --last TOPIC')
  }
  const stream = await findStream(broker, name)
  const message: StoredMessage | undefined =
    sequence === undefined ? await stream.last(last!) : await stream.get(sequence)
  if (message === undefined) {
    const what = sequence === undefined ? `message of ${last!}` : `message ${sequence}`
    throw new FanfareError('OPTION_INVALID', `stream ${name} has no ${what}`)
  }
  print(formatStored(message, flags))
}

export function streamReadCommand(): Command {
  return withWhereOption(withMessageFormat(new Command('read').alias('view')))
    .description('print the messages that there are')
    .argument('<stream>')
    .option(
      '--from <start>',
      'first, last, last-per-topic, a sequence, a date, or such as "1h ago"',
      toStart,
      'first',
    )
    .option('--topic <pattern>', 'only of these topics; may be repeated', collect)
    .option('--limit <count>', 'at most so many', toCount('--limit'))
    .action((name: string, flags: ReadFlags) =>
      inDirectory(flags, (broker) => read(broker, name, flags)),
    )
}

async function read(broker: Broker, name: string, flags: ReadFlags): Promise<void> {
  const stream = await findStream(broker, name)
  const { from, topic, limit } = flags
  const messages = stream.read({
    from,
    follow: false,
    ...(topic === undefined ? {} : { topics: topic }),
    ...(limit === undefined ? {} : { limit }),
    ...whereOf(flags),
  })
  for await (const message of messages) print(formatStored(message, flags))
}
