// Durable publishing through the API: receipts, ids, expectations, lifetimes, and what is refused.
import { afterEach, describe, expect, it } from 'vitest'
import {
  Broker,
  command,
  event,
  openBroker,
  query,
  type StreamOptions,
} from '../../src/broker/index.js'
import { jsonCodec } from '../../src/codec/index.js'
import type { Engine } from '../../src/engine/index.js'
import { toLiveFilter } from '../../src/broker/live-filter.js'
import { EmbeddedEngine } from '../../src/embedded/index.js'
import { isNumberSchema, shapeOf } from '../conformance/schemas.js'
import { codeOf, DurableStage } from './durable-stage.js'

const Placed = event('order.placed', shapeOf({ id: 'number' }))
const Ship = command('order.ship', shapeOf({ id: 'number' }))
const Total = query('order.total', isNumberSchema, { reply: isNumberSchema })

let stage: DurableStage

afterEach(() => stage.run(stage.broker.close()))

async function openOrders(options: Partial<StreamOptions> = {}) {
  stage = new DurableStage()
  return stage.run(stage.broker.stream('orders', { topics: ['order.>'], ...options }))
}

const publish = (id: number, options?: Parameters<typeof stage.broker.publish<typeof Placed>>[2]) =>
  stage.run(stage.broker.publish(Placed, { id }, options))

async function idsIn(orders: Awaited<ReturnType<typeof openOrders>>): Promise<number[]> {
  const ids: number[] = []
  await stage.run(async () => {
    for await (const { data } of orders.read({ topics: Placed })) ids.push(data.id)
  })
  return ids
}

