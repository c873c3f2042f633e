// `fanfare stream` on a data directory.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestDirectory } from './command.js'

let data: TestDirectory

beforeEach(() => {
  data = new TestDirectory()
})

afterEach(() => data.remove())

async function addOrders(): Promise<void> {
  await data.run(['stream', 'add', 'orders', 'order.>'])
  await data.run(['pub', 'order.placed', '--directory', data.path], 'one\ntwo\nthree\n')
  await data.run(['pub', 'order.paid', 'four', '--directory', data.path])
}

describe('making and changing', () => {
  it('makes the directory and the stream, and takes the same again', async () => {
    const command = ['stream', 'add', 'orders', 'order.>', 'refund.*', '--max-age', '7d']
    const made = await data.json(command)
    expect(made).toMatchObject({
      name: 'orders',
      messages: 0,
      options: { topics: ['order.>', 'refund.*'], maxAge: 604_800_000, durability: 'fsync' },
    })
    expect(await data.json(command)).toEqual(made)
  })

  it('shows what a stream of that name has otherwise', async () => {
    await data.run(['stream', 'add', 'orders', 'order.>'])
    const said = await data.fails(['stream', 'add', 'orders', 'order.>', '--max-bytes', '1GB'])
    expect(said).toContain('STREAM_DIFFERS')
    expect(said).toContain('maxBytes')
  })

  it('changes what is named and leaves the rest', async () => {
    await data.run(['stream', 'add', 'orders', 'order.>', '--max-messages', '10'])
    const change = ['stream', 'edit', 'orders', '--max-bytes', '1MB', '--discard', 'new']
    await data.run(change)
    const { options } = await data.json<{ options: object }>(['stream', 'info', 'orders'])
    expect(options).toMatchObject({ maxMessages: 10, maxBytes: 1_048_576, discard: 'new' })
    expect(await data.fails(['stream', 'edit', 'orders'])).toContain('OPTION_INVALID')
  })

  it.each([
    ['--max-bytes', '10 apples'],
    ['--max-age', 'soon'],
    ['--max-messages', '0'],
    ['--discard', 'some'],
  ])('refuses %s %s', async (flag, value) => {
    await data.fails(['stream', 'add', 'orders', 'order.>', flag, value])
    expect(existsSync(data.path)).toBe(false)
  })
})

