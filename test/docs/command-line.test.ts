// What docs/command-line.md shows is run as it stands there, from top to bottom; only the directory and the program are replaced by
// those of this test.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openBroker } from 'fanfare'
import { program } from '../cli/command.js'
import {
  findBlocks,
  readRunnableBlocks,
  startShell,
  type RunningCommand,
} from './runnable-blocks.js'

const FILE = 'docs/command-line.md'
const parent = mkdtempSync(join(tmpdir(), 'fanfare-docs-'))
const directory = join(parent, 'data')

afterAll(() => rmSync(parent, { recursive: true, force: true }))

function text(name: string): string {
  return findBlocks(FILE, name, 1)[0]!.text
}

function startBlock(name: string, more = ''): RunningCommand {
  const script = `set -e\n${text(name).trimEnd()}${more}\n`
  return startShell(
    script
      .replaceAll('npx fanfare', `'${process.execPath}' '${program}'`)
      .replaceAll('--directory data', `--directory '${directory}'`)
      .replaceAll('verify data', `verify '${directory}'`)
      .replaceAll('-sd data', `-sd '${directory}'`),
  )
}

async function run(name: string): Promise<string> {
  const { exitCode, stdout, stderr } = await startBlock(name).outcome
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  return stdout
}

async function leaveLetters(): Promise<void> {
  const broker = await openBroker({ directory, onEvent: () => undefined })
  const orders = await broker.stream('orders')
  const rejecting = await broker.consume('billing', 'order.placed', (message) =>
    message.reject('no credit'),
  )
  await expect.poll(() => orders.deadLetters.count(), { timeout: 10_000 }).toBe(1)
  await rejecting.close()
  await broker.close()
}

it('makes, fills, shows and changes streams', async () => {
  expect(await run('stream add')).toMatch(/^max age +7d$/m)
  expect(await run('stream edit')).toMatch(/^discard +new$/m)
  expect(await run('pub')).toBe(text('pub prints'))
  const looks = await run('stream looks')
  expect(looks).toMatch(/^orders +order\.> +2 /m)
  expect(looks).toMatch(/^order\.paid +1 +2 +2$/m)
  const [first, second, third] = (await run('stream reads')).split('\n')
  expect([first, second]).toEqual(['shoes', 'shoes'])
  expect(third).toMatch(/^\[orders #1\] "order\.placed" at /)
  expect(await run('stream filters')).toBe('')
  expect(await run('stream purge')).toBe('Removed 1 message of stream orders\n')
})

it('gives up, redrives and takes messages, and discards them', async () => {
  await leaveLetters()
  const looks = await run('dead-letter looks')
  expect(looks).toMatch(/rejected +billing +order\.placed +customer-7 .*no credit$/m)
  expect(looks).toMatch(/^reason +rejected$/m)
  expect(await run('dead-letter redrive')).toContain('1 dead letter of stream orders')
  expect(await run('consumer next')).toBe('shoes\n')
  expect(await run('dead-letter discard')).toBe('Discarded 0 dead letters of stream orders\n')
})

it('makes, pauses, shows and removes consumers', async () => {
  expect(await run('consumer rm')).toBe('Removed consumer billing of stream orders\n')
  expect(await run('consumer add')).toMatch(/^attempts +3$/m)
  const shown = await run('consumer pause')
  expect(shown).toContain('is paused')
  expect(shown).toContain('is active')
  expect(shown).toMatch(/^billing +order\.placed +1 /m)
})

it('verifies and serves the directory', async () => {
  expect(await run('verify')).toContain('Nothing is damaged')
  const serving = startBlock('serve', ' -a 127.0.0.1 -p -1')
  await expect.poll(() => serving.printed(), { timeout: 10_000 }).toContain('Server is ready')
  expect(serving.printed()).toContain('with 2 streams')
  await serving.stop()
})

it('runs every block that is marked', () => {
  const streams = ['stream add', 'stream edit', 'pub', 'pub prints', 'stream looks', 'stream reads']
  const consumers = [
    'stream filters',
    'stream purge',
    'consumer add',
    'consumer pause',
    'consumer next',
    'consumer rm',
  ]
  const letters = ['dead-letter looks', 'dead-letter redrive', 'dead-letter discard']
  expect(readRunnableBlocks(FILE).map(({ name }) => name)).toEqual([
    ...streams,
    ...consumers,
    ...letters,
    'verify',
    'serve',
  ])
})
