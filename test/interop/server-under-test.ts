// Launches the servers that the interop tests talk to: Fanfare's built server and the real nats-server, in child
// processes, by the same flags. A test never learns which of the two it is talking to.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, it } from 'vitest'

const readyBoundMs = 10_000
const stopBoundMs = 5_000
const fanfareProgram = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** One of the programs that the suites are run against. */
export interface ServerKind {
  readonly name: 'fanfare' | 'nats-server'
  readonly command: string
  readonly leadingArguments: readonly string[]
  /** Why this kind cannot be launched; 'fail' reasons fail the run, 'skip' reasons are shown as a skipped test. */
  readonly missing?: { readonly then: 'fail' | 'skip'; readonly reason: string }
}

export interface LaunchOptions {
  /** The text of a nats configuration file. Addresses and ports stay with the launcher. */
  readonly configuration?: string
  readonly flags?: readonly string[]
  /** A fixed client port; by default the server chooses a free one. */
  readonly port?: number
}

export interface RunningServer {
  readonly kind: ServerKind
  readonly process: ChildProcess
  readonly url: string
  readonly host: string
  readonly port: number
  readonly monitorUrl: string
  /** Resolves with the exit code (or the name of the signal) when the process has ended. */
  readonly exited: Promise<number | string>
  /** Everything the server has printed so far. */
  logs(): string
  /** Resolves when the server has printed the text, at once when it already has. */
  logged(text: string): Promise<void>
  /** Replaces the configuration file; the server sees it after SIGHUP. */
  writeConfiguration(configuration: string): Promise<void>
  signal(name: NodeJS.Signals): void
  /** SIGTERM, then SIGKILL after a bound. Idempotent. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** The kinds asked for by FANFARE_INTEROP ('fanfare', 'nats-server'), or both. */
export function serversUnderTest(): readonly ServerKind[] {
  const wanted = process.env.FANFARE_INTEROP
  return [fanfare(), natsServer()].filter((kind) => wanted === undefined || wanted === kind.name)
}

/** Declares the same suite once for each server; a server that is missing is a failing or a loudly skipped test. */
export function describeEachServer(title: string, suite: (kind: ServerKind) => void): void {
  for (const kind of serversUnderTest()) {
    describe(`${title} [${kind.name}]`, () => {
      if (kind.missing === undefined) return suite(kind)
      const { then, reason } = kind.missing
      if (then === 'skip') return it.skip(reason)
      it(`finds ${kind.name}`, () => {
        throw new Error(reason)
      })
    })
  }
}

/** The full path of a program on the PATH. */
export function findProgram(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find(isExecutable)
}

export async function launch(
  kind: ServerKind,
  options: LaunchOptions = {},
): Promise<RunningServer> {
  const directory = mkdtempSync(join(tmpdir(), 'fanfare-interop-'))
  const configurationFile = join(directory, 'server.conf')
  if (options.configuration !== undefined) await writeFile(configurationFile, options.configuration)

  const child = spawn(
    kind.command,
    [
      ...kind.leadingArguments,
      ...(options.configuration === undefined ? [] : ['-c', configurationFile]),
      ...['-a', '127.0.0.1', '-p', String(options.port ?? -1), '-m', '-1'],
      ...['--ports_file_dir', directory],
      ...(options.flags ?? []),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const killWithParent = () => void child.kill('SIGKILL')
  process.once('exit', killWithParent)

  let printed = ''
  const waiting = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      printed += text
      for (const look of [...waiting]) look()
    })
  }
  const exited = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      process.off('exit', killWithParent)
      resolve(code ?? signal ?? 'unknown')
      for (const look of [...waiting]) look()
    })
  })
  exited.catch(() => undefined)

  const isOver = () => child.exitCode !== null || child.signalCode !== null
  const logged = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const settle = (outcome: () => void) => {
        clearTimeout(timer)
        waiting.delete(look)
        outcome()
      }
      const explain = (what: string) =>
        reject(new Error(`${kind.name} ${what} '${text}' was printed:\n${printed}`))
      const look = () => {
        if (printed.includes(text)) settle(resolve)
        else if (isOver()) settle(() => explain('ended before'))
      }
      const timer = setTimeout(
        () => settle(() => explain(`ran ${readyBoundMs} ms and`)),
        readyBoundMs,
      )
      waiting.add(look)
      child.once('error', (error) => settle(() => reject(error)))
      look()
    })

  const stop = async () => {
    if (!isOver() && child.pid !== undefined) {
      child.kill('SIGTERM')
      const timer = setTimeout(killWithParent, stopBoundMs)
      await exited.finally(() => clearTimeout(timer))
    }
    await rm(directory, { recursive: true, force: true })
  }

  try {
    await logged('Server is ready')
    const ports = await readPortsFile(directory)
    const { hostname, port } = new URL(ports.nats[0]!)
    return {
      kind,
      process: child,
      url: `nats://${hostname}:${port}`,
      host: hostname,
      port: Number(port),
      monitorUrl: ports.monitoring[0]!,
      exited,
      logs: () => printed,
      logged,
      writeConfiguration: (configuration) => writeFile(configurationFile, configuration),
      signal: (name) => void child.kill(name),
      stop,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

interface PortsFile {
  readonly nats: readonly string[]
  readonly monitoring: readonly string[]
}

/** The ports file is written about when the ready line is printed, in either order, and not atomically. */
async function readPortsFile(directory: string): Promise<PortsFile> {
  const giveUpAtMs = Date.now() + readyBoundMs
  for (;;) {
    const name = readdirSync(directory).find((entry) => entry.endsWith('.ports'))
    if (name !== undefined) {
      try {
        return JSON.parse(readFileSync(join(directory, name), 'utf8')) as PortsFile
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error
      }
    }
    if (Date.now() > giveUpAtMs) throw new Error(`no complete *.ports file in ${directory}`)
    await once(AbortSignal.timeout(5), 'abort')
  }
}

function fanfare(): ServerKind {
  const kind = {
    name: 'fanfare',
    command: process.execPath,
    leadingArguments: [fanfareProgram, 'serve'],
  } as const
  if (existsSync(fanfareProgram)) return kind
  return {
    ...kind,
    missing: { then: 'fail', reason: `${fanfareProgram} is missing: run the build` },
  }
}

function natsServer(): ServerKind {
  const command = process.env.NATS_SERVER ?? findProgram('nats-server')
  const kind = { name: 'nats-server', leadingArguments: [] } as const
  if (command !== undefined && isExecutable(command)) return { ...kind, command }
  const reason =
    'SKIPPED: nats-server is not here. Install it (https://github.com/nats-io/nats-server/releases, or ' +
    '`go install github.com/nats-io/nats-server/v2@latest`) on the PATH, or name it in NATS_SERVER'
  return { ...kind, command: 'nats-server', missing: { then: 'skip', reason } }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
