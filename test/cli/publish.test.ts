// `fanfare pub --directory`: stored durably, with a receipt.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { TestDirectory } from './command.js'

let data: TestDirectory

beforeEach(async () => {
  data = new TestDirectory()
  await data.run(['stream', 'add', 'orders', 'order.>'])
})

afterEach(() => data.remove())

const pub = (...args: string[]) => ['pub', '--directory', data.path, ...args]

it('prints a receipt for each message, in their order', async () => {
  expect(await data.run(pub('order.placed', 'x', '--count', '2'))).toBe(
    'Stored in orders as #1 (fsync)\nStored in orders as #2 (fsync)\n',
  )
  const input = Array.from({ length: 2_500 }, (_, i) => `line ${i + 3}\n`).join('')
  const text = await data.run(pub('order.placed', '--json'), input)
  const receipts = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { sequence: number })
  expect(receipts.map(({ sequence }) => sequence)).toEqual(
    Array.from({ length: 2_500 }, (_, i) => i + 3),
  )
  expect(await data.run(['stream', 'get', 'orders', '2502', '--raw'])).toBe('line 2502\n')
})

it('stores an id once', async () => {
  await data.run(pub('order.placed', 'x', '--id', 'order-1'))
  expect(await data.run(pub('order.placed', 'x', '--id', 'order-1'))).toBe(
    'Stored before in orders as #1 (duplicate)\n',
  )
  const [receipt] = await data.jsonLines(pub('order.placed', 'x', '--id', 'order-1'))
  expect(receipt).toEqual({ stream: 'orders', sequence: 1, isDuplicate: true, durability: 'fsync' })
  await data.run(pub('order.placed', 'x', '--count', '3', '--id', 'many-{{Count}}'))
  expect(await data.json(['stream', 'info', 'orders'])).toMatchObject({ messages: 4 })
})

it('keeps key and headers', async () => {
  await data.run(pub('order.placed', 'x', '--key', 'customer-7', '-H', 'Origin: shop', '--quiet'))
  const [message] = await data.jsonLines(['stream', 'get', 'orders', '1'])
  expect(message?.headers).toMatchObject({ 'ce-partitionkey': ['customer-7'], Origin: ['shop'] })
})

it('refuses what is not expected, and stores nothing', async () => {
  await data.run(pub('order.placed', 'x', '--expect-last-sequence', '0'))
  expect(await data.fails(pub('order.placed', 'x', '--expect-last-sequence', '0'))).toContain(
    'EXPECTATION_FAILED',
  )
  expect(await data.json(['stream', 'info', 'orders'])).toMatchObject({ lastSequence: 1 })
  const several = pub('order.placed', 'x', '--count', '2', '--expect-last-sequence', '1')
  expect(await data.fails(several)).toContain('for a single message')
})

it('hides a message for its delay', async () => {
  await data.run(pub('order.placed', 'later', '--delay', '1h'))
  await data.run(pub('order.placed', 'now'))
  expect(await data.run(['stream', 'read', 'orders', '--raw'])).toBe('now\n')
})

it('takes a time to live', async () => {
  await data.run(pub('order.placed', 'x', '--ttl', '1h'))
  const [message] = await data.jsonLines(['stream', 'get', 'orders', '1'])
  expect(message?.headers).toMatchObject({ 'Nats-TTL': ['3600000ms'] })
})

it('says what to do when no stream captures the topic', async () => {
  const said = await data.fails(pub('payment.made', 'x'))
  expect(said).toContain('NO_STREAM')
  expect(said).toContain(`fanfare stream add NAME 'payment.made'`)
})

it('has nothing to keep terms of through a server', async () => {
  expect(await data.fails(['pub', 'order.placed', 'x', '--ttl', '1h'])).toContain(
    'give --directory',
  )
})