describe('looking', () => {
  it('lists streams in columns', async () => {
    await addOrders()
    await data.run(['stream', 'add', 'audit', 'audit.>'])
    const [headings, audit, orders, ...rest] = (await data.run(['stream', 'ls'])).split('\n')
    expect(headings).toMatch(/^NAME {4}TOPICS {3}MESSAGES {2}BYTES {2}LAST SEQUENCE/)
    expect(audit).toMatch(/^audit {3}audit\.> {9}0 {6}0 {14}0 {10}0 {2}-$/)
    expect(orders).toMatch(/^orders {2}order\.> {9}4 +\d+ {14}4 {10}0 {2}\d{4}-\d\d-\d\dT.*Z$/)
    expect(rest).toEqual([''])
    const listed = await data.json<{ name: string }[]>(['stream', 'ls'])
    expect(listed.map(({ name }) => name)).toEqual(['audit', 'orders'])
  })

  it('shows one stream, a field a line', async () => {
    await addOrders()
    const text = await data.run(['stream', 'info', 'orders'])
    expect(text).toMatch(/^name {18}orders$/m)
    expect(text).toMatch(/^duplicate window {6}2m$/m)
    expect(text).toMatch(/^messages {14}4$/m)
  })

  it('lists the topics that have messages', async () => {
    await addOrders()
    expect(await data.json(['stream', 'topics', 'orders'])).toEqual([
      { topic: 'order.paid', messages: 1, firstSequence: 4, lastSequence: 4 },
      { topic: 'order.placed', messages: 3, firstSequence: 1, lastSequence: 3 },
    ])
    const some = await data.run(['stream', 'topics', 'orders', 'order.pl*'])
    expect(some.trim().split('\n')).toHaveLength(1)
    expect(await data.run(['stream', 'topics', 'orders', 'order.placed'])).toContain('order.placed')
  })

  it('reads from a start, of topics, up to a limit', async () => {
    await addOrders()
    expect(await data.run(['stream', 'read', 'orders', '--raw'])).toBe('one\ntwo\nthree\nfour\n')
    const read = (...flags: string[]) => data.run(['stream', 'read', 'orders', '--raw', ...flags])
    expect(await read('--from', '2', '--limit', '2')).toBe('two\nthree\n')
    expect(await read('--from', 'last')).toBe('four\n')
    expect(await read('--from', '1h ago', '--topic', 'order.paid')).toBe('four\n')
    expect(await read('--from', '2020-01-01', '--limit', '1')).toBe('one\n')
    expect(await read('--from', 'last-per-topic')).toBe('three\nfour\n')
    expect(await data.fails(['stream', 'read', 'orders', '--from', 'later'])).toContain('from must')
  })

  it('gets one message, by its sequence or as the last of a topic', async () => {
    await addOrders()
    const text = await data.run(['stream', 'get', 'orders', '2'])
    expect(text).toMatch(/^\[orders #2\] "order\.placed" at \d{4}-.*Z\ntwo\n\n$/)
    expect(
      (await data.jsonLines(['stream', 'get', 'orders', '--last', 'order.placed']))[0],
    ).toMatchObject({ stream: 'orders', sequence: 3, topic: 'order.placed', data: 'three' })
    expect(await data.fails(['stream', 'get', 'orders', '9'])).toContain('no message 9')
    expect(await data.fails(['stream', 'get', 'orders'])).toContain('say which message')
  })

  it('names the streams there are when one is not there', async () => {
    const said = async () => (await data.fails(['stream', 'info', 'order'])).trim()
    await addOrders()
    expect(await said()).toBe(
      'fanfare: STREAM_NOT_FOUND: there is no stream order; there is orders',
    )
    await data.run(['stream', 'add', 'events', 'event.>'])
    expect(await said()).toContain('there are events, orders')
  })
})

describe('removing', () => {
  it.each([
    ['purge', 'messages'],
    ['rm', 'stream'],
  ])('%s asks nobody without a terminal, and removes nothing', async (command) => {
    await addOrders()
    expect(await data.fails(['stream', command, 'orders'])).toContain('give --force')
    expect(await data.json(['stream', 'info', 'orders'])).toMatchObject({ messages: 4 })
  })

  it('purges of a topic, below a sequence, or all but some', async () => {
    await addOrders()
    const purge = (...flags: string[]) =>
      data.json(['stream', 'purge', 'orders', '--force', ...flags])
    expect(await purge('--topic', 'order.paid')).toEqual({ stream: 'orders', removed: 1 })
    expect(await purge('--before', '2')).toMatchObject({ removed: 1 })
    expect(await purge('--keep', '1')).toMatchObject({ removed: 1 })
    expect(await data.run(['stream', 'read', 'orders', '--raw'])).toBe('three\n')
    expect(await data.run(['stream', 'purge', 'orders', '-f'])).toBe(
      'Removed 1 message of stream orders\n',
    )
  })

  it('removes a stream', async () => {
    await addOrders()
    await data.run(['stream', 'rm', 'orders', '--force'])
    expect(await data.fails(['stream', 'info', 'orders'])).toContain('there is none')
  })
})

describe('the place', () => {
  it('must be a data directory, and nothing is made of one that is not', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'fanfare-empty-'))
    const said = await data.fails(['stream', 'ls', '--directory', empty])
    expect(said).toContain('is no data directory')
    expect(readdirSync(empty)).toEqual([])
    rmSync(empty, { recursive: true })
  })

  it('is not a server yet', async () => {
    const commands = [
      ['stream', 'ls'],
      ['consumer', 'ls', 'orders'],
      ['dead-letter', 'ls', 'orders'],
      ['pub', 'order.placed', 'x', '--directory', data.path],
    ]
    for (const command of commands) {
      const said = await data.fails([...command, '--server', 'nats://127.0.0.1:4222'])
      expect(said).toContain('UNSUPPORTED')
    }
  })
})
