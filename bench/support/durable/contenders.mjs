// Who is measured: what runs in the measuring process itself, and what is a service with a client there. A missing one is
// announced and left out.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findVersion } from '../peers.mjs'

const builtEngine = fileURLToPath(new URL('../../../dist/embedded/index.js', import.meta.url))
const rootPackage = fileURLToPath(new URL('../../../package.json', import.meta.url))
const requireFromBench = createRequire(new URL('../../package.json', import.meta.url))

const findFanfare = () =>
  existsSync(builtEngine) ? JSON.parse(readFileSync(rootPackage)).version : undefined
const notBuilt = 'dist does not exist: npm run build'

// Where Debian's package puts it: the command on PATH changes the user and the folder, the program behind it does not.
const rabbitProgram = '/usr/lib/rabbitmq/bin/rabbitmq-server'

const redisServer = {
  settings: 'appendonly yes, appendfsync always',
  findVersion: () => findVersion('redis-server', ['--version']),
  missing: 'redis-server is not on PATH',
  getCommand: ({ port }) =>
    [
      ['redis-server', '--bind', '127.0.0.1', '--port', `${port}`, '--save', ''],
      ['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction'],
    ].flat(),
}

const natsServer = (settings, jetStreamLines) => ({
  settings: `${settings}; more pending bytes and buffered messages allowed than by default`,
  findVersion: () => findVersion('nats-server', ['--version']),
  missing: 'nats-server is not on PATH',
  getCommand: ({ configuration }) => ['nats-server', '-c', configuration],
  getConfiguration: ({ port, directory }) =>
    [
      `listen: 127.0.0.1:${port}`,
      'max_pending: 1GB',
      'jetstream {',
      `  store_dir: "${directory}"`,
      '  max_buffered_msgs: 100000',
      '  max_buffered_size: 1GB',
      ...jetStreamLines,
      '}',
    ].join('\n') + '\n',
})

const rabbitServer = {
  settings: 'classic durable queue, persistent messages, confirms; client amqplib',
  startTimeoutMs: 30_000,
  findVersion: findRabbitVersion,
  missing: `there is no ${rabbitProgram} (Debian's package rabbitmq-server)`,
  async getCommand({ port, directory, getFreePort }) {
    const environment = {
      HOME: directory,
      // Then the program is the server itself, not a shell around it.
      RUNNING_UNDER_SYSTEMD: 'true',
      RABBITMQ_NODENAME: `fanfare${port}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: `${port}`,
      RABBITMQ_DIST_PORT: `${await getFreePort()}`,
      ERL_EPMD_PORT: `${await getFreePort()}`,
      RABBITMQ_MNESIA_BASE: join(directory, 'data'),
      RABBITMQ_LOG_BASE: join(directory, 'log'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'plugins'),
      RABBITMQ_CONFIG_FILE: join(directory, 'no-configuration'),
      RABBITMQ_PID_FILE: join(directory, 'pid'),
    }
    const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
    return ['env', ...settings, rabbitProgram]
  },
  /** The name server that Erlang started beside it outlives it. */
  afterStop(command) {
    const epmdPort = command.find((word) => word.startsWith('ERL_EPMD_PORT=')).split('=')[1]
    try {
      execFileSync('epmd', ['-port', epmdPort, '-kill'], { stdio: 'ignore' })
    } catch {
      // It was not running.
    }
  },
}

export const contenders = [
  {
    name: 'floor',
    driverName: 'floor',
    settings: 'the same stored bytes and checksums, one write and one fdatasync for each group',
    findVersion: () => process.version,
  },
  {
    name: 'log',
    driverName: 'fanfare-log',
    settings: "Fanfare's log alone",
    findVersion: findFanfare,
    missing: notBuilt,
    isOurs: true,
  },
  {
    name: 'contract',
    driverName: 'fanfare-contract',
    settings: "Fanfare's engine, receipts as ranges at a sink",
    findVersion: findFanfare,
    missing: notBuilt,
    isOurs: true,
  },
  {
    name: 'broker',
    driverName: 'fanfare-broker',
    settings: '`broker.publish`, a promise for each message, data as JSON',
    findVersion: findFanfare,
    missing: notBuilt,
    isOurs: true,
  },
  {
    name: 'lmdb',
    driverName: 'lmdb',
    settings: 'a log of one’s own: batched transactions, promises kept after the sync',
    findVersion: () => findPackageVersion('lmdb'),
    missing: 'lmdb could not be installed',
  },
  {
    name: 'redis streams',
    driverName: 'redis-streams',
    ...redisServer,
    server: redisServer,
  },
  {
    name: 'bullmq',
    driverName: 'bullmq',
    settings: `on Redis, ${redisServer.settings}; a worker does 100 jobs at a time at most`,
    findVersion: () => redisServer.findVersion() && findPackageVersion('bullmq'),
    missing: redisServer.missing,
    server: redisServer,
  },
  { name: 'rabbitmq', driverName: 'rabbitmq', ...rabbitServer, server: rabbitServer },
  {
    name: 'jetstream',
    driverName: 'jetstream-wire',
    ...natsServer('as shipped: acknowledges before it syncs', []),
  },
  {
    name: 'jetstream, client',
    driverName: 'jetstream-client',
    ...natsServer('as shipped, through @nats-io/jetstream', []),
  },
  {
    name: 'jetstream, sync always',
    driverName: 'jetstream-wire',
    ...natsServer('sync_interval: always', ['  sync_interval: always']),
  },
].map((contender) =>
  contender.getCommand === undefined || contender.server !== undefined
    ? contender
    : { ...contender, server: contender },
)

/** By its folder: asking the program would start a name server that stays. */
function findRabbitVersion() {
  if (!existsSync(rabbitProgram)) return undefined
  return realpathSync(rabbitProgram).match(/\d+\.\d+\.\d+/)?.[0] ?? 'unknown'
}

function findPackageVersion(name) {
  try {
    const entry = requireFromBench.resolve(name)
    const from = entry.lastIndexOf(join('node_modules', name))
    const folder = entry.slice(0, from) + join('node_modules', name)
    return JSON.parse(readFileSync(join(folder, 'package.json'))).version
  } catch {
    return undefined
  }
}
