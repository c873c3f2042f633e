// `fanfare dead-letter`: looks at messages that were given up, hands them out again, or discards them.
import { Command, Option } from 'commander'
import { FanfareError } from '../base/index.js'
import type { Broker, DeadLetter, DeadLetterQuery } from '../broker/index.js'
import { confirm, withForceOption, type ForceFlag } from './confirmation.js'
import {
  inDirectory,
  withDirectoryOptions,
  withJsonOption,
  type DirectoryFlags,
} from './directory-options.js'
import { findStream } from './find-by-name.js'
import { toContent, toContentText } from './message-format.js'
import { toCount, toWholeNumber } from './numbers.js'
import { counted, print, toFieldLines, toJsonText, toTable } from './output.js'

interface Flags extends DirectoryFlags {
  readonly json?: boolean
}

interface FilterFlags extends Flags {
  readonly consumer?: string
  readonly topic?: string
  readonly key?: string
  readonly reason?: DeadLetter['reason']
  readonly sequence?: readonly number[]
  readonly limit?: number
}

const REASONS: readonly DeadLetter['reason'][] = [
  'attempts-exhausted',
  'rejected',
  'expired',
  'undecodable',
  'parked',
]

const LONGEST_ERROR = 60

export function deadLetterCommand(): Command {
  const group = new Command('dead-letter').description(
    'messages that were given up: look at them, hand them out again, discard them',
  )
  const commands = [listCommand(), showCommand(), redriveCommand(), discardCommand()]
  for (const command of commands) group.addCommand(withDirectoryOptions(command))
  return group
}

function withFilters(command: Command): Command {
  return command
    .argument('<stream>', 'the stream that the messages were published to')
    .option('--consumer <name>', 'given up by this consumer')
    .option('--topic <pattern>', 'of these topics')
    .option('--key <key>', 'of this key')
    .addOption(new Option('--reason <reason>', 'given up for this reason').choices(REASONS))
    .option('--sequence <sequences>', 'of these numbers, as ls shows them: 1,2,5', toSequences)
    .option('--limit <count>', 'at most so many, the oldest first', toCount('--limit'))
}

function listCommand(): Command {
  return withFilters(withJsonOption(new Command('ls').alias('list')))
    .description('list dead letters, the oldest first')
    .action((name: string, flags: FilterFlags) =>
      inDirectory(flags, (broker) => list(broker, name, flags)),
    )
}

async function list(broker: Broker, name: string, flags: FilterFlags): Promise<void> {
  const { deadLetters } = await findStream(broker, name)
  const letters = await deadLetters.list(toQuery(flags))
  if (flags.json === true) return print(toJsonText(letters.map(toPlain)))
  const rows = letters.map((letter) => [
    letter.sequence,
    letter.time,
    letter.reason,
    letter.consumer,
    letter.message.topic,
    letter.message.key,
    letter.originalSequence,
    letter.attempts,
    shorten(letter.error),
  ])
  const place = ['SEQUENCE', 'TIME', 'REASON', 'CONSUMER', 'TOPIC', 'KEY']
  print(toTable([...place, 'ORIGINAL', 'ATTEMPTS', 'ERROR'], rows))
}

function showCommand(): Command {
  return withJsonOption(new Command('show').alias('info'))
    .description('show one dead letter with its message')
    .argument('<stream>', 'the stream that the message was published to')
    .argument('<sequence>', 'its number, as ls shows it', toWholeNumber('the sequence', 1))
    .action((name: string, sequence: number, flags: Flags) =>
      inDirectory(flags, async (broker) => {
        const { deadLetters } = await findStream(broker, name)
        const letter = await deadLetters.get(sequence)
        if (letter === undefined) {
          throw new FanfareError(
            'OPTION_INVALID',
            `stream ${name} has no dead letter ${sequence}; 'fanfare dead-letter ls ${name}' lists them`,
          )
        }
        print(flags.json === true ? toJsonText(toPlain(letter)) : toText(letter))
      }),
    )
}

function toText(letter: DeadLetter): string {
  const fields = toFieldLines([
    ['sequence', letter.sequence],
    ['time', letter.time],
    ['reason', letter.reason],
    ['error', letter.error === '' ? undefined : letter.error],
    ['attempts', letter.attempts],
    ['consumer', letter.consumer],
    ['stream', letter.stream],
    ['original sequence', letter.originalSequence],
    ['original time', letter.originalTime],
    ['topic', letter.message.topic],
    ['key', letter.message.key],
  ])
  return `${fields}\n${toContentText(letter.message, false)}`
}

function redriveCommand(): Command {
  return withFilters(withJsonOption(new Command('redrive').alias('retry')))
    .description(
      'hand dead letters out again, in their order, to the consumers that gave them up; by default all',
    )
    .action((name: string, flags: FilterFlags) =>
      inDirectory(flags, async (broker) => {
        const { deadLetters } = await findStream(broker, name)
        const redriven = await deadLetters.redrive(toQuery(flags))
        print(
          flags.json === true
            ? toJsonText({ stream: name, redriven })
            : `${counted(redriven, 'dead letter')} of stream ${name} will be handed out again\n`,
        )
      }),
    )
}

function discardCommand(): Command {
  return withForceOption(withFilters(withJsonOption(new Command('discard'))))
    .description('remove dead letters for good; by default all')
    .action((name: string, flags: FilterFlags & ForceFlag) =>
      inDirectory(flags, (broker) => discard(broker, name, flags)),
    )
}

async function discard(
  broker: Broker,
  name: string,
  flags: FilterFlags & ForceFlag,
): Promise<void> {
  const { deadLetters } = await findStream(broker, name)
  const letters = await deadLetters.list(toQuery(flags))
  const what = `Discard ${counted(letters.length, 'dead letter')} of stream ${name}`
  if (!(await confirm(what, flags))) return
  // Those that were counted: no others may have come in between, and none may be discarded unseen.
  const discarded = await deadLetters.discard({
    sequences: letters.map(({ sequence }) => sequence),
  })
  print(
    flags.json === true
      ? toJsonText({ stream: name, discarded })
      : `Discarded ${counted(discarded, 'dead letter')} of stream ${name}\n`,
  )
}

function toQuery({ consumer, topic, key, reason, sequence, limit }: FilterFlags): DeadLetterQuery {
  return {
    ...(consumer === undefined ? {} : { consumer }),
    ...(topic === undefined ? {} : { topic }),
    ...(key === undefined ? {} : { key }),
    ...(reason === undefined ? {} : { reason }),
    ...(sequence === undefined ? {} : { sequences: sequence }),
    ...(limit === undefined ? {} : { limit }),
  }
}

function toSequences(text: string, previous: readonly number[] = []): readonly number[] {
  return [...previous, ...text.split(',').map(toWholeNumber('--sequence', 1))]
}

function toPlain({ message, ...letter }: DeadLetter): object {
  const { topic, key } = message
  return { ...letter, topic, ...(key === undefined ? {} : { key }), ...toContent(message, false) }
}

function shorten(text: string): string {
  return text.length > LONGEST_ERROR ? `${text.slice(0, LONGEST_ERROR - 1)}…` : text
}
