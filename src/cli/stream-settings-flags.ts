// The options of a stream as flags, for `stream add` and `stream edit`.
import { Option, type Command } from 'commander'
import type { StreamChanges } from '../broker/index.js'
import { toBytes, toCount, toMs } from './numbers.js'

type OptionFlags = Omit<StreamChanges, 'topics' | 'metadata'>

export type StreamSettingsFlags = { -readonly [Name in keyof OptionFlags]: OptionFlags[Name] }

const NAMES = [
  'durability',
  'maxAge',
  'maxMessages',
  'maxBytes',
  'maxMessagesPerTopic',
  'maxMessageBytes',
  'maxConsumers',
  'discard',
  'discardPerTopic',
  'retention',
  'duplicateWindow',
  'description',
] as const satisfies readonly (keyof OptionFlags)[]

export function withStreamSettings(command: Command): Command {
  return command
    .addOption(
      new Option('--durability <level>', 'how safe a message is when its receipt comes').choices([
        'fsync',
        'os',
        'memory',
      ]),
    )
    .option('--max-age <duration>', 'messages leave at this age, such as 7d', toMs('--max-age'))
    .option('--max-messages <count>', 'most messages', toCount('--max-messages'))
    .option('--max-bytes <size>', 'most bytes, such as 10GB', toBytes('--max-bytes'))
    .option(
      '--max-messages-per-topic <count>',
      'most messages of a topic',
      toCount('--max-messages-per-topic'),
    )
    .option('--max-message-bytes <size>', 'largest message', toBytes('--max-message-bytes'))
    .option('--max-consumers <count>', 'most consumers', toCount('--max-consumers'))
    .addOption(
      new Option(
        '--discard <which>',
        'what a full stream does: remove the oldest, refuse the new',
      ).choices(['old', 'new']),
    )
    .addOption(
      new Option('--discard-per-topic <which>', 'the same for a full topic').choices([
        'old',
        'new',
      ]),
    )
    .addOption(
      new Option('--retention <policy>', 'when messages leave besides the limits').choices([
        'limits',
        'interest',
        'work-queue',
      ]),
    )
    .option(
      '--duplicate-window <duration>',
      'how long an id is remembered',
      toMs('--duplicate-window'),
    )
    .option('--description <text>', 'what it is for')
}

/** What was given, and the topics where there are any. */
export function toStreamChanges(
  topics: readonly string[],
  flags: StreamSettingsFlags,
): StreamChanges {
  const given = NAMES.filter((name) => flags[name] !== undefined)
  const changes = Object.fromEntries(given.map((name) => [name, flags[name]]))
  return topics.length === 0 ? changes : { ...changes, topics }
}
