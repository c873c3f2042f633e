// `fanfare request`: sends a request and prints the answer.
import { Command } from 'commander'
import { systemClock } from '../base/index.js'
import { collectHeaders, connect, withClientOptions, type ClientFlags } from './client-options.js'
import { fillTemplate } from './body-template.js'
import { toCount, toMs } from './numbers.js'

interface RequestFlags extends ClientFlags {
  readonly count: number
  readonly timeout: number
  readonly header?: readonly (readonly [string, string])[]
  readonly raw?: boolean
}

export function requestCommand(): Command {
  return withClientOptions(new Command('request').alias('req'))
    .description('send a request and print the answer')
    .argument('<topic>')
    .argument('[body]', 'the question', '')
    .option('--count <count>', 'ask so many times', toCount('--count'), 1)
    .option('--timeout <duration>', 'longest wait for an answer', toMs('--timeout'), 5_000)
    .option('-H, --header <name:value>', 'add a header; may be repeated', collectHeaders)
    .option('-r, --raw', 'print the answer only')
    .action(ask)
}

async function ask(topic: string, body: string, flags: RequestFlags): Promise<void> {
  const broker = await connect(flags)
  try {
    for (let i = 0; i < flags.count; i++) {
      const startedAtMs = systemClock.elapsedMs()
      const answer = await broker.request(topic, fillTemplate(body, i + 1), {
        timeout: flags.timeout,
        ...(flags.header === undefined ? {} : { headers: flags.header }),
      })
      const tookMs = systemClock.elapsedMs() - startedAtMs
      if (flags.raw !== true) process.stderr.write(`Answer in ${tookMs.toFixed(2)} ms\n`)
      process.stdout.write(`${String(answer)}\n`)
    }
  } finally {
    await broker.close()
  }
}
