// `fanfare reply`: answers requests with a fixed body, or with the request itself.
import { Command } from 'commander'
import { fillTemplate } from './body-template.js'
import type { Broker } from '../broker/index.js'
import {
  connect,
  untilInterrupted,
  whenAborted,
  withClientOptions,
  type ClientFlags,
} from './client-options.js'
import { bodyOf } from './message-format.js'
import { toCount } from './numbers.js'

interface ReplyFlags extends ClientFlags {
  readonly echo?: boolean
  readonly queue: string
  readonly count?: number
}

export function replyCommand(): Command {
  return withClientOptions(new Command('reply'))
    .description('answer requests; {{Request}} and {{Count}} are filled in')
    .argument('<topic>')
    .argument('[body]', 'the answer', '')
    .option('--echo', 'answer with the request')
    .option(
      '--queue <group>',
      'share the requests with the other members of a group',
      'NATS-RPLY-22',
    )
    .option('--count <count>', 'end after so many requests', toCount('--count'))
    .action(reply)
}

async function reply(topic: string, body: string, flags: ReplyFlags): Promise<void> {
  const broker = await connect(flags)
  try {
    await answerUntilDone(broker, topic, body, flags)
  } finally {
    await broker.close({ drain: '2s' })
  }
}

async function answerUntilDone(
  broker: Broker,
  topic: string,
  body: string,
  flags: ReplyFlags,
): Promise<void> {
  const finish = untilInterrupted()
  let answered = 0
  broker.respond(
    topic,
    (message) => {
      answered += 1
      const request = bodyOf(message)
      process.stderr.write(`[#${answered}] Request on "${message.topic}"\n`)
      if (answered === flags.count) finish.abort()
      return flags.echo === true ? request : fillTemplate(body, answered, request)
    },
    { group: flags.queue },
  )
  await broker.flush()
  process.stderr.write(`Answering requests on ${topic}\n`)
  await whenAborted(finish.signal)
}
