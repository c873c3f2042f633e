// `fanfare consumer`: makes, shows, pauses and removes the durable consumers of a stream.
import { Command, Option } from 'commander'
import type {
  Broker,
  BrokerStream,
  ConsumerStatus,
  NewConsumerOptions,
  StartingPoint,
} from '../broker/index.js'
import { collect } from './client-options.js'
import { confirm, withForceOption, type ForceFlag } from './confirmation.js'
import { consumerNextCommand } from './consumer-next-command.js'
import {
  inDirectory,
  withDirectoryOptions,
  withJsonOption,
  type DirectoryFlags,
} from './directory-options.js'
import { findConsumer, findStream } from './find-by-name.js'
import { toCount, toMs, toStart } from './numbers.js'
import { counted, print, toDurationText, toFieldLines, toJsonText, toTable } from './output.js'
import { whereOf, withWhereOption, type WhereFlag } from './where-option.js'

interface Flags extends DirectoryFlags {
  readonly json?: boolean
}

interface AddFlags extends Flags, WhereFlag {
  readonly topic?: readonly string[]
  readonly from?: StartingPoint
  readonly order?: 'stream' | 'key'
  readonly ackWait?: number
  readonly attempts?: number
  readonly deadLetter: boolean
  readonly deadLetterStream?: string
  readonly followers?: 'park' | 'continue'
  readonly maxInFlight?: number
  readonly lookAhead?: number
  readonly maxAge?: number
  readonly replay?: 'instant' | 'original'
  readonly description?: string
}

export function consumerCommand(): Command {
  const group = new Command('consumer').description(
    'the consumers of a stream: make, show, pause, take messages, remove',
  )
  const commands = [
    listCommand(),
    infoCommand(),
    addCommand(),
    removeCommand(),
    pauseCommand(),
    resumeCommand(),
    consumerNextCommand(),
  ]
  for (const command of commands) group.addCommand(withDirectoryOptions(command))
  return group
}

function listCommand(): Command {
  return withJsonOption(new Command('ls').alias('list'))
    .description('list the consumers of a stream')
    .argument('<stream>')
    .action((name: string, flags: Flags) =>
      inDirectory(flags, async (broker) => {
        const stream = await findStream(broker, name)
        printList(await stream.consumers(), flags)
      }),
    )
}

function printList(consumers: readonly ConsumerStatus[], flags: Flags): void {
  if (flags.json === true) return print(toJsonText(consumers))
  const rows = consumers.map((each) => [
    each.name,
    topicsOf(each),
    each.pending,
    each.redelivering,
    each.unsettled,
    each.settledThrough,
    stateOf(each),
  ])
  const headings = ['NAME', 'TOPICS', 'PENDING', 'REDELIVERING', 'UNSETTLED', 'SETTLED', 'STATE']
  print(toTable(headings, rows))
}

function infoCommand(): Command {
  return withJsonOption(new Command('info').alias('show'))
    .description('show one consumer')
    .argument('<stream>')
    .argument('<consumer>')
    .action((name: string, consumer: string, flags: Flags) =>
      inDirectory(flags, async (broker) => {
        const stream = await findStream(broker, name)
        printStatus(await findConsumer(stream, consumer), flags)
      }),
    )
}

function printStatus(status: ConsumerStatus, flags: Flags): void {
  if (flags.json === true) return print(toJsonText(status))
  const { options } = status
  const { retry, deadLetter, from } = options
  const deadLetters = typeof deadLetter === 'object' ? deadLetter : undefined
  print(
    toFieldLines([
      ['name', status.name],
      ['stream', status.stream],
      ['description', options.description],
      ['topics', topicsOf(status)],
      ['where', toText(options.where)],
      ['headers', toText(options.headers)],
      ['key', toText(options.key)],
      ['from', from],
      ['order', options.order],
      ['ack wait', toDurationText(options.ackWait)],
      ['attempts', retry?.attempts === Infinity ? 'without end' : retry?.attempts],
      ['dead letters', deadLetters?.stream ?? 'none'],
      ['followers', options.order === 'key' ? deadLetters?.followers : undefined],
      ['max in flight', options.maxInFlight],
      ['look ahead', options.order === 'key' ? options.lookAhead : undefined],
      ['max age', toDurationText(options.maxAge)],
      ['replay', options.replay],
      ['state', stateOf(status)],
      ['pending', status.pending],
      ['in flight', status.inFlight],
      ['redelivering', status.redelivering],
      ['unsettled', status.unsettled],
      ['settled through', status.settledThrough],
      ['last handed out', status.lastHandedOut],
    ]),
  )
}

/** A pattern as it is written; nothing where there is none. */
function toText(pattern: unknown): string | undefined {
  return pattern === undefined ? undefined : JSON.stringify(pattern)
}

