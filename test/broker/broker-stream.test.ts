// Streams through the API: made or verified, read from anywhere, changed, purged.
import { afterEach, describe, expect, it } from 'vitest'
import { event, type BrokerStream, type StoredMessage } from '../../src/broker/index.js'
import { shapeOf } from '../conformance/schemas.js'
import { codeOf, DurableStage } from './durable-stage.js'

const Placed = event('order.placed', shapeOf({ id: 'number' }))
const Paid = event('order.paid', shapeOf({ id: 'number' }))
const Price = event('price.{symbol}', shapeOf({ bid: 'number' }))

let stage: DurableStage

afterEach(() => stage.run(stage.broker.close()))

async function openOrders(): Promise<BrokerStream> {
  stage = new DurableStage()
  return stage.run(stage.broker.stream('orders', { topics: ['order.>'] }))
}

/** Five messages: 1 placed, 2 paid, 3 placed, 4 paid, 5 placed; a minute between them. */
async function openFilledOrders(): Promise<BrokerStream> {
  const orders = await openOrders()
  for (let id = 1; id <= 5; id++) {
    await stage.run(stage.broker.publish(id % 2 === 1 ? Placed : Paid, { id }))
    stage.clock.advance(60_000)
  }
  return orders
}

async function collect<M extends StoredMessage>(messages: AsyncIterable<M>): Promise<M[]> {
  const collected: M[] = []
  const work = (async () => {
    for await (const message of messages) collected.push(message)
  })()
  await stage.run(work)
  return collected
}

const sequencesOf = (messages: readonly StoredMessage[]) => messages.map((each) => each.sequence)

describe('broker.stream', () => {
  it('takes the same options again, and says which ones differ, in the words of the options', async () => {
    const orders = await openOrders()
    await stage.run(stage.broker.stream('orders', { topics: 'order.>', duplicateWindow: '2m' }))
    const differing = stage.broker.stream('orders', {
      topics: ['order.>'],
      maxAge: '7d',
      discard: 'new',
    })
    await expect(stage.run(differing)).rejects.toMatchObject({
      code: 'STREAM_DIFFERS',
      details: { fields: ['discard', 'maxAge'] },
    })
    await stage.run(orders.update({ maxAge: '7d', discard: 'new' }))
    await stage.run(
      stage.broker.stream('orders', { topics: ['order.>'], maxAge: '7d', discard: 'new' }),
    )
    expect((await stage.run(orders.info())).options).toMatchObject({ maxAge: 604_800_000 })
  })

  it('finds one by its name, and says when there is none', async () => {
    await openOrders()
    expect((await stage.run(stage.broker.stream('orders'))).name).toBe('orders')
    expect(await codeOf(stage.run(stage.broker.stream('other')))).toBe('STREAM_NOT_FOUND')
  })

  it('takes definitions for topics, and no topic twice', async () => {
    await openOrders()
    const prices = await stage.run(stage.broker.stream('prices', { topics: Price }))
    expect((await stage.run(prices.info())).options.topics).toEqual(['price.*'])
    const overlapping = stage.broker.stream('placed', { topics: [Placed] })
    expect(await codeOf(stage.run(overlapping))).toBe('TOPICS_OVERLAP')
  })

  it('promises no durability that it does not have', async () => {
    stage = new DurableStage()
    const durable = stage.broker.stream('orders', { topics: 'order.>', durability: 'fsync' })
    expect(await codeOf(stage.run(durable))).toBe('UNSUPPORTED')
  })

  it.each([
    { topics: [] },
    { topics: ['a..b'] },
    { topics: ['a.{id}'] },
    { topics: ['a'], maxMessages: 0 },
    { topics: ['a'], maxAge: 'a week' },
    { topics: ['a'], discard: 'oldest' },
    { topics: ['a'], retention: 'workqueue' },
    { topics: ['a'], durability: 'disk' },
    {},
  ])('refuses %j', async (options) => {
    stage = new DurableStage()
    expect(await codeOf(stage.run(stage.broker.stream('a', options as never)))).toMatch(/_INVALID$/)
  })
})

