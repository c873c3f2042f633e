import { afterEach, describe, expect, it } from 'vitest'
import { event, query, type BrokerEvent } from '../../src/broker/index.js'
import { openTestBroker, type TestBroker, type TestBrokerOptions } from '../../src/testing/index.js'

const Placed = event('order.placed', {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value: unknown) => ({ value: value as { id: number } }),
  },
})
const opened: TestBroker[] = []

async function open(options?: TestBrokerOptions<undefined>): Promise<TestBroker> {
  const broker = await openTestBroker({ onEvent: () => {}, ...options })
  opened.push(broker)
  return broker
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((broker) => broker.close()))
})

const nextImmediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('idle', () => {
  it('resolves when handlers that call each other have all ended', async () => {
    const broker = await open()
    const seen: number[] = []
    broker.subscribe('count', async ({ data }) => {
      await nextImmediate()
      const count = data as number
      seen.push(count)
      if (count < 20) broker.emit('count', count + 1)
    })
    broker.emit('count', 1)
    await broker.idle()
    expect(seen).toHaveLength(20)
  })

  it('resolves when what handlers published durably is stored and consumed', async () => {
    const broker = await open()
    await broker.stream('orders', { topics: ['order.>'] })
    const paid: unknown[] = []
    await broker.consume('billing', 'order.placed', async ({ data }) => {
      await broker.publish('order.paid', data)
    })
    await broker.consume('mail', 'order.paid', ({ data }) => void paid.push(data))
    await broker.publish('order.placed', { id: 1 })
    await broker.idle()
    expect(paid).toEqual([{ id: 1 }])
  })

  it('names the handlers that do not end', async () => {
    const broker = await open()
    let release = (): void => {}
    broker.subscribe('slow', () => new Promise<void>((resolve) => (release = resolve)))
    broker.emit('slow', undefined)
    await expect(broker.idle({ timeout: '20ms' })).rejects.toMatchObject({
      code: 'TIMEOUT',
      details: { atWork: ['slow'] },
    })
    release()
    await broker.idle()
  })

  it('waits for a handler that waits for the machine', async () => {
    const broker = await open()
    let isDone = false
    broker.subscribe('slow', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      isDone = true
    })
    broker.emit('slow', undefined)
    await broker.idle()
    expect(isDone).toBe(true)
  })

  it('does not wait for a loop that asks for nothing', async () => {
    const broker = await open()
    const messages = broker.messages('price')
    broker.emit('price', 1)
    await broker.idle()
    expect((await messages.next()).value.data).toBe(1)
    await messages.return?.()
  })
})

describe('advance', () => {
  it('stops at every moment at which something is due', async () => {
    const broker = await open({ startAt: new Date('2026-03-01T00:00:00Z') })
    await broker.stream('orders', { topics: ['order.>'] })
    const attempts: string[] = []
    await broker.consume(
      'billing',
      'order.placed',
      (message) => {
        attempts.push(broker.now().toISOString())
        message.retry({ after: '30s' })
      },
      { retry: { attempts: 3 } },
    )
    await broker.publish('order.placed', { id: 1 })
    await broker.idle()
    await broker.advance('10m')
    expect(attempts).toEqual([
      '2026-03-01T00:00:00.000Z',
      '2026-03-01T00:00:30.000Z',
      '2026-03-01T00:01:00.000Z',
    ])
    expect(broker.now()).toEqual(new Date('2026-03-01T00:10:00Z'))
    const orders = await broker.stream('orders')
    const letters = await orders.deadLetters.list()
    expect(letters.map(({ attempts }) => attempts)).toEqual([3])
  })

  it('lets a request time out', async () => {
    const broker = await open()
    broker.respond('user.get', () => new Promise<never>(() => {}))
    const answer = broker.request('user.get', 1, { timeout: '5s' })
    const settled = expect(answer).rejects.toMatchObject({ code: 'TIMEOUT' })
    await broker.advance('5s')
    await settled
  })
})