function addCommand(): Command {
  return withWhereOption(withJsonOption(new Command('add').alias('create')))
    .description('make a consumer; one made alike is fine')
    .argument('<stream>')
    .argument('<consumer>')
    .option('--topic <pattern>', 'only these topics; may be repeated', collect)
    .option(
      '--from <start>',
      'first (default), last, new, last-per-topic, a sequence, a date, or such as "1h ago"',
      toStart,
    )
    .addOption(
      new Option('--order <order>', 'key: messages of one key one after another').choices([
        'stream',
        'key',
      ]),
    )
    .option(
      '--ack-wait <duration>',
      'how long a message may be without a verdict',
      toMs('--ack-wait'),
    )
    .option('--attempts <count>', 'hand-outs before it is a dead letter', toCount('--attempts'))
    .option('--no-dead-letter', 'drop what is given up')
    .option('--dead-letter-stream <name>', 'the stream that takes what is given up')
    .addOption(
      new Option('--followers <what>', 'what becomes of the rest of a key: park, continue').choices(
        ['park', 'continue'],
      ),
    )
    .option('--max-in-flight <count>', 'most hand-outs at a time', toCount('--max-in-flight'))
    .option('--look-ahead <count>', 'messages passed over for busy keys', toCount('--look-ahead'))
    .option('--max-age <duration>', 'older messages are given up', toMs('--max-age'))
    .addOption(
      new Option('--replay <pace>', 'original: with the pauses there were').choices([
        'instant',
        'original',
      ]),
    )
    .option('--description <text>', 'what it is for')
    .action((name: string, consumer: string, flags: AddFlags) =>
      inDirectory(flags, async (broker) => {
        const stream = await findStream(broker, name)
        printStatus(await stream.createConsumer(consumer, toOptions(flags)), flags)
      }),
    )
}

function toOptions(flags: AddFlags): NewConsumerOptions {
  const { topic: topics, attempts, description, from, order, replay } = flags
  const { ackWait, maxInFlight, lookAhead, maxAge } = flags
  const given = {
    topics,
    from,
    order,
    ackWait,
    maxInFlight,
    lookAhead,
    maxAge,
    replay,
    description,
  }
  const known = Object.entries(given).filter(([, value]) => value !== undefined)
  return {
    ...(Object.fromEntries(known) as NewConsumerOptions),
    ...(attempts === undefined ? {} : { retry: { attempts } }),
    ...toDeadLetter(flags),
    ...whereOf(flags),
  }
}

function toDeadLetter(flags: AddFlags): Pick<NewConsumerOptions, 'deadLetter'> {
  const { deadLetter, deadLetterStream: stream, followers } = flags
  if (!deadLetter) return { deadLetter: false }
  if (stream === undefined && followers === undefined) return {}
  return {
    deadLetter: {
      ...(stream === undefined ? {} : { stream }),
      ...(followers === undefined ? {} : { followers }),
    },
  }
}

function removeCommand(): Command {
  return withForceOption(withJsonOption(new Command('rm').alias('delete')))
    .description('remove a consumer and its place for good')
    .argument('<stream>')
    .argument('<consumer>')
    .action((name: string, consumer: string, flags: Flags & ForceFlag) =>
      inDirectory(flags, (broker) => remove(broker, name, consumer, flags)),
    )
}

async function remove(
  broker: Broker,
  name: string,
  consumer: string,
  flags: Flags & ForceFlag,
): Promise<void> {
  const stream = await findStream(broker, name)
  const { pending } = await findConsumer(stream, consumer)
  const what = `Remove consumer ${consumer} of stream ${name} with ${counted(pending, 'pending message')}`
  if (!(await confirm(what, flags))) return
  await stream.deleteConsumer(consumer)
  const removed = { stream: name, consumer, isRemoved: true }
  print(
    flags.json === true ? toJsonText(removed) : `Removed consumer ${consumer} of stream ${name}\n`,
  )
}

function pauseCommand(): Command {
  return withJsonOption(new Command('pause'))
    .description('hand nothing out, for a time or until it is resumed')
    .argument('<stream>')
    .argument('<consumer>')
    .argument('[duration]', 'such as 1h', toMs('the duration'))
    .action((name: string, consumer: string, duration: number | undefined, flags: Flags) =>
      changed(name, consumer, flags, (stream) => stream.pauseConsumer(consumer, duration)),
    )
}

function resumeCommand(): Command {
  return withJsonOption(new Command('resume'))
    .description('hand out again')
    .argument('<stream>')
    .argument('<consumer>')
    .action((name: string, consumer: string, flags: Flags) =>
      changed(name, consumer, flags, (stream) => stream.resumeConsumer(consumer)),
    )
}

/** Changes a consumer and says how it is now. */
function changed(
  name: string,
  consumer: string,
  flags: Flags,
  change: (stream: BrokerStream) => Promise<void>,
): Promise<void> {
  return inDirectory(flags, async (broker) => {
    const stream = await findStream(broker, name)
    await findConsumer(stream, consumer)
    await change(stream)
    const status = await findConsumer(stream, consumer)
    print(
      flags.json === true
        ? toJsonText(status)
        : `Consumer ${consumer} of stream ${name} is ${stateOf(status)}\n`,
    )
  })
}

function topicsOf({ topics }: ConsumerStatus): string {
  return topics.length === 0 ? '>' : topics.join(', ')
}

function stateOf({ isPaused, stalledBy }: ConsumerStatus): string {
  if (isPaused) return 'paused'
  return stalledBy === undefined ? 'active' : `stalled by key ${stalledBy}`
}
