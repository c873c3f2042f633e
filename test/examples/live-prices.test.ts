// Every program of examples/live-prices by the commands of its README: each publisher with all watchers at once, and
// every row of the file must reach every watcher, each stock in order.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  findBlocks,
  root,
  startShell,
  type Outcome,
  type RunningCommand,
} from '../docs/runnable-blocks.js'
import { launch, serversUnderTest, type RunningServer } from '../interop/server-under-test.js'

const README = 'examples/live-prices/README.md'
const watchers = findBlocks(README, 'watch', 3)
const publishers = findBlocks(README, 'publish', 3)
const rows = readRows()
const server = serversUnderTest().find(({ name }) => name === 'fanfare')

describe.skipIf(server === undefined)('examples/live-prices', () => {
  let running: RunningServer
  let commands: RunningCommand[]

  beforeEach(async () => {
    commands = []
    running = await launch(server!)
  })

  afterEach(async () => {
    await Promise.all(commands.map((command) => command.stop()))
    await running.stop()
  })

  function run(script: string): RunningCommand {
    const command = startShell(script, { NATS_URL: running.url })
    commands.push(command)
    return command
  }

  it.each(publishers)('lets every watcher see all prices of:\n$text', async ({ text }) => {
    const watching = watchers.map((each) => run(`${each.text.trim()} --count ${rows.length}`))
    await untilSubscribed(running, watchers.length)
    const published = await run(text.replaceAll('--pace 100ms', '--pace 1ms')).outcome
    expect(published.exitCode, published.stderr).toBe(0)
    for (const watcher of watching) {
      const outcome = await watcher.outcome
      expect(outcome.exitCode, outcome.stderr).toBe(0)
      expect(bySymbol(readOutput(outcome))).toEqual(bySymbol(rows))
    }
  })
})

interface Row {
  readonly symbol: string
  readonly date: string
  readonly price: number
}

/** The file as it is, without the help of the example. */
function readRows(): Row[] {
  const text = readFileSync(join(root, 'node_modules/vega-datasets/data/stocks.csv'), 'utf8')
  const [, ...lines] = text.trim().split('\n')
  return lines.map((line) => {
    const [symbol = '', date = '', price] = line.trim().split(',')
    const month = new Date(`${date} UTC`).toISOString().slice(0, 10)
    return { symbol, date: month, price: Number(price) }
  })
}

/** Lines of `AAPL 2000-01-01 25.94`, or the JSON of `fanfare sub --json`. */
function readOutput({ stdout }: Outcome): Row[] {
  const lines = stdout.trim().split('\n')
  return lines.map((line) => {
    if (!line.startsWith('{')) {
      const [symbol = '', date = '', price] = line.split(' ')
      return { symbol, date, price: Number(price) }
    }
    const { topic, data } = JSON.parse(line) as { topic: string; data: string }
    const { date, price } = JSON.parse(data) as { date: string; price: number }
    return { symbol: topic.replace('price.', ''), date, price }
  })
}

function bySymbol(list: readonly Row[]): Record<string, Row[]> {
  const groups: Record<string, Row[]> = {}
  for (const row of list) (groups[row.symbol] ??= []).push(row)
  return groups
}

/** A watcher of JSON lines does not say that it is ready; the server knows. */
async function untilSubscribed({ monitorUrl }: RunningServer, count: number): Promise<void> {
  await expect
    .poll(
      async () => {
        const response = await fetch(`${monitorUrl}/subsz`)
        return ((await response.json()) as { num_subscriptions: number }).num_subscriptions
      },
      { timeout: 15_000 },
    )
    .toBe(count)
}
