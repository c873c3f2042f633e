// What docs/durable.md shows is run as it stands there.
import { afterEach, expect, it } from 'vitest'
import { findBlocks, startProgram, type RunningCommand } from './runnable-blocks.js'

const FILE = 'docs/durable.md'
const commands: RunningCommand[] = []

afterEach(async () => {
  await Promise.all(commands.splice(0).map((command) => command.stop()))
})

async function outcomeOf(text: string) {
  const command = startProgram(text)
  commands.push(command)
  return command.outcome
}

it.each([
  ['durable', 'orders 1\ncharge 40\ncharge 60\n', ''],
  [
    'order by key',
    'bob 1\nann 1 attempts-exhausted the bank is closed\nann 2 parked \nann 3 parked \nann 1\nann 2\nann 3\n',
    'HANDLER_FAILED',
  ],
  ['exactly once', '3 1\n4 2\n', 'HANDLER_FAILED'],
])('prints what the text says: %s', async (name, printed, trouble) => {
  const { stdout, stderr, exitCode } = await outcomeOf(findBlocks(FILE, name, 1)[0]!.text)
  expect(stderr).toContain(trouble)
  expect(stdout.replaceAll(/parked .*$/gm, 'parked ')).toBe(printed)
  expect(exitCode).toBe(0)
})

const OPENING = `
import { openBroker } from 'fanfare'
const broker = await openBroker()
const orders = await broker.stream('orders', { topics: ['order.>'] })
await broker.publish('order.placed', 1)
`

it('ends by itself when nothing but a stream is open, and not while a consumer is', async () => {
  const idle = await outcomeOf(`${OPENING} console.log('idle')`)
  expect(idle).toMatchObject({ exitCode: 0, stdout: 'idle\n' })
  const consuming = startProgram(`${OPENING}
    const member = await broker.consume('a', 'order.placed', () => {})
    setTimeout(async () => { console.log('alive'); await member.close() }, 300).unref()
  `)
  commands.push(consuming)
  expect(await consuming.outcome).toMatchObject({ exitCode: 0, stdout: 'alive\n' })
})