describe('read', () => {
  it.each([
    ['first', [1, 2, 3, 4, 5]],
    ['last', [5]],
    [3, [3, 4, 5]],
    ['last-per-topic', [4, 5]],
    ['150s ago', [4, 5]],
  ] as const)('from %j', async (from, sequences) => {
    const orders = await openFilledOrders()
    expect(sequencesOf(await collect(orders.read({ from })))).toEqual(sequences)
  })

  it('from a Date, by topics, up to a limit', async () => {
    const orders = await openFilledOrders()
    const from = new Date(stage.clock.nowMs() - 230_000)
    expect(sequencesOf(await collect(orders.read({ from })))).toEqual([3, 4, 5])
    const paid = await collect(orders.read({ topics: Paid }))
    expect(paid.map(({ data }) => data.id)).toEqual([2, 4])
    expect(sequencesOf(await collect(orders.read({ topics: ['order.placed'], limit: 2 })))).toEqual(
      [1, 3],
    )
    expect(await collect(orders.read({ limit: 0 }))).toEqual([])
  })

  it('shows what was published: id, key, headers, time, stream', async () => {
    const orders = await openOrders()
    const publishedAt = new Date(stage.clock.nowMs())
    const attributes = { id: 'order-1', key: 'customer-7', headers: { a: 'b' } }
    await stage.run(stage.broker.publish(Placed, { id: 1 }, attributes))
    stage.clock.advance(1_000)
    const [message] = await collect(orders.read({ topics: [Placed, Paid] }))
    expect(message).toMatchObject({
      stream: 'orders',
      sequence: 1,
      id: 'order-1',
      key: 'customer-7',
      topic: 'order.placed',
      type: 'order.placed',
      kind: 'event',
      time: publishedAt,
      data: { id: 1 },
    })
    expect(message!.headers.get('a')).toBe('b')
    expect(message!.headers.get('Nats-Msg-Id')).toBe('order-1')
  })

  it('ends with what was there when it began', async () => {
    const orders = await openFilledOrders()
    const messages = orders.read()
    await stage.run(messages.next())
    await stage.run(stage.broker.publish(Placed, { id: 6 }))
    expect(sequencesOf(await collect(messages))).toEqual([2, 3, 4, 5])
  })

  it('follows: what is there, and then what comes', async () => {
    const orders = await openFilledOrders()
    const seen: number[] = []
    const work = (async () => {
      for await (const message of orders.read({ from: 4, follow: true })) {
        seen.push(message.sequence)
        if (seen.length === 4) break
      }
    })()
    await stage.settle()
    expect(seen).toEqual([4, 5])
    await stage.run(stage.broker.publish(Placed, { id: 6 }))
    await stage.run(stage.broker.publish(Placed, { id: 7 }))
    await stage.run(work)
    expect(seen).toEqual([4, 5, 6, 7])
    expect(await stage.run(orders.consumers())).toEqual([])
  })

  it(`follows by itself from 'new', until its signal or the stream's end`, async () => {
    const orders = await openFilledOrders()
    const controller = new AbortController()
    const aborted = orders.read({ from: 'new', signal: controller.signal })
    const next = aborted.next()
    await stage.settle()
    await stage.run(stage.broker.publish(Placed, { id: 6 }))
    expect((await stage.run(next)).value).toMatchObject({ sequence: 6 })
    const waiting = aborted.next()
    await stage.settle()
    controller.abort(new Error('enough'))
    await expect(stage.run(waiting)).rejects.toThrow('enough')

    const orphaned = codeOf(orders.read({ from: 'new' }).next())
    await stage.settle()
    await stage.run(orders.delete())
    expect(await stage.run(orphaned)).toBe('STREAM_DELETED')
  })

  it('ends a loop that follows when the broker closes', async () => {
    const orders = await openOrders()
    const next = orders.read({ follow: true }).next()
    await stage.settle()
    await stage.run(stage.broker.close())
    expect(await stage.run(next)).toEqual({ done: true, value: undefined })
  })

  it('rejects with the reason of its signal', async () => {
    const orders = await openFilledOrders()
    const controller = new AbortController()
    const messages = orders.read({ signal: controller.signal })
    await stage.run(messages.next())
    controller.abort(new Error('enough'))
    await expect(stage.run(messages.next())).rejects.toThrow('enough')
  })
})

describe('single messages', () => {
  it('are got by sequence, or as the last of a topic', async () => {
    const orders = await openFilledOrders()
    expect((await stage.run(orders.get(2)))?.data).toEqual({ id: 2 })
    expect(await stage.run(orders.get(6))).toBeUndefined()
    expect((await stage.run(orders.last(Placed)))?.data.id).toBe(5)
    expect(await stage.run(orders.last('order.lost'))).toBeUndefined()
  })

  it('are removed', async () => {
    const orders = await openFilledOrders()
    expect(await stage.run(orders.remove(2))).toBe(true)
    expect(await stage.run(orders.remove(2))).toBe(false)
    expect(sequencesOf(await collect(orders.read()))).toEqual([1, 3, 4, 5])
    expect(await stage.run(orders.info())).toMatchObject({
      messages: 4,
      removed: 1,
      lastSequence: 5,
    })
  })

  it('of a template are found by its parameters', async () => {
    stage = new DurableStage()
    const prices = await stage.run(
      stage.broker.stream('prices', { topics: Price, maxMessagesPerTopic: 1 }),
    )
    for (const bid of [1, 2]) {
      for (const symbol of ['AAPL', 'MSFT']) {
        await stage.run(stage.broker.publish(Price, { bid }, { params: { symbol } }))
      }
    }
    const price = await stage.run(prices.last(Price, { params: { symbol: 'AAPL' } }))
    expect(price).toMatchObject({ data: { bid: 2 }, params: { symbol: 'AAPL' } })
    expect(await stage.run(prices.topics())).toEqual([
      { topic: 'price.AAPL', messages: 1, firstSequence: 3, lastSequence: 3 },
      { topic: 'price.MSFT', messages: 1, firstSequence: 4, lastSequence: 4 },
    ])
    expect(await stage.run(prices.topics('price.M*'))).toEqual([])
  })
})

