// Programs that wait for themselves, or for each other: each ends in progress or in an error with a code, and none hangs. Time is
// the broker's own, so that a wait of 30 s costs nothing; `within` fails a test whose promise never settles.
import { afterEach, describe, expect, it } from 'vitest'
import type { Broker, BrokerEvent, Subscription } from '../../src/broker/index.js'
import { openTestBroker, type TestBroker } from '../../src/testing/index.js'

const opened: TestBroker[] = []

async function open(): Promise<{ broker: TestBroker; events: BrokerEvent[] }> {
  const events: BrokerEvent[] = []
  const broker = await openTestBroker({ onEvent: (event) => void events.push(event) })
  opened.push(broker)
  return { broker, events }
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((broker) => broker.close()))
})

/** What became of `work` when the clock stands `limit` further on; a promise that is still open then is a failure. */
async function within<T>(
  broker: TestBroker,
  limit: `${number}s`,
  work: Promise<T>,
): Promise<T | string> {
  let outcome: { readonly value: T | string } | undefined
  work.then(
    (value) => (outcome = { value }),
    (error: { readonly code?: string }) => (outcome = { value: error.code ?? String(error) }),
  )
  await broker.advance(limit)
  if (outcome === undefined) throw new Error(`still waiting after ${limit}`)
  return outcome.value
}

/** Resolves with what the handler's call settles with; the handler is called once for each message. */
function settled<M>(handler: (message: M) => Promise<unknown>): {
  readonly handler: (message: M) => Promise<unknown>
  readonly outcome: Promise<unknown>
} {
  const { promise, resolve, reject } = deferred()
  return {
    outcome: promise,
    handler: async (message) => {
      try {
        const value = await handler(message)
        resolve(value)
        return value
      } catch (error) {
        reject(error)
        throw error
      }
    },
  }
}

function deferred() {
  let resolve!: (value: unknown) => void
  let reject!: (reason: unknown) => void
  const promise = new Promise<unknown>((...settle) => ([resolve, reject] = settle))
  promise.catch(() => {})
  return { promise, resolve, reject }
}

const codesOf = (events: readonly BrokerEvent[]): (string | undefined)[] =>
  events.flatMap((event) =>
    event.type === 'handler-failed' ? [(event.error as { code?: string }).code] : [],
  )

