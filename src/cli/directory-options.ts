// What every command on a data directory takes, and how it opens the directory: inside this process, so that nobody else has
// it meanwhile (DIRECTORY_LOCKED says who does).
import { join } from 'node:path'
import { Option, type Command } from 'commander'
import { FanfareError } from '../base/index.js'
import { openBroker, textCodec, type Broker, type BrokerEvent } from '../broker/index.js'
import { ROOT_FILE } from '../log/index.js'
import { toEventLine } from './engine-event-line.js'
import { isThere } from './files.js'

export interface DirectoryFlags {
  readonly directory?: string
  readonly server?: string
}

export function withDirectoryOptions(command: Command): Command {
  return command
    .addOption(new Option('--directory <directory>', 'data directory').env('FANFARE_DIRECTORY'))
    .addOption(new Option('-s, --server <urls>', 'not supported yet: give --directory'))
}

/** `--json`, for the commands that print what they found. */
export function withJsonOption(command: Command): Command {
  return command.option('-j, --json', 'print JSON')
}

/** The flags of the place, without a server that nobody named. */
export function onlyGiven({ directory, server }: DirectoryFlags, command: Command): DirectoryFlags {
  return {
    ...(directory === undefined ? {} : { directory }),
    ...(server !== undefined && command.getOptionValueSource('server') === 'cli' ? { server } : {}),
  }
}

/** Runs `work` on the broker of an existing data directory, and closes it. */
export async function inDirectory(
  flags: DirectoryFlags,
  work: (broker: Broker) => Promise<void>,
): Promise<void> {
  const directory = directoryOf(flags)
  if (!isThere(join(directory, ROOT_FILE))) {
    throw new FanfareError(
      'OPTION_INVALID',
      `${directory} is no data directory; 'fanfare stream add' and 'fanfare serve -js -sd' make one`,
      { details: { directory } },
    )
  }
  await inNewDirectory(flags, work)
}

/** The same, for commands that make the directory when it is not there. */
export async function inNewDirectory(
  flags: DirectoryFlags,
  work: (broker: Broker) => Promise<void>,
): Promise<void> {
  const broker = await openBroker({
    directory: directoryOf(flags),
    // Bodies are text, as typed and printed.
    codec: textCodec,
    onEvent: printEvent,
  })
  try {
    await work(broker)
  } finally {
    await broker.close()
  }
}

/** Throws UNSUPPORTED for a server, OPTION_INVALID when no directory is given. */
function directoryOf({ directory, server }: DirectoryFlags): string {
  if (server !== undefined) {
    throw new FanfareError(
      'UNSUPPORTED',
      'streams cannot be reached through a server yet; stop it and give its data directory: --directory',
      { details: { server } },
    )
  }
  if (directory !== undefined && directory !== '') return directory
  throw new FanfareError(
    'OPTION_INVALID',
    'say where the streams are: --directory, or FANFARE_DIRECTORY in the environment',
  )
}

function printEvent(event: BrokerEvent): void {
  switch (event.type) {
    case 'handler-failed':
    case 'filter-failed':
    case 'message-invalid':
    case 'messages-dropped':
    case 'message-rejected':
    case 'emit-failed':
    case 'hand-out-expired':
    case 'subscription-ended':
      return
    default: {
      const line = toEventLine(event)
      if (line !== undefined) process.stderr.write(`fanfare: ${line.text}\n`)
    }
  }
}