describe('publish', () => {
  it('resolves with sequences in the order of the calls', async () => {
    await openOrders()
    const receipts = [1, 2, 3].map((id) => stage.broker.publish(Placed, { id }))
    expect(await stage.run(Promise.all(receipts))).toEqual(
      [1, 2, 3].map((sequence) => ({
        stream: 'orders',
        sequence,
        isDuplicate: false,
        durability: 'memory',
      })),
    )
  })

  it('reaches live subscribers too, and does not wait for them', async () => {
    await openOrders()
    const seen: unknown[] = []
    stage.broker.subscribe(Placed, ({ data }) => {
      seen.push(data)
      return new Promise(() => {})
    })
    await publish(1)
    expect(seen).toEqual([{ id: 1 }])
    await stage.run(async () => {
      const closing = stage.broker.close({ drain: 10 })
      await stage.advance(10)
      await closing
    })
  })

  it('stores an id once within the window', async () => {
    const orders = await openOrders({ duplicateWindow: '1m' })
    expect(await publish(1, { id: 'a' })).toMatchObject({ sequence: 1, isDuplicate: false })
    expect(await publish(2, { id: 'a' })).toMatchObject({ sequence: 1, isDuplicate: true })
    expect(await publish(3)).toMatchObject({ sequence: 2 })
    await stage.advance(61_000)
    expect(await publish(4, { id: 'a' })).toMatchObject({ sequence: 3, isDuplicate: false })
    expect(await idsIn(orders)).toEqual([1, 3, 4])
  })

  it('checks what is expected of the stream', async () => {
    await openOrders()
    await publish(1, { expect: { lastSequence: 0, stream: 'orders' } })
    expect(await codeOf(publish(2, { expect: { lastSequence: 0 } }))).toBe('EXPECTATION_FAILED')
    expect(await codeOf(publish(2, { expect: { stream: 'other' } }))).toBe('EXPECTATION_FAILED')
    await stage.run(stage.broker.publish('order.other', 1))
    await publish(2, { expect: { lastTopicSequence: 1 } })
    expect(await codeOf(publish(3, { expect: { lastTopicSequence: 1 } }))).toBe(
      'EXPECTATION_FAILED',
    )
  })

  it('lets a message leave after its time to live', async () => {
    const orders = await openOrders()
    await publish(1, { ttl: '1s' })
    await publish(2)
    expect(await idsIn(orders)).toEqual([1, 2])
    await stage.advance(1_001)
    expect(await idsIn(orders)).toEqual([2])
  })

  it('hides a delayed message until its moment', async () => {
    const orders = await openOrders()
    await publish(1, { delay: '1h' })
    await publish(2, { deliverAt: new Date(stage.clock.nowMs() + 60_000) })
    await publish(3)
    expect(await idsIn(orders)).toEqual([3])
    await stage.advance(60_001)
    expect(await idsIn(orders)).toEqual([3, 2])
    await stage.advance(3_600_000)
    expect(await idsIn(orders)).toEqual([3, 2, 1])
  })

  it('rolls up what was there before', async () => {
    const orders = await openOrders()
    for (const id of [1, 2]) await publish(id)
    await stage.run(stage.broker.publish('order.other', 1))
    await publish(3, { rollUp: 'topic' })
    await stage.settle()
    expect(await idsIn(orders)).toEqual([3])
    expect((await stage.run(orders.info())).messages).toBe(2)
    await publish(4, { rollUp: 'all' })
    await stage.settle()
    expect((await stage.run(orders.info())).messages).toBe(1)
  })

  it('says which stream would take a topic that none does, and stores and delivers nothing', async () => {
    stage = new DurableStage()
    const seen: unknown[] = []
    stage.broker.subscribe('>', (message) => void seen.push(message))
    await expect(publish(1)).rejects.toMatchObject({
      code: 'NO_STREAM',
      message: expect.stringContaining(`topics: ['order.placed']`) as string,
    })
    expect(seen).toEqual([])
  })

  it('is refused by a full stream that discards what is new', async () => {
    const orders = await openOrders({ maxMessages: 1, discard: 'new' })
    await publish(1)
    await expect(publish(2)).rejects.toMatchObject({ code: 'STREAM_FULL', retryable: true })
    expect(await idsIn(orders)).toEqual([1])
  })

  it.each([
    ['VALIDATION_FAILED', () => stage.broker.publish(Placed, { id: 'x' } as never)],
    ['TOPIC_INVALID', () => stage.broker.publish('order.*', 1)],
    ['HEADER_INVALID', () => stage.broker.publish('order.a', 1, { headers: { 'a b': 'c' } })],
    ['HEADER_INVALID', () => stage.broker.publish('order.a', 1, { id: 'a\r\nb' })],
    ['ENCODE_FAILED', () => stage.broker.publish('order.a', 1n)],
    ['OPTION_INVALID', () => stage.broker.publish('order.a', 1, { id: '' })],
    ['OPTION_INVALID', () => stage.broker.publish('order.a', 1, { ttl: 0 })],
    ['DURATION_INVALID', () => stage.broker.publish('order.a', 1, { ttl: 'soon' as never })],
    ['OPTION_INVALID', () => stage.broker.publish('order.a', 1, { deliverAt: new Date(NaN) })],
    [
      'OPTION_INVALID',
      () => stage.broker.publish('order.a', 1, { delay: 1, deliverAt: new Date(5) }),
    ],
    ['OPTION_INVALID', () => stage.broker.publish('order.a', 1, { rollUp: 'none' as never })],
    ['KIND_MISMATCH', () => stage.broker.publish(Total as unknown as string, 1)],
    ['OPTION_INVALID', () => stage.broker.publish(undefined as unknown as string, 1)],
  ] as const)('rejects with %s, and does not throw (case %#)', async (code, call) => {
    const orders = await openOrders()
    expect(await codeOf(stage.run(call()))).toBe(code)
    expect((await stage.run(orders.info())).lastSequence).toBe(0)
  })

  it('takes the data as it is at the call', async () => {
    const orders = await openOrders()
    const data = { id: 1 }
    const receipt = stage.broker.publish(Placed, data)
    data.id = 2
    await stage.run(receipt)
    expect(await idsIn(orders)).toEqual([1])
  })

  it('keeps a message of a command for its one receiver', async () => {
    await openOrders({ retention: 'work-queue' })
    await stage.run(stage.broker.publish(Ship, { id: 1 }))
    const shipped: number[] = []
    await stage.run(
      stage.broker.consume('shipping', Ship, ({ data }) => void shipped.push(data.id)),
    )
    await stage.settle()
    expect(shipped).toEqual([1])
  })

  it('is UNSUPPORTED on an engine without streams', async () => {
    stage = new DurableStage()
    const live = new EmbeddedEngine()
    const engine = new Proxy(live, {
      get: (target, name) => {
        if (name === 'openDurable') return undefined
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (value as () => unknown).bind(target) : value
      },
    }) as Engine
    const broker = await openBroker({ engine })
    expect(await codeOf(broker.publish('a', 1))).toBe('UNSUPPORTED')
    expect(await codeOf(broker.stream('a', { topics: 'a' }))).toBe('UNSUPPORTED')
    expect(await codeOf(broker.consume('a', 'a', () => {}))).toBe('UNSUPPORTED')
    expect(await codeOf(broker.transaction(() => {}))).toBe('UNSUPPORTED')
    await broker.close()
  })

  it('keeps the order of the calls, the first ones of a broker included', async () => {
    await openOrders()
    const another = new Broker({
      engine: stage.engine,
      clock: stage.clock,
      codec: jsonCodec,
      toLiveFilter,
      onEvent: () => {},
    })
    const data = { id: 1 }
    const early = [another.publish(Placed, data), another.publish(Placed, { id: 2 })]
    data.id = 7
    const late = early[0]!.then(() => another.publish(Placed, { id: 4 }))
    const soon = Promise.resolve().then(() => another.publish(Placed, { id: 3 }))
    const receipts = await stage.run(Promise.all([...early, soon, late]))
    expect(receipts.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4])
    const stored = await stage.run(stage.broker.stream('orders'))
    expect(await idsIn(stored)).toEqual([1, 2, 3, 4])
    const last = another.publish(Placed, { id: 5 })
    await stage.run(another.close())
    expect((await last).sequence).toBe(5)
  })

  it('keeps what was accepted when the broker closes, and takes nothing after', async () => {
    await openOrders()
    const receipt = stage.broker.publish(Placed, { id: 1 })
    await stage.run(stage.broker.close())
    expect((await receipt).sequence).toBe(1)
    expect(await codeOf(stage.broker.publish(Placed, { id: 2 }))).toBe('CLOSED')
  })
})