describe('purge and delete', () => {
  it.each([
    [{}, []],
    [{ before: 3 }, [3, 4, 5]],
    [{ topic: Paid }, [1, 3, 5]],
    [{ keep: 2 }, [4, 5]],
    [{ topic: 'order.placed', keep: 1 }, [2, 4, 5]],
  ] as const)('purges %j', async (options, left) => {
    const orders = await openFilledOrders()
    expect(await stage.run(orders.purge(options))).toBe(5 - left.length)
    expect(sequencesOf(await collect(orders.read()))).toEqual(left)
  })

  it('deletes a stream with its consumers, and says so to their members', async () => {
    const orders = await openFilledOrders()
    const consumption = await stage.run(stage.broker.consume('billing', Placed, () => {}))
    expect(await stage.run(orders.delete())).toBe(true)
    expect(await stage.run(orders.delete())).toBe(false)
    expect(consumption.isClosed).toBe(true)
    expect(stage.eventsOf('consumer-ended')).toMatchObject([
      { stream: 'orders', consumer: 'billing' },
    ])
    expect(await codeOf(stage.run(stage.broker.publish(Placed, { id: 1 })))).toBe('NO_STREAM')
  })
})

describe('consumers of a stream', () => {
  it('are made before anybody consumes, and taken up by a consume that says the same', async () => {
    const orders = await openFilledOrders()
    const made = await stage.run(orders.createConsumer('billing', { topics: Placed, from: 3 }))
    expect(made).toMatchObject({
      name: 'billing',
      topics: ['order.placed'],
      pending: 2,
      members: 0,
      options: { topics: ['order.placed'], from: 3, retry: { attempts: 5 }, order: 'stream' },
    })
    const seen: number[] = []
    const handler = ({ data }: { readonly data: { readonly id: number } }) =>
      void seen.push(data.id)
    await stage.run(stage.broker.consume('billing', Placed, handler, { from: 3 }))
    await stage.settle()
    expect(seen).toEqual([3, 5])
    const other = orders.createConsumer('billing', { topics: Placed, from: 3, order: 'key' })
    await expect(stage.run(other)).rejects.toMatchObject({
      code: 'CONSUMER_DIFFERS',
      details: { fields: ['order'] },
    })
  })

  it('can be made again from the options that their status shows', async () => {
    const orders = await openFilledOrders()
    const options = {
      topics: [Placed, Paid],
      from: new Date(stage.clock.nowMs() - 90_000),
      order: 'key',
      retry: { attempts: Infinity },
      deadLetter: false,
      maxAge: '1h',
      description: 'a test',
    } as const
    const status = await stage.run(orders.createConsumer('billing', options))
    expect(await stage.run(orders.createConsumer('billing', status.options))).toEqual(status)
  })

  it('are paused and resumed by name, for a time too', async () => {
    const orders = await openFilledOrders()
    await stage.run(orders.createConsumer('billing', { topics: Placed }))
    await stage.run(orders.pauseConsumer('billing'))
    const seen: number[] = []
    const handler = ({ data }: { readonly data: { readonly id: number } }) =>
      void seen.push(data.id)
    await stage.run(stage.broker.consume('billing', Placed, handler))
    await stage.settle()
    expect(seen).toEqual([])
    expect((await stage.run(orders.consumers()))[0]).toMatchObject({ isPaused: true })
    await stage.run(orders.pauseConsumer('billing', '10s'))
    await stage.advance(9_999)
    expect(seen).toEqual([])
    await stage.advance(1)
    expect(seen).toEqual([1, 3, 5])
    await stage.run(orders.pauseConsumer('billing'))
    await stage.run(orders.resumeConsumer('billing'))
    expect((await stage.run(orders.consumers()))[0]).toMatchObject({ isPaused: false })
  })

  it('that are not there are refused', async () => {
    const orders = await openOrders()
    expect(await codeOf(stage.run(orders.pauseConsumer('nobody')))).toBe('CONSUMER_NOT_FOUND')
    expect(await codeOf(stage.run(orders.resumeConsumer('nobody')))).toBe('CONSUMER_NOT_FOUND')
  })
})

it('lists every stream by its name', async () => {
  await openOrders()
  await stage.run(stage.broker.stream('audit', { topics: ['audit.>'] }))
  const streams = await stage.run(stage.broker.streams())
  expect(streams.map(({ name }) => name)).toEqual(['audit', 'orders'])
})
