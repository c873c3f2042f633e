// What every command that talks to a server takes, under the names and variables of the `nats` command.
import { Option, type Command } from 'commander'
import { textCodec, openBroker, type Broker } from '../broker/index.js'

export interface ClientFlags {
  readonly server: string
  readonly user?: string
  readonly password?: string
  readonly token?: string
  readonly connectionName?: string
}

export function withClientOptions(command: Command): Command {
  return command
    .addOption(
      new Option('-s, --server <urls>', 'server, or several with commas between')
        .env('NATS_URL')
        .default('nats://127.0.0.1:4222'),
    )
    .addOption(
      new Option('--user <user>', 'user, or token when no password is given').env('NATS_USER'),
    )
    .addOption(new Option('--password <password>', 'password').env('NATS_PASSWORD'))
    .addOption(new Option('--token <token>', 'token').env('NATS_TOKEN'))
    .addOption(new Option('--connection-name <name>', 'name shown by the server'))
}

/** Connects; bodies are text, as typed and printed. */
export function connect(flags: ClientFlags): Promise<Broker> {
  const isToken = flags.user !== undefined && flags.password === undefined
  const token = flags.token ?? (isToken ? flags.user : undefined)
  return openBroker({
    url: flags.server.split(',').map(toUrl),
    codec: textCodec,
    connection: {
      name: flags.connectionName ?? 'fanfare command line',
      ...(flags.user === undefined || isToken ? {} : { user: flags.user }),
      ...(flags.password === undefined ? {} : { password: flags.password }),
      ...(token === undefined ? {} : { token }),
    },
  })
}

function toUrl(text: string): string {
  const trimmed = text.trim()
  return /^[a-z]+:\/\//i.test(trimmed) ? trimmed : `nats://${trimmed}`
}

/** Collects `-H Name:value`, which may be given several times. */
export function collectHeaders(
  text: string,
  previous: readonly (readonly [string, string])[] = [],
): readonly (readonly [string, string])[] {
  const colon = text.indexOf(':')
  const name = colon < 0 ? text : text.slice(0, colon)
  return [...previous, [name.trim(), colon < 0 ? '' : text.slice(colon + 1).trim()]]
}

/** Collects an option that may be given several times. */
export function collect(text: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, text]
}

/** Aborted by SIGINT and SIGTERM: the command ends in order. */
export function untilInterrupted(): AbortController {
  const controller = new AbortController()
  const stop = (): void => controller.abort()
  process.once('SIGINT', stop).once('SIGTERM', stop)
  return controller
}

export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
