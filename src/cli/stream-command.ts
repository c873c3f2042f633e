// `fanfare stream`: makes, shows, changes and removes streams.
import { Command } from 'commander'
import { FanfareError } from '../base/index.js'
import type { Broker, BrokerStream, StreamInfo, StreamOptions } from '../broker/index.js'
import { confirm, withForceOption, type ForceFlag } from './confirmation.js'
import {
  inDirectory,
  inNewDirectory,
  withDirectoryOptions,
  withJsonOption,
  type DirectoryFlags,
} from './directory-options.js'
import { findStream } from './find-by-name.js'
import { toWholeNumber } from './numbers.js'
import { toOneLine } from './one-line-error.js'
import { counted, print, toDurationText, toFieldLines, toJsonText, toTable } from './output.js'
import { streamGetCommand, streamReadCommand } from './stream-message-commands.js'
import {
  toStreamChanges,
  withStreamSettings,
  type StreamSettingsFlags,
} from './stream-settings-flags.js'

interface Flags extends DirectoryFlags {
  readonly json?: boolean
}

interface PurgeFlags extends Flags, ForceFlag {
  readonly topic?: string
  readonly before?: number
  readonly keep?: number
}

export function streamCommand(): Command {
  const group = new Command('stream').description(
    'the streams of a data directory: make, show, change, read, remove',
  )
  const commands = [
    listCommand(),
    infoCommand(),
    addCommand(),
    editCommand(),
    topicsCommand(),
    streamGetCommand(),
    streamReadCommand(),
    purgeCommand(),
    removeCommand(),
  ]
  for (const command of commands) group.addCommand(withDirectoryOptions(command))
  return group
}

function listCommand(): Command {
  return withJsonOption(new Command('ls').alias('list'))
    .description('list the streams')
    .action((flags: Flags) => inDirectory(flags, (broker) => list(broker, flags)))
}

async function list(broker: Broker, flags: Flags): Promise<void> {
  const streams = await broker.streams()
  const infos = await Promise.all(streams.map((stream) => stream.info()))
  if (flags.json === true) return print(toJsonText(infos.map(toPlain)))
  const rows = infos.map((info) => [
    info.name,
    topicsOf(info.options),
    info.messages,
    info.bytes,
    info.lastSequence,
    info.consumers,
    info.lastTime,
  ])
  const headings = [
    'NAME',
    'TOPICS',
    'MESSAGES',
    'BYTES',
    'LAST SEQUENCE',
    'CONSUMERS',
    'LAST TIME',
  ]
  print(toTable(headings, rows))
}

function infoCommand(): Command {
  return withJsonOption(new Command('info').alias('show'))
    .description('show one stream')
    .argument('<stream>')
    .action((name: string, flags: Flags) =>
      inDirectory(flags, async (broker) => printInfo(await findStream(broker, name), flags)),
    )
}

async function printInfo(stream: BrokerStream, flags: Flags): Promise<void> {
  const info = await stream.info()
  print(flags.json === true ? toJsonText(toPlain(info)) : toFieldLines(fieldsOf(info)))
}

function fieldsOf(info: StreamInfo): [string, string | number | Date | undefined][] {
  const { options } = info
  return [
    ['name', info.name],
    ['description', options.description],
    ['topics', topicsOf(options)],
    ['durability', options.durability],
    ['retention', options.retention],
    ['discard', options.discard],
    ['discard per topic', options.discardPerTopic],
    ['max age', toDurationText(options.maxAge)],
    ['max messages', options.maxMessages],
    ['max bytes', options.maxBytes],
    ['max messages per topic', options.maxMessagesPerTopic],
    ['max message bytes', options.maxMessageBytes],
    ['max consumers', options.maxConsumers],
    ['duplicate window', toDurationText(options.duplicateWindow)],
    ['messages', info.messages],
    ['bytes', info.bytes],
    ['first sequence', info.firstSequence],
    ['last sequence', info.lastSequence],
    ['first time', info.firstTime],
    ['last time', info.lastTime],
    ['removed between', info.removed],
    ['topics with messages', info.topics],
    ['consumers', info.consumers],
    ['frozen', info.frozen === undefined ? undefined : toOneLine(info.frozen)],
  ]
}

