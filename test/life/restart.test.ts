// A program that starts anew over its data: under a file watcher, by a hot reload inside the process, and with two copies of the
// package in one process.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FanfareError, openBroker, type event } from '../../src/broker/index.js'
import { root } from '../docs/runnable-blocks.js'

const PATIENT = { timeout: 60_000 }
const directory = mkdtempSync(join(tmpdir(), 'fanfare-restart-'))
let directories = 0

afterAll(() => rmSync(directory, { recursive: true, force: true }))

const freshDirectory = (): string => join(directory, String(directories++))

describe('under node --watch', PATIENT, () => {
  it.each([
    ['without a signal handler', ''],
    ['with one that closes', `process.once('SIGTERM', () => void broker.close())`],
  ])('a changed program opens the directory again, %s', async (_, handler) => {
    const data = freshDirectory()
    const program = join(directory, `watched-${directories}.mjs`)
    const door = JSON.stringify(pathToFileURL(join(root, 'dist', 'broker', 'index.js')).href)
    const text = `import { openBroker } from ${door}
      const broker = await openBroker({ directory: ${JSON.stringify(data)}, onEvent: () => {} })
      await broker.stream('starts', { topics: ['start'] })
      await broker.consume('starts', 'start', ({ data, sequence }) => console.log('life', sequence, data))
      ${handler}
      await broker.publish('start', process.pid)`
    writeFileSync(program, text)
    const watcher = spawn(process.execPath, ['--watch', program], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [watcher.stdout, watcher.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
    }
    const ended = once(watcher, 'close')
    try {
      for (const life of [1, 2, 3]) {
        await expect.poll(() => output, { timeout: 30_000 }).toContain(`life ${life} `)
        writeFileSync(program, `${text}\n// ${life}`)
        utimesSync(program, new Date(), new Date())
      }
    } finally {
      watcher.kill('SIGTERM')
      await ended
    }
    expect(output).not.toContain('DIRECTORY_LOCKED')
  })
})

describe('a hot reload inside the process', PATIENT, () => {
  it('waits for the old broker that is closing', async () => {
    const data = freshDirectory()
    const old = await openBroker({ directory: data })
    await old.stream('orders', { topics: ['order.>'] })
    await old.publish('order.placed', 1)
    const opening = openBroker({ directory: data })
    await old.close()
    const next = await opening
    expect((await (await next.stream('orders')).info()).messages).toBe(1)
    await next.close()
  })

  it('is refused by an old broker that stays open, which goes on', async () => {
    const data = freshDirectory()
    const old = await openBroker({ directory: data })
    await old.stream('orders', { topics: ['order.>'] })
    await expect(openBroker({ directory: data })).rejects.toMatchObject({
      code: 'DIRECTORY_LOCKED',
      retryable: true,
      details: { processId: process.pid },
    })
    expect((await old.publish('order.placed', 1)).sequence).toBe(1)
    await old.close()
  })
})

describe('two copies of the package', PATIENT, () => {
  type Copy = Readonly<{
    FanfareError: typeof FanfareError
    event: typeof event
    openBroker: typeof openBroker
  }>
  let other: Copy

  beforeAll(async () => {
    const copy = join(directory, 'copy')
    cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true })
    writeFileSync(join(copy, 'package.json'), '{ "type": "module" }')
    const door = pathToFileURL(join(copy, 'dist', 'broker', 'index.js')).href
    other = (await import(/* @vite-ignore */ door)) as Copy
    expect(other.openBroker).not.toBe(openBroker)
  })

  it('recognise the errors of each other', async () => {
    const broker = await other.openBroker()
    const error: unknown = await broker.publish('nowhere', 1).catch((reason: unknown) => reason)
    expect(error).not.toBeInstanceOf(FanfareError)
    expect(FanfareError.is(error) && error.code).toBe('NO_STREAM')
    await broker.close()
  })

  it('use the definitions of each other', async () => {
    const Placed = other.event('order.{region}.placed')
    const broker = await openBroker({ catalog: [Placed] })
    await broker.stream('orders', { topics: ['order.>'] })
    const seen: unknown[] = []
    broker.subscribe(Placed, ({ params, data }) => void seen.push(params.region, data))
    broker.emit(Placed, 1, { params: { region: 'eu' } })
    await broker.publish(Placed, 2, { params: { region: 'us' } })
    expect(seen).toEqual(['eu', 1, 'us', 2])
    await broker.close()
  })

  it('leave a directory to the one that has it', async () => {
    const data = freshDirectory()
    const mine = await openBroker({ directory: data })
    const error: unknown = await other.openBroker({ directory: data }).catch((e: unknown) => e)
    expect(FanfareError.is(error) && error.code).toBe('DIRECTORY_LOCKED')
    await mine.close()
    const theirs = await other.openBroker({ directory: data })
    await theirs.close()
  })
})
