// What keeps a process alive, what does not, and what a process leaves that ends in the midst of something: docs/deploy.md in
// programs of their own.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { openBroker } from '../../src/broker/index.js'
import { startServer } from '../../src/server/index.js'
import { findBlocks, startProgram, type RunningCommand } from '../docs/runnable-blocks.js'

const PATIENT = { timeout: 60_000 }
const directory = mkdtempSync(join(tmpdir(), 'fanfare-life-'))
const commands: RunningCommand[] = []
let directories = 0

afterEach(async () => {
  await Promise.all(commands.splice(0).map((command) => command.stop()))
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

function program(text: string): RunningCommand {
  const command = startProgram(`import { openBroker } from 'fanfare'\n${text}`)
  commands.push(command)
  return command
}

const freshDirectory = (): string => join(directory, String(directories++))
const place = (path: string): string => JSON.stringify(path)

/** A timer that keeps nothing alive: it is heard only where something else does. */
const AFTER_A_WHILE = `setTimeout(() => { console.log('still here'); process.exit(0) }, 200).unref()`

describe('ends by itself', PATIENT, () => {
  it.each([
    ['an idle broker in memory', `await openBroker()`],
    [
      'an idle broker on a directory',
      `const broker = await openBroker({ directory: ${place(freshDirectory())} })
       await broker.stream('orders', { topics: ['order.>'] })`,
    ],
    ['a live subscription', `(await openBroker()).subscribe('price.*', () => {})`],
    ['a responder', `(await openBroker()).respond('square', ({ data }) => data ** 2)`],
    [
      'a live loop that nobody awaits',
      `const broker = await openBroker()
       const loop = async () => { for await (const _ of broker.messages('price.*')); }
       void loop()`,
    ],
    [
      'a closed consumption, stream and broker',
      `const broker = await openBroker()
       await broker.stream('orders', { topics: ['order.>'] })
       await broker.consume('billing', 'order.>', () => {})
       await broker.close()`,
    ],
  ])('%s', async (_, text) => {
    const { exitCode, stdout, stderr } = await program(`${text}\n${AFTER_A_WHILE}`).outcome
    expect([exitCode, stdout, stderr]).toEqual([0, '', ''])
  })

  it('a live loop that a module awaits: Node ends with its code 13 for that', async () => {
    const text = `for await (const _ of (await openBroker()).messages('price.*'));`
    expect((await program(text).outcome).exitCode).toBe(13)
  })
})

describe('is kept alive', PATIENT, () => {
  it.each([
    [
      'by a consumption',
      `const broker = await openBroker()
       await broker.stream('orders', { topics: ['order.>'] })
       await broker.consume('billing', 'order.>', () => {})`,
    ],
    [
      'by a loop that follows a stream',
      `const broker = await openBroker()
       const orders = await broker.stream('orders', { topics: ['order.>'] })
       const loop = async () => { for await (const _ of orders.read({ follow: true })); }
       void loop()`,
    ],
    [
      'by a server',
      `const { startServer } = await import('fanfare/server')
       const broker = await openBroker()
       await startServer({ host: '127.0.0.1', port: 0 }, { engine: broker.engine })`,
    ],
    [
      'by a close that waits for a handler',
      `const broker = await openBroker()
       broker.subscribe('price.*', () => new Promise(() => {}))
       broker.emit('price.AAPL', 1)
       void broker.close()`,
    ],
  ])('%s', async (_, text) => {
    const { stdout, stderr } = await program(`${text}\n${AFTER_A_WHILE}`).outcome
    expect(stderr).toBe('')
    expect(stdout).toContain('still here\n')
  })

  it('by a broker that is connected to a server', async () => {
    const broker = await openBroker()
    const server = await startServer({ host: '127.0.0.1', port: 0 }, { engine: broker.engine })
    const url = `nats://127.0.0.1:${server.port}`
    const { stdout } = await program(`await openBroker({ url: '${url}' })\n${AFTER_A_WHILE}`)
      .outcome
    expect(stdout).toBe('still here\n')
    await server.stop()
    await broker.close()
  })

  it('by a request, until its time-out', async () => {
    const { exitCode, stdout } = await program(
      `const broker = await openBroker()
       broker.subscribe('square', () => {})
       broker.request('square', 7, { timeout: 100 }).catch(({ code }) => console.log(code))`,
    ).outcome
    expect([exitCode, stdout]).toEqual([0, 'TIMEOUT\n'])
  })

  it('by a publish under way, until its receipt', async () => {
    const { exitCode, stdout } = await program(
      `const broker = await openBroker({ directory: ${place(freshDirectory())} })
       await broker.stream('orders', { topics: ['order.>'] })
       broker.publish('order.placed', 1).then(({ sequence }) => console.log(sequence))`,
    ).outcome
    expect([exitCode, stdout]).toEqual([0, '1\n'])
  })
})

describe('ends in the midst', PATIENT, () => {
  it.each([
    ['process.exit', 'process.exit(0)'],
    ['an exception that nobody catches', `throw new Error('on purpose')`],
    ['a kill', `process.kill(process.pid, 'SIGKILL')`],
  ])(
    'by %s: what had its receipt is there, and the directory can be opened at once',
    async (_, end) => {
      const path = place(freshDirectory())
      const first = await program(
        `const broker = await openBroker({ directory: ${path} })
       await broker.stream('orders', { topics: ['order.>'] })
       for (let n = 1; n <= 10; n++) await broker.publish('order.placed', n)
       for (let n = 11; n <= 20; n++) broker.publish('order.placed', n).catch(() => {})
       ${end}`,
      ).outcome
      expect(first.stdout).toBe('')

      const second = await program(
        `const broker = await openBroker({ directory: ${path}, onEvent: () => {} })
       const orders = await broker.stream('orders')
       for await (const { data } of orders.read()) console.log(data)
       await broker.close()`,
      ).outcome
      const found = second.stdout.trim().split('\n').map(Number)
      expect(found.slice(0, 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
      // Of the rest, which no receipt promised, some of the first may be there.
      expect(found).toEqual([...found.keys()].map((index) => index + 1))
    },
  )
})

describe('SIGTERM', PATIENT, () => {
  it('lets the recipe finish what is at work, and end with 0', async () => {
    const [block] = findBlocks('docs/deploy.md', 'sigterm', 1)
    const text = block!.text.replace("'./data'", place(freshDirectory()))
    const command = startProgram(`${text}\nawait broker.publish('order.placed', { id: 1 })`)
    commands.push(command)
    await expect.poll(() => command.printed(), { timeout: 30_000 }).toContain('charging 1\n')
    const { exitCode, stdout, stderr } = await command.stop()
    expect(stderr).toBe('')
    expect(stdout).toBe('charging 1\ncharged 1\n')
    expect(exitCode).toBe(0)
  })
})