describe('transaction', () => {
  it('stores all of it, with receipts in the order of the calls', async () => {
    await openOrders()
    await stage.run(stage.broker.stream('prices', { topics: ['price.>'] }))
    const receipts = await stage.run(
      stage.broker.transaction(async (tx) => {
        tx.publish(Placed, { id: 1 }, { id: 'a' })
        await Promise.resolve()
        tx.publish('price.AAPL', 187.2)
        tx.publish(Placed, { id: 2 })
      }),
    )
    expect(receipts.map(({ stream, sequence }) => [stream, sequence])).toEqual([
      ['orders', 1],
      ['prices', 1],
      ['orders', 2],
    ])
  })

  it('stores nothing when the callback throws, or one of it is refused', async () => {
    const orders = await openOrders({ maxMessages: 1, discard: 'new' })
    await publish(1)
    const failing = stage.broker.transaction((tx) => {
      tx.publish(Placed, { id: 2 })
      throw new Error('changed my mind')
    })
    await expect(stage.run(failing)).rejects.toThrow('changed my mind')
    const refused = stage.broker.transaction((tx) => tx.publish(Placed, { id: 3 }))
    expect(await codeOf(stage.run(refused))).toBe('STREAM_FULL')
    expect(await idsIn(orders)).toEqual([1])
  })

  it('refuses at once what could not be stored', async () => {
    await openOrders()
    const codes: unknown[] = []
    await stage.run(
      stage.broker.transaction(async (tx) => {
        for (const call of [
          () => tx.publish('nobody.captures', 1),
          () => tx.publish(Placed, { id: 'x' } as never),
        ]) {
          codes.push(await codeOf((async () => call())()))
        }
      }),
    )
    expect(codes).toEqual(['NO_STREAM', 'VALIDATION_FAILED'])
  })

  it('takes nothing after its end', async () => {
    await openOrders()
    let late!: () => void
    await stage.run(
      stage.broker.transaction((tx) => {
        late = () => tx.publish(Placed, { id: 1 })
      }),
    )
    expect(late).toThrowError(expect.objectContaining({ code: 'TRANSACTION_ENDED' }))
  })

  it('is aborted by its signal before the commit', async () => {
    const orders = await openOrders()
    const controller = new AbortController()
    const aborted = stage.broker.transaction(
      (tx) => {
        tx.publish(Placed, { id: 1 })
        controller.abort(new Error('enough'))
      },
      { signal: controller.signal },
    )
    await expect(stage.run(aborted)).rejects.toThrow('enough')
    expect(await idsIn(orders)).toEqual([])
  })
})
