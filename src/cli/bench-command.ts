// `fanfare bench`: how fast a server passes messages to this client library: one publisher, some subscribers, one process.
// The servers themselves are compared by bench/ in the repository, whose generators cost less than a client does.
import { Command } from 'commander'
import { FanfareError, systemClock } from '../base/index.js'
import type { Broker } from '../broker/index.js'
import { connect, withClientOptions, type ClientFlags } from './client-options.js'
import { toCount } from './numbers.js'

interface BenchFlags extends ClientFlags {
  readonly msgs: number
  readonly size: number
  readonly subscribers: number
}

export function benchCommand(): Command {
  return withClientOptions(new Command('bench'))
    .description('measure publishing and receiving through a server')
    .argument('[topic]', 'topic to use', 'bench')
    .option('--msgs <count>', 'messages to publish', toCount('--msgs'), 100_000)
    .option('--size <bytes>', 'bytes of each body', toCount('--size'), 128)
    .option(
      '--subscribers <count>',
      'connections that receive everything',
      toCount('--subscribers'),
      1,
    )
    .action(bench)
}

async function bench(topic: string, flags: BenchFlags): Promise<void> {
  const publisher = await connect(flags)
  const receivers = await Promise.all(
    Array.from({ length: flags.subscribers }, () => connect(flags)),
  )
  try {
    const received = Promise.all(
      receivers.map((receiver) => receiveAll(receiver, topic, flags.msgs)),
    )
    await Promise.all(receivers.map((receiver) => receiver.flush()))
    const startedAtMs = systemClock.elapsedMs()
    await publishAll(publisher, topic, flags)
    const publishedAtMs = systemClock.elapsedMs()
    await Promise.race([received, giveUp(flags)])
    const receivedAtMs = systemClock.elapsedMs()
    print('published', flags.msgs, publishedAtMs - startedAtMs, flags.size)
    print('received', flags.msgs * flags.subscribers, receivedAtMs - startedAtMs, flags.size)
  } finally {
    await Promise.all([publisher, ...receivers].map((broker) => broker.close()))
  }
}

function receiveAll(broker: Broker, topic: string, count: number): Promise<void> {
  return new Promise((resolve) => {
    let received = 0
    broker.subscribe(topic, () => {
      received += 1
      if (received === count) resolve()
    })
  })
}

async function publishAll(broker: Broker, topic: string, flags: BenchFlags): Promise<void> {
  const body = 'x'.repeat(flags.size)
  for (let i = 1; i <= flags.msgs; i++) {
    broker.emit(topic, body)
    if (i % 1_000 === 0) await broker.flush()
  }
  await broker.flush()
}

const GIVE_UP_MS = 30_000

function giveUp(flags: BenchFlags): Promise<never> {
  return new Promise((_, reject) => {
    systemClock.startTimer(GIVE_UP_MS, () =>
      reject(
        new FanfareError('TIMEOUT', `not all ${flags.msgs} messages arrived in ${GIVE_UP_MS} ms`),
      ),
    )
  })
}

function print(what: string, count: number, durationMs: number, sizeBytes: number): void {
  const perSecond = count / (durationMs / 1_000)
  const megabytes = (perSecond * sizeBytes) / 1_048_576
  process.stdout.write(
    `${what} ${count} messages in ${durationMs.toFixed(0)} ms: ${Math.round(perSecond)} per second, ${megabytes.toFixed(1)} MiB/s\n`,
  )
}
