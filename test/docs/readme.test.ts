// What README.md shows is run as it stands there; only addresses are replaced by those of this test's own servers.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openBroker } from 'fanfare'
import { launch, serversUnderTest, type RunningServer } from '../interop/server-under-test.js'
import {
  findBlocks,
  readRunnableBlocks,
  root,
  startProgram,
  startShell,
  type RunningCommand,
} from './runnable-blocks.js'

const FIRST_OUTPUT = 'AAPL { bid: 187.2 }\n49\n'
const server = serversUnderTest().find(({ name }) => name === 'fanfare')
const directory = mkdtempSync(join(tmpdir(), 'fanfare-readme-'))
const commands: RunningCommand[] = []

afterEach(async () => {
  await Promise.all(commands.splice(0).map((command) => command.stop()))
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('the first program', () => {
  it('has at most twelve lines', () => {
    expect(block('first').trimEnd().split('\n').length).toBeLessThanOrEqual(12)
  })

  it('does in one process what the text says', async () => {
    const { stdout, stderr } = await program(block('first')).outcome
    expect(stderr).toBe('')
    expect(stdout).toBe(FIRST_OUTPUT)
  })

  it('does the same on a directory, by one option', async () => {
    const data = JSON.stringify(join(directory, 'first'))
    const opening = `const broker = await openBroker({ directory: ${data} })`
    const text = replaced(block('first'), 'const broker = await openBroker()', opening)
    const { stdout, stderr } = await program(text).outcome
    expect(stderr).toBe('')
    expect(stdout).toBe(FIRST_OUTPUT)
  })

  it('compiles, with and without a url', { timeout: 60_000 }, () => {
    const modules = join(directory, 'node_modules')
    mkdirSync(modules)
    symlinkSync(root, join(modules, 'fanfare'), 'junction')
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(directory, 'first.ts'), block('first'))
    writeFileSync(join(directory, 'second.ts'), firstWithUrl('nats://localhost:4222'))
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const options = ['--noEmit', '--strict', '--target', 'ES2022', '--module', 'NodeNext']
    const files = ['first.ts', 'second.ts'].map((name) => join(directory, name))
    const types = ['--typeRoots', join(root, 'node_modules', '@types'), '--types', 'node']
    const outcome = spawnSync(process.execPath, [compiler, ...options, ...types, ...files], {
      cwd: directory,
      encoding: 'utf8',
    })
    expect(outcome.stdout).toBe('')
  })
})

describe('the durable program', () => {
  it('consumes what it published, and finds it again when it is run again', async () => {
    const data = join(directory, 'data')
    const text = replaced(block('durable'), './data', data)
    for (const line of ['1 { id: 1, total: 40 }', '2 { id: 1, total: 40 }']) {
      const running = program(text)
      await expect.poll(() => running.printed(), { timeout: 10_000 }).toContain(line)
      await running.stop()
    }
  })
})

describe('the durable program without its option', () => {
  it('does in memory what it does on a directory, but for the next run', async () => {
    const text = replaced(block('durable'), `{ directory: './data' }`, '')
    for (let run = 0; run < 2; run++) {
      const running = program(text)
      await expect.poll(() => running.printed(), { timeout: 10_000 }).toContain('1 { id: 1')
      await running.stop()
    }
  })
})

describe.skipIf(server === undefined)('against a server', () => {
  let running: RunningServer

  beforeAll(async () => {
    running = await launch(server!)
  })

  afterAll(() => running.stop())

  it('runs the first program with one line changed', async () => {
    const { stdout, stderr } = await program(firstWithUrl(running.url)).outcome
    expect(stderr).toBe('')
    expect(stdout).toBe(FIRST_OUTPUT)
  })

  it('runs the lines of the official client', async () => {
    const text = replaced(block('official client'), 'nats://localhost:4222', running.url)
    const { stdout, stderr } = await program(text).outcome
    expect(stderr).toBe('')
    expect(stdout).toBe('price.AAPL { bid: 187.2 }\n')
  })

  it('publishes and subscribes by the command line', async () => {
    await publishUntilSeen(running.url)
  })
})

it('starts by npm on the port that is asked for', { timeout: 60_000 }, async () => {
  const port = await freePort()
  const started = shell(`${block('start').trim()} -- -a 127.0.0.1 -p ${port}`)
  await untilPrinted(started, 'Server is ready')
  await publishUntilSeen(`nats://127.0.0.1:${port}`)
})

it('serves an embedded broker', async () => {
  const port = await freePort()
  const text = replaced(block('embedded server'), 'port: 4222', `host: '127.0.0.1', port: ${port}`)
  const serving = program(text)
  const client = await connectWhenUp({ url: `nats://127.0.0.1:${port}` })
  client.emit('price.AAPL', 187.2)
  await untilPrinted(serving, 'price.AAPL 187.2')
  await client.close()
})

describe('the configuration', () => {
  const file = join(directory, 'broker.conf')
  let url: string
  let monitorUrl: string

  beforeAll(async () => {
    const [port, httpPort] = [await freePort(), await freePort()]
    url = `nats://127.0.0.1:${port}`
    monitorUrl = `http://127.0.0.1:${httpPort}`
    const text = replaced(block('configuration'), ':4222', `:${port}`)
    writeFileSync(file, replaced(text, ':8222', `:${httpPort}`))
  })

  it('is valid', async () => {
    const checked = await shell(`npx fanfare serve -c '${file}' -t`).outcome
    expect(checked.stderr).toContain('is valid')
    expect(checked.exitCode).toBe(0)
  })

  it('lets each user do what its comment says, and has the endpoints of the table', async () => {
    const started = shell(`npx fanfare serve -c '${file}'`)
    await untilPrinted(started, 'Server is ready')
    expect(started.printed()).not.toContain('[WRN]')
    const feed = await openBroker({ url, connection: { user: 'feed', password: 'feed-secret' } })
    const screen = await openBroker({
      url,
      connection: { user: 'screen', password: 'screen-secret' },
      onEvent: () => undefined,
    })
    const seen: unknown[] = []
    screen.subscribe('price.*', ({ data }) => void seen.push(data))
    feed.respond('feed.symbols', () => ['AAPL'])
    await Promise.all([screen.flush(), feed.flush()])

    screen.emit('price.AAPL', 'forged')
    await screen.flush()
    feed.emit('price.AAPL', 187.2)
    await expect.poll(() => seen).toEqual([187.2])
    expect(await screen.request('feed.symbols', undefined)).toEqual(['AAPL'])
    await expect(openBroker({ url })).rejects.toMatchObject({ code: 'AUTHORIZATION_FAILED' })

    const paths = [
      '/healthz',
      '/varz',
      '/connz?sort=pending',
      '/connz?subs=1',
      '/connz?state=closed',
    ]
    for (const path of [...paths, '/subsz?subs=1', '/subsz?test=price.AAPL']) {
      expect((await fetch(monitorUrl + path)).status, path).toBe(200)
    }
    expect(await (await fetch(`${monitorUrl}/healthz`)).text()).toBe('{"status":"ok"}')
    await Promise.all([screen.close(), feed.close()])
  })
})

it('runs every block that is marked', () => {
  const known = ['first', 'first with url', 'durable', 'start', 'subscribe', 'publish']
  const all = [...known, 'official client', 'embedded server', 'configuration']
  expect(readRunnableBlocks('README.md').map(({ name }) => name)).toEqual(all)
})

// ---- Steps

function block(name: string): string {
  return findBlocks('README.md', name, 1)[0]!.text
}

/** The first program with its one line changed, as the text says. */
function firstWithUrl(url: string): string {
  const line = replaced(block('first with url').trim(), 'nats://localhost:4222', url)
  return replaced(block('first'), 'const broker = await openBroker()', line)
}

function replaced(text: string, what: string, by: string): string {
  expect(text).toContain(what)
  return text.replace(what, by)
}

function program(text: string): RunningCommand {
  const command = startProgram(text)
  commands.push(command)
  return command
}

function shell(script: string, url?: string): RunningCommand {
  const command = startShell(script, url === undefined ? {} : { NATS_URL: url })
  commands.push(command)
  return command
}

async function publishUntilSeen(url: string): Promise<void> {
  const subscribed = shell(block('subscribe'), url)
  await untilPrinted(subscribed, 'Subscribed to price.*')
  const published = await shell(block('publish'), url).outcome
  expect(published.exitCode, published.stderr).toBe(0)
  await untilPrinted(subscribed, '[#1] Received on "price.AAPL"\n187.2\n')
}

async function untilPrinted(command: RunningCommand, text: string): Promise<void> {
  await expect.poll(() => command.printed(), { timeout: 15_000 }).toContain(text)
}

async function connectWhenUp(options: { readonly url: string }) {
  for (let tries = 0; ; tries++) {
    try {
      return await openBroker(options)
    } catch (error) {
      if (tries === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

async function freePort(): Promise<number> {
  const listener = createServer()
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as AddressInfo
  await new Promise((resolve) => listener.close(resolve))
  return port
}