describe('live queues', () => {
  it('rejects a flush by a handler whose own queue is full, and goes on', async () => {
    const { broker, events } = await open()
    const seen: unknown[] = []
    broker.subscribe(
      'tick',
      async ({ data }) => {
        seen.push(data)
        if (data !== 1) return
        for (const next of [2, 3, 4]) broker.emit('tick', next)
        await broker.flush()
      },
      { capacity: 2, overflow: 'wait' },
    )
    broker.emit('tick', 1)
    await broker.advance('29s')
    expect(seen).toEqual([1])
    await broker.advance('1s')
    expect(codesOf(events)).toEqual(['TIMEOUT'])
    expect(seen).toEqual([1, 2, 3, 4])
  })

  it('rejects a flush at the time that is asked for, and names the full queue', async () => {
    const { broker } = await open()
    const { promise: stuck, resolve } = deferred()
    broker.subscribe('slow', () => stuck, { capacity: 1, overflow: 'wait' })
    broker.emit('slow', 1)
    broker.emit('slow', 2)
    const flushed = broker.flush({ timeout: '3s' }).catch((error: unknown) => error)
    expect(await within(broker, '3s', flushed)).toMatchObject({
      code: 'TIMEOUT',
      details: { full: ['slow'] },
    })
    resolve(undefined)
    await broker.idle()
    await broker.flush()
  })

  it('rejects the flushes of two handlers that wait for room in the queue of each other', async () => {
    const { broker, events } = await open()
    const seen: unknown[] = []
    const { promise: haveBothBegun, resolve } = deferred()
    const toOther = (other: string) => async (message: { readonly data: unknown }) => {
      seen.push(message.data)
      if (message.data !== 'start') return
      await haveBothBegun
      broker.emit(other, 1)
      broker.emit(other, 2)
      await broker.flush()
    }
    broker.subscribe('left', toOther('right'), { capacity: 1, overflow: 'wait' })
    broker.subscribe('right', toOther('left'), { capacity: 1, overflow: 'wait' })
    broker.emit('left', 'start')
    broker.emit('right', 'start')
    resolve(undefined)
    await broker.advance('30s')
    expect(codesOf(events)).toEqual(['TIMEOUT', 'TIMEOUT'])
    await broker.idle()
    expect(seen).toEqual(['start', 'start', 1, 1, 2, 2])
  })

  it('refuses a publisher that never waits at twice the capacity, and calls the slow handler with the rest', async () => {
    const { broker, events } = await open()
    const { promise: gate, resolve } = deferred()
    const seen: unknown[] = []
    broker.subscribe(
      'tick',
      async ({ data }) => {
        await gate
        seen.push(data)
      },
      { capacity: 2, overflow: 'wait' },
    )
    for (let tick = 1; tick <= 7; tick++) broker.emit('tick', tick)
    expect(events.map(({ type }) => type)).toEqual(['message-rejected', 'message-rejected'])
    resolve(undefined)
    await broker.idle()
    expect(seen).toEqual([1, 2, 3, 4, 5])
  })

  it('lets the event loop turn when handlers emit to their own topics without end', async () => {
    const { broker } = await open()
    let calls = 0
    const subscription = broker.subscribe('tick', () => {
      calls += 1
      broker.emit('tick', undefined)
    })
    broker.emit('tick', undefined)
    await new Promise((resolve) => setImmediate(resolve))
    await subscription.close()
    expect(calls).toBeGreaterThan(1)
  })

  it('drops the oldest when a loop emits more to what it reads than it takes', async () => {
    const { broker, events } = await open()
    const read: unknown[] = []
    const ticks = broker.messages('tick', { capacity: 4 })
    broker.emit('tick', 0)
    for await (const { data } of ticks) {
      read.push(data)
      if (read.length === 5) break
      for (let next = 1; next <= 3; next++) broker.emit('tick', Number(data) * 10 + next)
    }
    expect(read).toHaveLength(5)
    expect(events.map(({ type }) => type)).toContain('messages-dropped')
  })

  it('rejects a flush in a loop whose own queue is full', async () => {
    const { broker } = await open()
    const ticks = broker.messages('tick', { capacity: 1, overflow: 'wait' })
    broker.emit('tick', 0)
    const loop = (async () => {
      for await (const { data } of ticks) {
        for (let next = 1; next <= 3; next++) broker.emit('tick', Number(data) + next)
        await broker.flush({ timeout: '10s' })
      }
      return 'left'
    })()
    expect(await within(broker, '10s', loop)).toBe('TIMEOUT')
  })
})

describe('requests', () => {
  it('times a request out that waits for the handler that makes it', async () => {
    const { broker, events } = await open()
    broker.respond('sum', () => broker.request('sum', undefined), { concurrency: 1 })
    expect(await within(broker, '5s', broker.request('sum', undefined))).toBe('TIMEOUT')
    await broker.advance('5s')
    // Each request that waited meanwhile has its turn, asks, and times out as well; what tells of a failed answer is loaded by then.
    await expect.poll(() => codesOf(events)).toContain('TIMEOUT')
  })

  it('ends an endless chain of requests by time-out, with as many handlers at work as are allowed', async () => {
    const { broker } = await open()
    let running = 0
    let most = 0
    broker.respond('sum', async () => {
      most = Math.max(most, ++running)
      try {
        return await broker.request('sum', undefined)
      } finally {
        running -= 1
      }
    })
    expect(await within(broker, '5s', broker.request('sum', undefined))).toBe('TIMEOUT')
    expect(most).toBe(256)
  })

  it('answers a request inside a live handler whose responder is another subscription', async () => {
    const { broker } = await open()
    const answers: unknown[] = []
    broker.respond('square', ({ data }) => Number(data) ** 2, { concurrency: 1 })
    broker.subscribe('ask', async ({ data }) => {
      answers.push(await broker.request('square', data))
    })
    broker.emit('ask', 7)
    await broker.idle()
    expect(answers).toEqual([49])
  })

  it('times a request out inside a consumer that asks itself', async () => {
    const { broker } = await open()
    await broker.stream('work', { topics: ['work.>'] })
    const { handler, outcome } = settled(() => broker.request('work.more', undefined))
    await broker.consume('worker', 'work.>', handler)
    await broker.publish('work.first', undefined)
    expect(await within(broker, '5s', outcome)).toMatch(/^(NO_RESPONDERS|TIMEOUT)$/)
  })
})