describe('what was published', () => {
  it('is told by topic and through definitions, whichever verb published it', async () => {
    const broker = await open()
    await broker.stream('orders', { topics: ['order.>'] })
    broker.emit('price', 1)
    await broker.publish(Placed, { id: 1 })
    await broker.transaction((tx) => tx.publish('order.paid', { id: 2 }))
    expect(broker.published().map(({ topic }) => topic)).toEqual([
      'price',
      'order.placed',
      'order.paid',
    ])
    expect(broker.published(Placed)[0]?.data.id).toBe(1)
    expect(broker.published('order.*')).toHaveLength(2)
    broker.forgetPublished()
    broker.assertNothingPublished()
  })

  it('holds nothing of a transaction that was not committed', async () => {
    const broker = await open()
    await broker.stream('orders', { topics: ['order.>'] })
    const failing = broker.transaction((tx) => {
      tx.publish('order.paid', 1)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    broker.assertNothingPublished()
  })

  it('is compared by the fields that are given', async () => {
    const broker = await open()
    broker.emit('order.placed', { id: 1, lines: [{ sku: 'a', count: 2 }] })
    broker.assertPublished('order.placed')
    broker.assertPublished('order.*', { id: 1 })
    broker.assertPublished('order.placed', { lines: [{ sku: 'a' }] })
    expect(() => broker.assertPublished('order.placed', { id: 2 })).toThrow(
      'nothing was published to order.placed with {"id":2}; published:\n  order.placed: {"id":1',
    )
    expect(() => broker.assertPublished('order.placed', { lines: [] })).toThrow(/nothing was/)
    expect(() => broker.assertPublished('mail')).toThrow('published: only to order.placed')
    expect(() => broker.assertNothingPublished('order.>')).toThrow('1 published to order.>')
  })

  it('leaves out answers', async () => {
    const broker = await open()
    broker.respond('user.get', () => ({ name: 'Ada' }))
    await broker.request('user.get', 1)
    expect(broker.published().map(({ topic }) => topic)).toEqual(['user.get'])
  })
})

describe('the round trip', () => {
  it('shows what a network would make of the data', async () => {
    const broker = await open()
    const seen: unknown[] = []
    broker.subscribe('at', ({ data }) => void seen.push(data))
    broker.emit('at', { when: new Date(0), nothing: undefined })
    await broker.idle()
    expect(seen).toEqual([{ when: '1970-01-01T00:00:00.000Z' }])
  })

  it('can be left out', async () => {
    const broker = await open({ roundTrip: false })
    const seen: unknown[] = []
    const data = { when: new Date(0) }
    broker.subscribe('at', (message) => void seen.push(message.data))
    broker.emit('at', data)
    expect(seen[0]).toBe(data)
  })
})

describe('faults', () => {
  it('lose a live message, and only as many as were asked for', async () => {
    const broker = await open()
    const seen: unknown[] = []
    broker.subscribe('price', ({ data }) => void seen.push(data))
    broker.faults.lose('price', { times: 2 })
    for (const price of [1, 2, 3]) broker.emit('price', price)
    expect(seen).toEqual([3])
    expect(broker.published()).toHaveLength(3)
  })

  it('duplicate a message, which an id makes harmless in a stream', async () => {
    const broker = await open()
    const orders = await broker.stream('orders', { topics: ['order.>'] })
    broker.faults.duplicate('order.*', { times: 2 })
    await broker.publish('order.placed', 1)
    const receipt = await broker.publish('order.placed', 2, { id: 'order-2' })
    expect(receipt.isDuplicate).toBe(true)
    expect((await orders.info()).messages).toBe(3)
  })

  it('delay a message, so that others overtake it', async () => {
    const broker = await open()
    const seen: unknown[] = []
    broker.subscribe('price', ({ data }) => void seen.push(data))
    broker.faults.delay('price', '5s')
    broker.emit('price', 1)
    broker.emit('price', 2)
    await broker.advance('4s')
    expect(seen).toEqual([2])
    await broker.advance('1s')
    expect(seen).toEqual([2, 1])
  })

  it('lose a receipt: the message is there and the publisher does not know', async () => {
    const broker = await open()
    const orders = await broker.stream('orders', { topics: ['order.>'] })
    broker.faults.loseReceipt('order.placed')
    const publish = broker.publish('order.placed', 1, { id: 'order-1', timeout: '2s' })
    const settled = expect(publish).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true })
    await broker.advance('2s')
    await settled
    expect((await orders.info()).messages).toBe(1)
    expect((await broker.publish('order.placed', 1, { id: 'order-1' })).isDuplicate).toBe(true)
  })

  it('refuse a publish', async () => {
    const broker = await open()
    await broker.stream('orders', { topics: ['order.>'] })
    broker.faults.refuse('order.>')
    await expect(broker.publish('order.placed', 1)).rejects.toMatchObject({ retryable: true })
    await broker.publish('order.placed', 1)
  })

  it('lose an acknowledgement: the message is handed out again', async () => {
    const broker = await open()
    await broker.stream('orders', { topics: ['order.>'] })
    const counts: number[] = []
    broker.faults.loseAcknowledgement('billing')
    await broker.consume('billing', 'order.placed', (message) => {
      counts.push(message.deliveryCount)
    })
    await broker.publish('order.placed', 1)
    await broker.idle()
    expect(counts).toEqual([1])
    await broker.advance('30s')
    expect(counts).toEqual([1, 2])
    await broker.advance('5m')
    expect(counts).toEqual([1, 2])
  })

  it('are forgotten when they are cleared', async () => {
    const broker = await open()
    broker.faults.lose('price')
    broker.faults.clear()
    const seen: unknown[] = []
    broker.subscribe('price', ({ data }) => void seen.push(data))
    broker.emit('price', 1)
    expect(seen).toEqual([1])
  })

  it('fill the disk', async () => {
    const broker = await open()
    await broker.stream('orders', { topics: ['order.>'] })
    broker.disk.capacityBytes = broker.disk.usedBytes
    await expect(broker.publish('order.placed', 'x'.repeat(100_000))).rejects.toMatchObject({
      code: 'DISK_FULL',
    })
  })
})

