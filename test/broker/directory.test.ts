// A broker on a directory: what had a receipt is there after a restart, and so are places, ids, dead letters and outputs.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { event, openBroker, type Broker, type BrokerEvent } from '../../src/broker/index.js'
import { codeOf } from './durable-stage.js'

const Placed = event<'order.placed', { id: number }>('order.placed')
const Paid = event<'order.paid', { id: number }>('order.paid')

let directory: string
let broker: Broker | undefined
const events: BrokerEvent[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fanfare-broker-'))
  events.length = 0
})

afterEach(async () => {
  await broker?.close()
  rmSync(directory, { recursive: true, force: true })
})

async function reopen(): Promise<Broker> {
  await broker?.close()
  broker = await openBroker({ directory, onEvent: (one) => void events.push(one) })
  return broker
}

async function idsOf(source: typeof Placed | typeof Paid): Promise<number[]> {
  const ids: number[] = []
  const orders = await broker!.stream('orders')
  for await (const { data } of orders.read({ topics: source })) ids.push(data.id)
  return ids
}

it('keeps messages, options and ids over a restart', async () => {
  const first = await reopen()
  await first.stream('orders', { topics: ['order.>'], maxAge: '7d' })
  expect(await first.publish(Placed, { id: 1 }, { id: 'a' })).toMatchObject({
    sequence: 1,
    durability: 'fsync',
  })
  const many = Array.from({ length: 1_000 }, (_, i) => first.publish(Placed, { id: i + 2 }))
  expect((await Promise.all(many)).map(({ sequence }) => sequence)).toEqual(
    Array.from({ length: 1_000 }, (_, i) => i + 2),
  )

  const second = await reopen()
  await second.stream('orders', { topics: ['order.>'], maxAge: '7d' })
  expect(await codeOf(second.stream('orders', { topics: ['order.>'] }))).toBe('STREAM_DIFFERS')
  expect(await second.publish(Placed, { id: 9 }, { id: 'a' })).toMatchObject({
    sequence: 1,
    isDuplicate: true,
  })
  expect((await second.publish(Placed, { id: 1_002 })).sequence).toBe(1_002)
  expect(await idsOf(Placed)).toEqual(Array.from({ length: 1_002 }, (_, i) => i + 1))
})

it('keeps the place and the dead letters of a consumer over a restart', async () => {
  const first = await reopen()
  await first.stream('orders', { topics: ['order.>'] })
  await Promise.all([1, 2, 3].map((id) => first.publish(Placed, { id })))
  const seen: number[] = []
  const member = await first.consume('billing', Placed, (message) => {
    seen.push(message.data.id)
    if (message.data.id === 2) message.reject('no')
  })
  await expect.poll(() => seen).toEqual([1, 2, 3])
  const orders = await first.stream('orders')
  await expect.poll(() => orders.deadLetters.count()).toBe(1)
  await member.close()

  const second = await reopen()
  await second.publish(Placed, { id: 4 })
  await second.consume('billing', Placed, (message) => void seen.push(message.data.id))
  await expect.poll(() => seen).toEqual([1, 2, 3, 4])
  expect(await (await second.stream('orders')).deadLetters.redrive()).toBe(1)
  await expect.poll(() => seen).toEqual([1, 2, 3, 4, 2])
})

it('keeps outputs and acknowledgements together over a restart', async () => {
  const first = await reopen()
  await first.stream('orders', { topics: ['order.>'] })
  await Promise.all([1, 2, 3, 4].map((id) => first.publish(Placed, { id })))
  const pay = (on: Broker) =>
    on.consume('payer', Placed, (message, tx) => tx.publish(Paid, message.data), {
      delivery: 'exactly-once',
      concurrency: 4,
    })
  await pay(first)
  const second = await reopen()
  await pay(second)
  await expect.poll(async () => (await idsOf(Paid)).sort()).toEqual([1, 2, 3, 4])
})

it('takes no empty path for a directory', async () => {
  expect(await codeOf(openBroker({ directory: '' }))).toBe('OPTION_INVALID')
  expect(await codeOf(openBroker({ directory: 5 as never }))).toBe('OPTION_INVALID')
})

it('reads the last message of each topic from the disk', async () => {
  const first = await reopen()
  await first.stream('prices', { topics: ['price.*'] })
  for (const symbol of ['a', 'b', 'a', 'c', 'b']) await first.publish(`price.${symbol}`, symbol)

  const prices = await (await reopen()).stream('prices')
  const sequences: number[] = []
  for await (const { sequence } of prices.read({ from: 'last-per-topic' })) sequences.push(sequence)
  expect(sequences).toEqual([3, 4, 5])
})