describe('full streams', () => {
  const full = { topics: ['work.>'], maxMessages: 2, discard: 'new' as const }

  it('refuses what a handler publishes to its own full stream, and gives the message up in the end', async () => {
    const { broker, events } = await open()
    const work = await broker.stream('work', { ...full, retention: 'work-queue' })
    await broker.publish('work.a', 1)
    await broker.publish('work.a', 2)
    let isMore = true
    await broker.consume('worker', 'work.a', async ({ data }) => {
      if (isMore) await broker.publish('work.a', Number(data) + 10)
    })
    await broker.idle()
    expect(codesOf(events)).toContain('STREAM_FULL')
    isMore = false
    await broker.advance('10m')
    const { messages } = await work.info()
    expect(messages).toBe(0)
  })

  it('refuses an exactly-once handler too, although its acknowledgement would make the room', async () => {
    const { broker, events } = await open()
    const work = await broker.stream('work', { ...full, retention: 'work-queue' })
    await broker.publish('work.a', 1)
    await broker.publish('work.a', 2)
    await broker.consume('worker', 'work.a', (_, tx) => tx.publish('work.b', 3), {
      delivery: 'exactly-once',
      retry: { attempts: 2 },
    })
    await broker.advance('10m')
    expect(codesOf(events)).toEqual(new Array(4).fill('STREAM_FULL'))
    expect(await work.deadLetters.list()).toHaveLength(2)
    expect((await work.info()).messages).toBe(0)
  })

  it('retries an exactly-once handler that publishes to a full stream, and keeps its message as a dead letter', async () => {
    const { broker, events } = await open()
    await broker.stream('orders', { topics: ['order.>'] })
    await broker.stream('work', full)
    await broker.publish('work.a', 1)
    await broker.publish('work.a', 2)
    await broker.consume(
      'payer',
      'order.*',
      (_, tx) => {
        tx.publish('work.a', 3)
      },
      { delivery: 'exactly-once' },
    )
    await broker.publish('order.placed', 1)
    await broker.advance('10m')
    expect(codesOf(events)).toEqual(new Array(5).fill('STREAM_FULL'))
    const orders = await broker.stream('orders')
    expect(await orders.deadLetters.list()).toMatchObject([
      { reason: 'attempts-exhausted', attempts: 5 },
    ])
  })

  it('lets the consumer that makes room do so while publishers are refused', async () => {
    const { broker } = await open()
    await broker.stream('work', { ...full, retention: 'work-queue' })
    await broker.publish('work.a', 1)
    await broker.publish('work.a', 2)
    await expect(broker.publish('work.a', 3)).rejects.toMatchObject({ code: 'STREAM_FULL' })
    await broker.consume('worker', 'work.a', () => {})
    await broker.idle()
    expect((await broker.publish('work.a', 3)).sequence).toBe(3)
  })

  it('goes on after the disk was full, also for a handler that publishes to what it consumes', async () => {
    const { broker, events } = await open()
    await broker.stream('work', { topics: ['work.>'] })
    const done: unknown[] = []
    await broker.consume('worker', 'work.a', async ({ data }) => {
      await broker.publish('work.done', data)
    })
    await broker.consume('watcher', 'work.done', ({ data }) => void done.push(data))
    await broker.publish('work.a', 1)
    await broker.idle()
    broker.disk.capacityBytes = 0
    await expect(broker.publish('work.a', 2)).rejects.toMatchObject({ code: 'DISK_FULL' })
    broker.disk.capacityBytes = Infinity
    await broker.advance('1m')
    await broker.publish('work.a', 3)
    await broker.advance('1m')
    expect(done).toContain(3)
    expect(events.filter(({ type }) => type === 'stream-frozen')).toEqual([])
  })

  it('follows what the loop itself publishes, for as long as it likes', async () => {
    const { broker } = await open()
    const work = await broker.stream('work', { topics: ['work.>'] })
    await broker.publish('work.a', 0)
    const read: unknown[] = []
    for await (const { data } of work.read({ follow: true, limit: 500 })) {
      read.push(data)
      await broker.publish('work.a', read.length)
    }
    expect(read).toEqual([...Array(500).keys()])
  })

  it('ends a loop over what is stored at what was last when it began', async () => {
    const { broker } = await open()
    const work = await broker.stream('work', { topics: ['work.>'] })
    for (const data of [1, 2, 3]) await broker.publish('work.a', data)
    const read: unknown[] = []
    for await (const { data } of work.read()) {
      read.push(data)
      await broker.publish('work.a', Number(data) * 10)
    }
    expect(read).toEqual([1, 2, 3])
  })

  it('publishes two thousand messages from within one handler, awaiting each', async () => {
    const { broker } = await open()
    const work = await broker.stream('work', { topics: ['work.>'] })
    await broker.consume('worker', 'work.start', async () => {
      for (let n = 0; n < 2_000; n++) await broker.publish('work.item', n)
    })
    await broker.publish('work.start', undefined)
    await broker.idle({ timeout: '20s' })
    expect((await work.info()).messages).toBe(2_001)
  })
})