describe('an end', () => {
  // The count of attempts is written before the hand-out, and not fsynced.
  it.each([
    { what: 'process' as const, count: [2] },
    { what: 'machine' as const, count: [1, 2] },
  ])(
    'by a crash of the $what keeps what was promised, and hands out what was not done',
    async ({ what, count }) => {
      const first = await openTestBroker({ onEvent: () => {} })
      await first.stream('orders', { topics: ['order.>'] })
      let hands = 0
      await first.consume('billing', 'order.placed', () => {
        hands += 1
        return new Promise<never>(() => {})
      })
      await first.publish('order.placed', { id: 1 })
      await expect(first.idle({ timeout: '5ms' })).rejects.toMatchObject({ code: 'TIMEOUT' })
      expect(hands).toBe(1)

      const second = await first.crash(what)
      opened.push(second)
      expect(second.now()).toEqual(first.now())
      const counts: number[] = []
      await second.consume('billing', 'order.placed', (message) => {
        counts.push(message.deliveryCount)
      })
      await second.advance('1m')
      expect(counts).toHaveLength(1)
      expect(count).toContain(counts[0])
    },
  )

  it('comes in time, whatever its handlers wait for', async () => {
    const broker = await openTestBroker({ onEvent: () => {} })
    broker.subscribe('slow', () => new Promise<never>(() => {}))
    broker.emit('slow', undefined)
    await broker.close()
    expect(broker.isClosed).toBe(true)
  })

  it('by a restart keeps subscriptions no longer than the process', async () => {
    const events: BrokerEvent[] = []
    const first = await openTestBroker({ onEvent: (told) => events.push(told) })
    first.subscribe('price', () => {
      throw new Error('nobody is here')
    })
    const second = await first.restart()
    opened.push(second)
    second.emit('price', 1)
    expect(first.isClosed).toBe(true)
    expect(events).toEqual([{ type: 'closed' }])
  })
})

it('asks a query through definitions as the real broker does', async () => {
  const broker = await open()
  const GetUser = query('user.get', Placed.schema!, { reply: Placed.schema! })
  broker.respond(GetUser, ({ data }) => ({ id: data.id + 1 }))
  expect(await broker.request(GetUser, { id: 1 })).toEqual({ id: 2 })
})
