// `fanfare pub`: publishes a body given as an argument, or each line of standard input.
import { Command } from 'commander'
import { createInterface } from 'node:readline'
import { systemClock } from '../base/index.js'
import type { Broker, HeadersInput } from '../broker/index.js'
import { collectHeaders, connect, withClientOptions, type ClientFlags } from './client-options.js'
import { toCount, toMs } from './numbers.js'
import { fillTemplate } from './body-template.js'

interface PublishFlags extends ClientFlags {
  readonly count: number
  readonly sleep?: number
  readonly header?: readonly (readonly [string, string])[]
  readonly forceStdin?: boolean
  readonly quiet?: boolean
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
    .option('--force-stdin', 'read standard input even when a body is given')
    .option('-q, --quiet', 'print nothing')
    .action(publish)
}

async function publish(
  topic: string,
  body: string | undefined,
  flags: PublishFlags,
): Promise<void> {
  const broker = await connect(flags)
  try {
    const readsInput = flags.forceStdin === true || body === undefined
    const published = readsInput
      ? await publishLines(broker, topic, flags)
      : await publishCounted(broker, topic, body, flags)
    await broker.flush()
    if (flags.quiet !== true)
      process.stderr.write(
        `Published ${published} ${published === 1 ? 'message' : 'messages'} to "${topic}"\n`,
      )
  } finally {
    await broker.close()
  }
}

async function publishLines(broker: Broker, topic: string, flags: PublishFlags): Promise<number> {
  let published = 0
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    for (let i = 0; i < flags.count; i++) {
      if (published > 0) await pause(flags)
      broker.emit(topic, line, headersOf(flags))
      published += 1
      // A long pipe must not fill the memory of this process.
      if (published % 1_000 === 0) await broker.flush()
    }
  }
  return published
}

async function publishCounted(
  broker: Broker,
  topic: string,
  body: string,
  flags: PublishFlags,
): Promise<number> {
  for (let i = 0; i < flags.count; i++) {
    if (i > 0) await pause(flags)
    broker.emit(topic, fillTemplate(body, i + 1), headersOf(flags))
    if (i % 1_000 === 999) await broker.flush()
  }
  return flags.count
}

function headersOf(flags: PublishFlags): { headers?: HeadersInput } {
  return flags.header === undefined ? {} : { headers: flags.header }
}

function pause({ sleep }: PublishFlags): Promise<void> | undefined {
  if (sleep === undefined) return undefined
  return new Promise((resolve) => {
    systemClock.startTimer(sleep, resolve, { keepsProcessAlive: true })
  })
}
