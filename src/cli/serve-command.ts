// `fanfare serve`: reads flags and configuration, starts the server, and obeys the process's signals until it has stopped:
//
//   SIGTERM, SIGINT   send what waits, close, exit 0
//   SIGUSR2           lame duck mode, then exit 0
//   SIGHUP            reload the configuration file; a faulty one changes nothing
import { Command, Option } from 'commander'
import { FanfareError } from '../base/index.js'
import { startServer, type Server, type ServerOptions } from '../server/index.js'
import { readConfiguration, type Configuration } from './configuration/index.js'
import { readTextFile, writePidFile, writePortsFile } from './files.js'
import { toOneLine } from './one-line-error.js'
import { openServerEngine } from './server-engine.js'
import { createServerLog, type ServerLog } from './server-log.js'
import { sendSignal } from './signal-command.js'

interface ServeFlags {
  readonly addr?: string
  readonly port?: number
  readonly name?: string
  readonly http_port?: number
  readonly config?: string
  readonly check?: boolean
  readonly jetstream?: boolean
  readonly store_dir?: string
  readonly pid?: string
  readonly ports_file_dir?: string
  readonly log?: string
  readonly logtime?: boolean
  readonly debug?: boolean
  readonly trace?: boolean
  readonly debug_and_trace?: boolean
  readonly user?: string
  readonly pass?: string
  readonly auth?: string
  readonly client_advertise?: string
  readonly max_connections?: number
  readonly max_payload?: number
  readonly signal?: string
}

export function serveCommand(): Command {
  return new Command('serve')
    .description('run the broker; takes the flags of nats-server, with one dash or two')
    .option('--addr <host>', 'address to listen on (-a; default 0.0.0.0)')
    .option(
      '--port <port>',
      'port for clients, -1 for a free one (-p; default 4222)',
      toNumber('--port'),
    )
    .option('--name <name>', 'server name (-n)')
    .option('--http_port <port>', 'port for HTTP monitoring (-m)', toNumber('--http_port'))
    .option('--config <file>', 'configuration file in nats-server syntax (-c)')
    .option('--check', 'check the configuration and exit (-t)')
    .option(
      '--jetstream',
      'store what is published to topics of the streams in the store directory (-js); streams are made by `fanfare stream add`, not yet by clients',
    )
    .option('--store_dir <directory>', 'where the streams are, with --jetstream (-sd)')
    .option('--user <user>', 'user that clients must give')
    .option('--pass <password>', 'password that clients must give')
    .option('--auth <token>', 'token that clients must give')
    .option('--client_advertise <host:port>', 'address announced to clients')
    .option('--max_connections <count>', 'most connections at once', toNumber('--max_connections'))
    .option('--max_payload <bytes>', 'largest payload', toNumber('--max_payload'))
    .option('--pid <file>', 'write the process id to a file (-P)')
    .option('--ports_file_dir <directory>', 'write the ports listened on to a file there')
    .option('--log <file>', 'log to a file instead of standard error (-l)')
    .option('--logtime', 'put the time on log lines (-T; on by default)')
    .option('--debug', 'log connections coming and going (-D)')
    .option('--trace', 'accepted as --debug (-V)')
    .addOption(new Option('--debug_and_trace', 'both (-DV)').hideHelp())
    .option('--signal <signal[=pid]>', 'tell a running server: stop, quit, reload or ldm (-sl)')
    .action(async (flags: ServeFlags) => {
      if (flags.signal === undefined) await serve(flags)
      else sendSignal(flags.signal, flags.pid)
    })
}

async function serve(flags: ServeFlags): Promise<void> {
  const configuration = readAll(flags)
  if (flags.check === true) {
    for (const { file, line, message } of configuration.warnings) {
      process.stderr.write(`fanfare: warning: ${file}:${line}: ${message}\n`)
    }
    process.stderr.write(`fanfare: configuration file ${flags.config ?? ''} is valid\n`)
    return
  }
  const log = openLog(flags, configuration)
  log('info', 'Starting fanfare')
  for (const { file, line, message } of configuration.warnings) {
    log('warn', `${file}:${line}: ${message}`)
  }
  // Before the directory is locked and the port open: whoever sees it may send a signal at once.
  const signals = catchSignals()
  const engine = await openServerEngine(configuration.storage, log)
  try {
    const server = await startServer(configuration.server, { engine, log })
    await run(server, signals, configuration, flags, log)
  } finally {
    await engine.close()
  }
}

/** Resolves when the server has stopped. */
async function run(
  server: Server,
  signals: CaughtSignals,
  configuration: Configuration,
  flags: ServeFlags,
  log: ServerLog,
): Promise<void> {
  const removers: (() => void)[] = []
  try {
    writeFiles(server, configuration, removers)
    log('info', 'Server is ready')
    await untilStopped(signals, server, flags, log)
  } finally {
    for (const remove of removers) remove()
    // Already stopped after a signal; still listening when a file could not be written.
    await server.stop()
  }
}