describe('closing from within', () => {
  it('lets a live handler await the close of its own subscription: over after the bound', async () => {
    const { broker } = await open()
    const { handler, outcome } = settled(async () => {
      await subscription.close()
      return 'closed'
    })
    const subscription = broker.subscribe('tick', handler)
    broker.emit('tick', undefined)
    expect(await within(broker, '30s', outcome)).toBe('closed')
    expect(subscription.isClosed).toBe(true)
  })

  it('closes at once for a handler that does not await it', async () => {
    const { broker } = await open()
    const seen: unknown[] = []
    const subscription = broker.subscribe('tick', ({ data }) => {
      seen.push(data)
      void subscription.close()
    })
    broker.emit('tick', 1)
    broker.emit('tick', 2)
    await broker.idle()
    expect(seen).toEqual([1])
  })

  it('lets a live handler await the drain of its own subscription', async () => {
    const { broker } = await open()
    const { handler, outcome } = settled(() => subscription.drain({ drain: '2s' }))
    const subscription: Subscription = broker.subscribe('tick', handler)
    broker.emit('tick', undefined)
    expect(await within(broker, '2s', outcome)).toBeUndefined()
  })

  it('lets a consume handler await the close of its own consumption, and hands its message out again', async () => {
    const { broker } = await open()
    await broker.stream('work', { topics: ['work.>'] })
    const { handler, outcome } = settled(async () => {
      await consumption.close()
      return 'closed'
    })
    const consumption = await broker.consume('worker', 'work.>', handler)
    await broker.publish('work.a', 1)
    expect(await within(broker, '30s', outcome)).toBe('closed')

    const again: unknown[] = []
    await broker.consume('worker', 'work.>', ({ data }) => void again.push(data))
    await broker.idle()
    expect(again).toEqual([1])
  })

  it('acknowledges the message of a consume handler that closes without awaiting', async () => {
    const { broker } = await open()
    await broker.stream('work', { topics: ['work.>'] })
    const consumption = await broker.consume('worker', 'work.>', () => {
      void consumption.close()
    })
    await broker.publish('work.a', 1)
    await broker.publish('work.a', 2)
    await broker.idle()
    const again: unknown[] = []
    await broker.consume('worker', 'work.>', ({ data }) => void again.push(data))
    await broker.idle()
    expect(again).toEqual([2])
  })

  type Begin = (broker: Broker, handler: (message: unknown) => Promise<unknown>) => unknown

  it.each<[string, Begin]>([
    ['live', (broker, handler) => broker.subscribe('work.a', handler)],
    ['consume', (broker, handler) => broker.consume('worker', 'work.a', handler)],
    [
      'exactly-once',
      (broker, handler) => broker.consume('payer', 'work.a', handler, { delivery: 'exactly-once' }),
    ],
    ['responding', (broker, handler) => broker.respond('work.a', handler)],
  ])('lets a %s handler await the close of the broker', async (_, begin) => {
    const { broker } = await open()
    await broker.stream('work', { topics: ['work.>'] })
    const { handler, outcome } = settled(async () => {
      await broker.close()
      return 'closed'
    })
    await begin(broker, handler)
    broker.publish('work.a', 1).catch(() => {})
    // A test broker moves its clock by itself while it closes.
    expect(await outcome).toBe('closed')
  })

  it('lets the body of a loop await the close of the broker', async () => {
    const { broker } = await open()
    const work = await broker.stream('work', { topics: ['work.>'] })
    await broker.publish('work.a', 1)
    const loop = (async () => {
      for await (const { sequence } of work.read({ follow: true }))
        if (sequence > 0) await broker.close()
      return 'left'
    })()
    expect(await loop).toBe('left')
  })

  it('aborts a transaction whose filling never ends', async () => {
    const { broker } = await open()
    const work = await broker.stream('work', { topics: ['work.>'] })
    const controller = new AbortController()
    const filling = broker.transaction(
      async (tx) => {
        tx.publish('work.a', 1)
        await new Promise(() => {})
      },
      { signal: controller.signal },
    )
    controller.abort(Object.assign(new Error('enough'), { code: 'ENOUGH' }))
    expect(await within(broker, '1s', filling)).toBe('ENOUGH')
    expect((await work.info()).messages).toBe(0)
  })
})