function addCommand(): Command {
  return withStreamSettings(withJsonOption(new Command('add').alias('create')))
    .description('make a stream, and the directory if it is not there; one made alike is fine')
    .argument('<stream>')
    .argument('<topics...>', 'what it captures: topics or patterns; quote > and *')
    .action((name: string, topics: string[], flags: Flags & StreamSettingsFlags) =>
      inNewDirectory(flags, async (broker) => {
        const options = toStreamChanges(topics, flags) as StreamOptions
        await printInfo(await broker.stream(name, options), flags)
      }),
    )
}

function editCommand(): Command {
  return withStreamSettings(withJsonOption(new Command('edit').alias('update')))
    .description('change a stream; what is not named stays')
    .argument('<stream>')
    .argument('[topics...]', 'what it captures from now on')
    .action((name: string, topics: string[], flags: Flags & StreamSettingsFlags) =>
      inDirectory(flags, async (broker) => {
        const stream = await findStream(broker, name)
        const changes = toStreamChanges(topics, flags)
        if (Object.keys(changes).length === 0) {
          throw new FanfareError('OPTION_INVALID', 'say what to change: topics or options')
        }
        await stream.update(changes)
        await printInfo(stream, flags)
      }),
    )
}

function topicsCommand(): Command {
  return withJsonOption(new Command('topics').alias('subjects'))
    .description('list the topics that have messages')
    .argument('<stream>')
    .argument('[pattern]', 'only those that it matches')
    .action((name: string, pattern: string | undefined, flags: Flags) =>
      inDirectory(flags, async (broker) => {
        const stream = await findStream(broker, name)
        const topics = await stream.topics(pattern)
        if (flags.json === true) return print(toJsonText(topics))
        const rows = topics.map((each) => [
          each.topic,
          each.messages,
          each.firstSequence,
          each.lastSequence,
        ])
        print(toTable(['TOPIC', 'MESSAGES', 'FIRST SEQUENCE', 'LAST SEQUENCE'], rows))
      }),
    )
}

function purgeCommand(): Command {
  return withForceOption(withJsonOption(new Command('purge')))
    .description('remove messages for good, by default all; the stream stays')
    .argument('<stream>')
    .option('--topic <pattern>', 'only of these topics')
    .option('--before <sequence>', 'only below this sequence', toWholeNumber('--before', 1))
    .option('--keep <count>', 'leave so many of the newest', toWholeNumber('--keep', 0))
    .action((name: string, flags: PurgeFlags) =>
      inDirectory(flags, (broker) => purge(broker, name, flags)),
    )
}

async function purge(broker: Broker, name: string, flags: PurgeFlags): Promise<void> {
  const stream = await findStream(broker, name)
  const { topic, before, keep } = flags
  const isPart = topic !== undefined || before !== undefined || keep !== undefined
  const { messages } = await stream.info()
  const what = isPart ? 'some of the' : messages === 1 ? 'the' : 'all'
  if (!(await confirm(`Remove ${what} ${counted(messages, 'message')} of stream ${name}`, flags))) {
    return
  }
  const removed = await stream.purge({
    ...(topic === undefined ? {} : { topic }),
    ...(before === undefined ? {} : { before }),
    ...(keep === undefined ? {} : { keep }),
  })
  print(
    flags.json === true
      ? toJsonText({ stream: name, removed })
      : `Removed ${counted(removed, 'message')} of stream ${name}\n`,
  )
}

function removeCommand(): Command {
  return withForceOption(withJsonOption(new Command('rm').alias('delete')))
    .description('remove a stream, its messages and its consumers for good')
    .argument('<stream>')
    .action((name: string, flags: Flags & ForceFlag) =>
      inDirectory(flags, async (broker) => {
        const stream = await findStream(broker, name)
        const { messages, consumers } = await stream.info()
        const content = `${counted(messages, 'message')} and ${counted(consumers, 'consumer')}`
        if (!(await confirm(`Remove stream ${name} with ${content}`, flags))) return
        await stream.delete()
        print(
          flags.json === true
            ? toJsonText({ stream: name, isRemoved: true })
            : `Removed stream ${name}\n`,
        )
      }),
    )
}

/** What JSON cannot say of it: an error has no fields of its own. */
function toPlain({ frozen, ...info }: StreamInfo): object {
  return { ...info, ...(frozen === undefined ? {} : { frozen: toOneLine(frozen) }) }
}

function topicsOf({ topics }: StreamOptions): string {
  return (topics as readonly string[]).join(', ')
}
