// `fanfare pub`: publishes a body given as an argument, or each line of standard input; through a server to whoever is
// subscribed, or into the streams of a data directory.
import { Command, Option } from 'commander'
import { createInterface } from 'node:readline'
import { FanfareError, systemClock } from '../base/index.js'
import type { Broker, EmitOptions, PublishOptions } from '../broker/index.js'
import { collectHeaders, connect, withClientOptions, type ClientFlags } from './client-options.js'
import { inDirectory, onlyGiven, type DirectoryFlags } from './directory-options.js'
import {
  ReceiptPrinter,
  toPublishOptions,
  type DurableFlags,
  type Outlet,
} from './directory-publish.js'
import { toCount, toMs, toWholeNumber } from './numbers.js'
import { fillTemplate } from './body-template.js'

interface PublishFlags extends ClientFlags, DurableFlags {
  readonly directory?: string
  readonly count: number
  readonly sleep?: number
  readonly header?: readonly (readonly [string, string])[]
  readonly id?: string
  readonly key?: string
  readonly forceStdin?: boolean
  readonly quiet?: boolean
  readonly json?: boolean
}

export function publishCommand(): Command {
  return withClientOptions(new Command('pub').alias('publish'))
    .description('publish a message, or one for each line of standard input')
    .argument('<topic>')
    .argument(
      '[body]',
      '{{Count}}, {{Time}} and {{ID}} are filled in; absent: read from standard input',
    )
    .option('--count <count>', 'publish so many times', toCount('--count'), 1)
    .option('--sleep <duration>', 'wait between messages, such as 100ms', toMs('--sleep'))
    .option('-H, --header <name:value>', 'add a header; may be repeated', collectHeaders)
    .option('--id <id>', 'in a stream, an id is stored once; {{Count}} is filled in')
    .option('--key <key>', 'what order is kept by')
    .option('--force-stdin', 'read standard input even when a body is given')
    .option('-q, --quiet', 'print nothing')
    .option('--directory <directory>', 'store in the streams of a data directory, with a receipt')
    .option(
      '--ttl <duration>',
      'with --directory: it leaves the stream after this time',
      toMs('--ttl'),
    )
    .option('--delay <duration>', 'with --directory: it is hidden for so long', toMs('--delay'))
    .addOption(
      new Option(
        '--expect-last-sequence <sequence>',
        "with --directory: refused unless this is the stream's last",
      ).argParser(toWholeNumber('--expect-last-sequence', 0)),
    )
    .option('-j, --json', 'with --directory: receipts as JSON, one a line')
    .action((topic: string, body: string | undefined, flags: PublishFlags, command: Command) =>
      flags.directory === undefined
        ? publishToServer(topic, body, flags)
        : publishToDirectory(topic, body, flags, onlyGiven(flags, command)),
    )
}

async function publishToServer(
  topic: string,
  body: string | undefined,
  flags: PublishFlags,
): Promise<void> {
  if (Object.keys(toPublishOptions(flags)).length > 0) {
    throw new FanfareError(
      'OPTION_INVALID',
      '--ttl, --delay and --expect-last-sequence are for streams: give --directory',
    )
  }
  const broker = await connect(flags)
  try {
    const published = await publish(new Emitter(broker), topic, body, flags)
    if (flags.quiet !== true)
      process.stderr.write(
        `Published ${published} ${published === 1 ? 'message' : 'messages'} to "${topic}"\n`,
      )
  } finally {
    await broker.close()
  }
}

async function publishToDirectory(
  topic: string,
  body: string | undefined,
  flags: PublishFlags,
  place: DirectoryFlags,
): Promise<void> {
  const isOne = flags.count === 1 && body !== undefined && flags.forceStdin !== true
  if (flags.expectLastSequence !== undefined && !isOne) {
    throw new FanfareError('OPTION_INVALID', '--expect-last-sequence is for a single message')
  }
  const format = { json: flags.json === true, quiet: flags.quiet === true }
  await inDirectory(place, async (broker) => {
    await publish(new ReceiptPrinter(broker, format), topic, body, flags)
  })
}

class Emitter implements Outlet {
  readonly #broker: Broker
  #emitted = 0

  constructor(broker: Broker) {
    this.#broker = broker
  }

  async send(topic: string, body: string, { id, key, headers }: EmitOptions): Promise<void> {
    this.#broker.emit(topic, body, {
      ...(id === undefined ? {} : { id }),
      ...(key === undefined ? {} : { key }),
      ...(headers === undefined ? {} : { headers }),
    })
    this.#emitted += 1
    // A long pipe must not fill the memory of this process.
    if (this.#emitted % 1_000 === 0) await this.#broker.flush()
  }

  end(): Promise<void> {
    return this.#broker.flush()
  }
}

/** Resolves with how many were published. */
async function publish(
  outlet: Outlet,
  topic: string,
  body: string | undefined,
  flags: PublishFlags,
): Promise<number> {
  let published = 0
  for await (const text of bodiesOf(body, flags)) {
    if (published > 0) await pause(flags)
    published += 1
    await outlet.send(topic, text, optionsOf(flags, published))
  }
  await outlet.end()
  return published
}

async function* bodiesOf(
  body: string | undefined,
  { count, forceStdin }: PublishFlags,
): AsyncGenerator<string> {
  if (body !== undefined && forceStdin !== true) {
    for (let i = 1; i <= count; i++) yield fillTemplate(body, i)
    return
  }
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    for (let i = 0; i < count; i++) yield line
  }
}

function optionsOf(flags: PublishFlags, count: number): PublishOptions {
  const { id, key, header } = flags
  return {
    ...(id === undefined ? {} : { id: fillTemplate(id, count) }),
    ...(key === undefined ? {} : { key }),
    ...(header === undefined ? {} : { headers: header }),
    ...toPublishOptions(flags),
  }
}

function pause({ sleep }: PublishFlags): Promise<void> | undefined {
  if (sleep === undefined) return undefined
  return new Promise((resolve) => {
    systemClock.startTimer(sleep, resolve, { keepsProcessAlive: true })
  })
}
