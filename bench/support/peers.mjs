// The servers that are measured side by side, and how each is started, configured and stopped.
// A peer that is not installed is missing, never an error: the caller says so loudly.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const fanfareProgram = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const fanfarePackage = fileURLToPath(new URL('../../package.json', import.meta.url))
const spliceProgram = fileURLToPath(new URL('tcp-splice.mjs', import.meta.url))

const startTimeoutMs = 10_000
const stopTimeoutMs = 5_000

export const peers = [
  {
    name: 'fanfare',
    protocolName: 'nats',
    settings: 'defaults',
    findVersion: () =>
      existsSync(fanfareProgram) ? JSON.parse(readFileSync(fanfarePackage)).version : undefined,
    missing: 'dist/cli/main.js does not exist: npm run build',
    getCommand: ({ port }) => [
      process.execPath,
      fanfareProgram,
      'serve',
      '-a',
      '127.0.0.1',
      '-p',
      `${port}`,
    ],
  },
  {
    name: 'nats-server',
    protocolName: 'nats',
    settings: 'defaults',
    findVersion: () => findVersion('nats-server', ['--version']),
    missing: 'nats-server is not on PATH',
    getCommand: ({ port }) => ['nats-server', '-a', '127.0.0.1', '-p', `${port}`],
  },
  {
    name: 'redis',
    protocolName: 'redis',
    settings: 'no persistence, no output limit for pub/sub clients, replies to publishers off',
    findVersion: () => findVersion('redis-server', ['--version']),
    missing: 'redis-server is not on PATH',
    getCommand: ({ port }) =>
      [
        ['redis-server', '--bind', '127.0.0.1', '--port', `${port}`, '--save', ''],
        ['--appendonly', 'no', '--client-output-buffer-limit', 'pubsub 0 0 0'],
      ].flat(),
  },
  {
    name: 'mosquitto',
    protocolName: 'mqtt',
    settings:
      'quality of service 0, no persistence, no queue limit, no log; ' +
      'TCP without delay for latency only, as it costs throughput',
    findVersion: () => findVersion('mosquitto', ['-h']),
    missing: 'mosquitto is not on PATH',
    getCommand: ({ configuration }) => ['mosquitto', '-c', configuration],
    getConfiguration: ({ port, purpose }) =>
      [
        `listener ${port} 127.0.0.1`,
        'allow_anonymous true',
        'persistence false',
        'max_queued_messages 0',
        'max_queued_bytes 0',
        `set_tcp_nodelay ${purpose === 'latency'}`,
        'log_type none',
      ].join('\n') + '\n',
  },
  {
    name: 'tcp splice',
    protocolName: 'raw',
    settings: 'no server: Node copies bytes from socket to sockets',
    findVersion: () => process.version,
    missing: '',
    getCommand: ({ port }) => [process.execPath, spliceProgram, `${port}`],
  },
]

export function findVersion(command, versionArguments) {
  let output
  try {
    output = execFileSync(command, versionArguments, { encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    // Mosquitto prints its version together with a failing exit code.
    if (error.code === 'ENOENT') return undefined
    output = `${error.stdout ?? ''}`
  }
  return output.match(/\d+\.\d+\.\d+/)?.[0] ?? 'unknown'
}

/** Starts a peer on a free port of its own; whoever starts it stops it. */
export async function startPeer(peer, { purpose, root = tmpdir() }) {
  const directory = await mkdtemp(join(root, 'fanfare-bench-'))
  const port = await getFreePort()
  const configuration = join(directory, 'configuration')
  if (peer.getConfiguration)
    await writeFile(configuration, peer.getConfiguration({ port, purpose, directory }))
  const words = await peer.getCommand({ port, configuration, directory, getFreePort })
  const [command, ...commandArguments] = words
  const child = spawn(command, commandArguments, {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaint = ''
  child.stderr.on('data', (bytes) => (complaint = (complaint + bytes).slice(-2000)))
  const exited = once(child, 'exit')
  const isRunning = () => child.exitCode === null && child.signalCode === null
  const stop = async () => {
    if (isRunning()) child.kill('SIGTERM')
    const killing = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
    await exited
    clearTimeout(killing)
    peer.afterStop?.(words)
    await rm(directory, { recursive: true, force: true })
  }
  const giveUpAtMs = performance.now() + (peer.startTimeoutMs ?? startTimeoutMs)
  while (!(await accepts(port))) {
    if (!isRunning() || performance.now() > giveUpAtMs) {
      await stop()
      throw new Error(`${peer.name} does not listen on port ${port}: ${complaint}`)
    }
    await sleep(50)
  }
  return { peer, port, pid: child.pid, isRunning, stop }
}

async function getFreePort() {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('connect', () => resolve(true))
    socket.on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}