/** The configuration file, if any, with the flags laid over it. */
function readAll(flags: ServeFlags): Configuration {
  const file =
    flags.config === undefined
      ? { server: {}, process: {}, storage: {}, warnings: [] }
      : readConfiguration({
          path: flags.config,
          readFile: readTextFile,
          environment: process.env,
        })
  return {
    server: { ...file.server, ...serverFlags(flags, file.server) },
    process: {
      ...file.process,
      ...(flags.pid === undefined ? {} : { pidFile: flags.pid }),
      ...(flags.ports_file_dir === undefined ? {} : { portsFileDirectory: flags.ports_file_dir }),
      ...(flags.log === undefined ? {} : { logFile: flags.log }),
    },
    storage: {
      ...file.storage,
      ...(flags.jetstream === undefined ? {} : { isEnabled: flags.jetstream }),
      ...(flags.store_dir === undefined ? {} : { directory: flags.store_dir }),
    },
    warnings: file.warnings,
  }
}

function serverFlags(flags: ServeFlags, file: ServerOptions): ServerOptions {
  const hasCredentials = flags.user !== undefined || flags.auth !== undefined
  if (flags.user === undefined && flags.pass !== undefined) {
    throw new FanfareError('OPTION_INVALID', '--pass needs --user')
  }
  return {
    ...(flags.addr === undefined ? {} : { host: flags.addr }),
    ...(flags.port === undefined ? {} : { port: flags.port }),
    ...(flags.name === undefined ? {} : { serverName: flags.name }),
    ...(flags.http_port === undefined ? {} : { httpPort: flags.http_port }),
    ...(flags.client_advertise === undefined ? {} : { clientAdvertise: flags.client_advertise }),
    ...(flags.max_connections === undefined ? {} : { maxConnections: flags.max_connections }),
    ...(flags.max_payload === undefined ? {} : { maxPayloadBytes: flags.max_payload }),
    ...(hasCredentials
      ? {
          authorization: {
            ...file.authorization,
            ...(flags.user === undefined ? {} : { user: flags.user, password: flags.pass ?? '' }),
            ...(flags.auth === undefined ? {} : { token: flags.auth }),
          },
        }
      : {}),
  }
}

function openLog(flags: ServeFlags, { process: settings }: Configuration): ServerLog {
  return createServerLog({
    debug:
      flags.debug === true ||
      flags.trace === true ||
      flags.debug_and_trace === true ||
      settings.debug === true ||
      settings.trace === true,
    showTime: settings.logTime ?? true,
    file: settings.logFile,
  })
}

/** Adds to `removers` as it writes, so that what was written before a failure is removed too. */
function writeFiles(
  server: Server,
  { process: settings }: Configuration,
  removers: (() => void)[],
): void {
  const host = server.options.host === '0.0.0.0' ? '127.0.0.1' : server.options.host
  const httpHost = server.options.httpHost === '0.0.0.0' ? '127.0.0.1' : server.options.httpHost
  if (settings.pidFile !== undefined) removers.push(writePidFile(settings.pidFile))
  if (settings.portsFileDirectory !== undefined) {
    removers.push(
      writePortsFile(settings.portsFileDirectory, {
        nats: [`nats://${host}:${server.port}`],
        ...(server.httpPort === undefined
          ? {}
          : { monitoring: [`http://${httpHost}:${server.httpPort}`] }),
      }),
    )
  }
}

type Signal = 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGUSR1' | 'SIGUSR2'

const SIGNALS: readonly Signal[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']

/** Signals that came before the server was there, and who takes those that come. */
interface CaughtSignals {
  readonly early: Signal[]
  obey: ((signal: Signal) => void) | undefined
}

function catchSignals(): CaughtSignals {
  const signals: CaughtSignals = { early: [], obey: undefined }
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (signals.obey === undefined) signals.early.push(signal)
      else signals.obey(signal)
    })
  }
  return signals
}

/** Obeys signals; resolves when one of them has ended the server. A repeated one finds the same end under way. */
function untilStopped(
  signals: CaughtSignals,
  server: Server,
  flags: ServeFlags,
  log: ServerLog,
): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => void server.stop().then(resolve)
    const actions: Readonly<Record<Signal, () => void>> = {
      SIGTERM: stop,
      SIGINT: stop,
      SIGHUP: () => void reloadConfiguration(server, flags, log),
      // Log files are opened for each line, so there is nothing to reopen.
      SIGUSR1: () => log('info', 'Log file reopened'),
      SIGUSR2: () => void server.enterLameDuck().then(resolve),
    }
    signals.obey = (signal) => actions[signal]()
    for (const signal of signals.early) actions[signal]()
  })
}

async function reloadConfiguration(
  server: Server,
  flags: ServeFlags,
  log: ServerLog,
): Promise<void> {
  try {
    await server.reload(readAll(flags).server)
  } catch (error) {
    log('error', `Failed to reload server configuration: ${toOneLine(error)}`)
  }
}

function toNumber(option: string): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isInteger(value)) {
      throw new FanfareError('OPTION_INVALID', `${option} must be a whole number, not ${text}`)
    }
    return value
  }
}
