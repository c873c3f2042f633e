// Durable consumers through the API: verdicts, retries, dead letters, order by key, sharing, exactly once, closing.
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import {
  command,
  event,
  type BrokerStream,
  type ConsumedMessage,
  type ConsumeOptions,
  type DeadLetter,
  type StreamOptions,
} from '../../src/broker/index.js'
import { shapeOf } from '../conformance/schemas.js'
import { codeOf, DurableStage } from './durable-stage.js'

const Placed = event('order.placed', shapeOf({ id: 'number' }))
const Paid = event('order.paid', shapeOf({ id: 'number' }))
const Ship = command('order.ship', shapeOf({ id: 'number' }))

type Order = ConsumedMessage<{ id: number }, object>

let stage: DurableStage
let orders: BrokerStream

afterEach(async () => {
  const closing = stage.broker.close({ drain: 10 })
  await stage.advance(10)
  await stage.run(closing)
})

async function open(options: Partial<StreamOptions> = {}): Promise<void> {
  stage = new DurableStage()
  orders = await stage.run(stage.broker.stream('orders', { topics: ['order.>'], ...options }))
}

async function publish(ids: readonly number[], keyOf?: (id: number) => string): Promise<void> {
  const receipts = ids.map((id) =>
    stage.broker.publish(Placed, { id }, keyOf === undefined ? {} : { key: keyOf(id) }),
  )
  await stage.run(Promise.all(receipts))
}

const consume = (
  handler: (message: Order) => unknown,
  options: ConsumeOptions<'at-least-once'> = {},
) => stage.run(stage.broker.consume('billing', Placed, handler, options))

async function deadLetters(): Promise<DeadLetter[]> {
  await stage.settle()
  return stage.run(orders.deadLetters.list())
}

function makeGate() {
  let open!: () => void
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open }
}

async function paid(): Promise<number[]> {
  const ids: number[] = []
  await stage.run(async () => {
    for await (const { data } of orders.read({ topics: Paid })) ids.push(data.id)
  })
  return ids
}

describe('consume', () => {
  it('hands out what is there and what comes, one after the other, and acknowledges what a handler returns from', async () => {
    await open()
    await publish([1, 2])
    const seen: number[] = []
    let running = 0
    const consumption = await consume(async ({ data }) => {
      expect(++running).toBe(1)
      seen.push(data.id)
      await Promise.resolve()
      running -= 1
    })
    await stage.settle()
    await publish([3])
    await stage.settle()
    expect(seen).toEqual([1, 2, 3])
    expect(await stage.run(consumption.info())).toMatchObject({
      name: 'billing',
      stream: 'orders',
      topics: ['order.placed'],
      pending: 0,
      inFlight: 0,
      settledThrough: 3,
      members: 1,
    })
  })

  it('shows sequence, count, key, time and data', async () => {
    await open()
    const time = new Date(stage.clock.nowMs())
    await publish([1], () => 'customer-7')
    const seen: Order[] = []
    await consume((message) => void seen.push(message))
    await stage.settle()
    expect(seen[0]).toMatchObject({
      stream: 'orders',
      sequence: 1,
      deliveryCount: 1,
      key: 'customer-7',
      topic: 'order.placed',
      time,
      data: { id: 1 },
    })
  })

  it('runs as many handlers at once as `concurrency` says', async () => {
    await open()
    await publish([1, 2, 3, 4, 5])
    const gate = makeGate()
    const consumption = await consume(() => gate.opened, { concurrency: 3 })
    await stage.settle()
    expect(consumption.running).toBe(3)
    gate.open()
    await stage.settle()
    expect(consumption.running).toBe(0)
    expect((await stage.run(consumption.info())).pending).toBe(0)
  })

  it.each([
    ['last', [3]],
    [2, [2, 3]],
    ['new', []],
  ] as const)('begins at %j', async (from, wanted) => {
    await open()
    await publish([1, 2, 3])
    const seen: number[] = []
    await consume(({ data }) => void seen.push(data.id), { from })
    await stage.settle()
    expect(seen).toEqual(wanted)
    await publish([4])
    await stage.settle()
    expect(seen).toEqual([...wanted, 4])
  })

  it('keeps its place when nobody is a member, and shares among those who are', async () => {
    await open()
    await publish([1, 2])
    const seen: string[] = []
    const first = await consume(({ data }) => void seen.push(`a${data.id}`))
    await stage.settle()
    await stage.run(first.close())
    await publish([3, 4, 5, 6])
    expect(seen).toEqual(['a1', 'a2'])
    const gate = makeGate()
    await consume(async ({ data }) => {
      seen.push(`b${data.id}`)
      await gate.opened
    })
    await consume(async ({ data }) => {
      seen.push(`c${data.id}`)
      await gate.opened
    })
    await stage.settle()
    expect(seen.slice(2).sort()).toEqual(['b3', 'c4'])
    gate.open()
    await stage.settle()
    expect(new Set(seen.map((each) => each.slice(1))).size).toBe(6)
    expect(seen).toHaveLength(6)
  })

  it('takes the same options again, and says in their words which ones differ', async () => {
    await open()
    await stage.run(consume(() => {}, { from: '1h ago', ackWait: '10s' }))
    stage.clock.advance(1_000)
    await stage.run(
      consume(() => {}, {
        from: '1h ago',
        ackWait: '10s',
        concurrency: 7,
        retry: { backoff: '1s' },
      }),
    )
    await expect(
      consume(() => {}, { from: 'last', ackWait: '20s', retry: { attempts: 3 } }),
    ).rejects.toMatchObject({
      code: 'CONSUMER_DIFFERS',
      details: { fields: ['ackWait', 'retry.attempts', 'from'].sort() },
    })
    await stage.run(orders.updateConsumer('billing', { ackWait: '20s', deadLetter: false }))
    await stage.run(consume(() => {}, { from: '1h ago', ackWait: '20s', deadLetter: false }))
    expect(await codeOf(stage.run(orders.updateConsumer('other', {})))).toBe('CONSUMER_NOT_FOUND')
    expect(await stage.run(orders.deleteConsumer('billing'))).toBe(true)
    expect(await stage.run(orders.consumers())).toEqual([])
  })

  it('finds its stream by the topic, and asks when there are several', async () => {
    await open()
    expect(await codeOf(stage.run(stage.broker.consume('a', 'price.*', () => {})))).toBe(
      'NO_STREAM',
    )
    await stage.run(stage.broker.stream('prices', { topics: 'price.>' }))
    await stage.run(stage.broker.consume('a', 'price.*', () => {}))
    expect(await codeOf(stage.run(stage.broker.consume('b', '>', () => {})))).toBe('OPTION_INVALID')
    const seen: unknown[] = []
    await stage.run(
      stage.broker.consume('b', '>', ({ topic }) => void seen.push(topic), { stream: 'orders' }),
    )
    await publish([1])
    await stage.settle()
    expect(seen).toEqual(['order.placed'])
    expect(
      await codeOf(stage.run(stage.broker.consume('c', '>', () => {}, { stream: 'other' }))),
    ).toBe('STREAM_NOT_FOUND')
  })

  it('consumes a command from a work queue only', async () => {
    await open()
    expect(await codeOf(stage.run(stage.broker.consume('ship', Ship, () => {})))).toBe(
      'KIND_MISMATCH',
    )
  })

  it('takes nothing that is no handler', async () => {
    await open()
    expect(await codeOf(consume(undefined as never))).toBe('OPTION_INVALID')
  })
})

describe('a handler that fails', () => {
  it('has its message handed out again after its waits, and makes a dead letter of it after the last attempt', async () => {
    await open()
    const startedAtMs = stage.clock.nowMs()
    await publish([1])
    const attempts: [number, number][] = []
    await consume(({ deliveryCount }) => {
      attempts.push([deliveryCount, stage.clock.nowMs() - startedAtMs])
      throw new Error('bank is closed')
    })
    for (let i = 0; i < 400; i++) await stage.advance(500)
    expect(attempts).toEqual([
      [1, 0],
      [2, 1_000],
      [3, 6_000],
      [4, 36_000],
      [5, 156_000],
    ])
    const letters = await deadLetters()
    expect(letters).toMatchObject([
      {
        reason: 'attempts-exhausted',
        error: 'bank is closed',
        attempts: 5,
        consumer: 'billing',
        stream: 'orders',
        originalSequence: 1,
        message: { topic: 'order.placed', data: { id: 1 } },
      },
    ])
    expect(stage.eventsOf('handler-failed')).toHaveLength(5)
    expect(stage.eventsOf('dead-lettered')).toHaveLength(1)
  })

  it('waits as `retry` says', async () => {
    await open()
    await publish([1])
    const attempts: number[] = []
    const startedAtMs = stage.clock.nowMs()
    await consume(
      async () => {
        attempts.push(stage.clock.nowMs() - startedAtMs)
        throw new Error('no')
      },
      { retry: { attempts: 3, backoff: '250ms' }, deadLetter: false },
    )
    for (let i = 0; i < 20; i++) await stage.advance(50)
    expect(attempts).toEqual([0, 250, 500])
    expect(stage.eventsOf('message-dropped')).toMatchObject([{ consumer: 'billing', sequence: 1 }])
    expect(await deadLetters()).toEqual([])
  })

  it('tries for ever with attempts Infinity', async () => {
    await open()
    await publish([1])
    let attempts = 0
    await consume(
      () => {
        if (++attempts < 50) throw new Error('no')
      },
      { retry: { attempts: Infinity, backoff: 10 } },
    )
    for (let i = 0; i < 60; i++) await stage.advance(10)
    expect(attempts).toBe(50)
  })
})

describe('verdicts', () => {
  it('retry: handed out again after the wait that is given', async () => {
    await open()
    await publish([1])
    const counts: number[] = []
    await consume((message) => {
      counts.push(message.deliveryCount)
      if (message.deliveryCount === 1) message.retry({ after: '30s' })
    })
    await stage.advance(29_000)
    expect(counts).toEqual([1])
    await stage.advance(1_500)
    expect(counts).toEqual([1, 2])
  })

  it('release: handed out again at once, and the attempt does not count', async () => {
    await open()
    await publish([1])
    const counts: number[] = []
    await consume((message) => {
      counts.push(message.deliveryCount)
      if (counts.length < 4) message.release()
    })
    await stage.settle()
    expect(counts).toEqual([1, 1, 1, 1])
  })

  it('reject: a dead letter at once', async () => {
    await open()
    await publish([1, 2])
    const seen: number[] = []
    await consume((message) => {
      seen.push(message.data.id)
      if (message.data.id === 1) message.reject('negative total')
    })
    const letters = await deadLetters()
    expect(letters).toMatchObject([{ reason: 'rejected', error: 'negative total', attempts: 1 }])
    expect(seen).toEqual([1, 2])
  })

  it('are applied when the handler settles, also when it throws', async () => {
    await open()
    await publish([1])
    const gate = makeGate()
    await consume(async (message) => {
      message.reject('first')
      await gate.opened
      throw new Error('second')
    })
    expect(await deadLetters()).toEqual([])
    gate.open()
    expect(await deadLetters()).toMatchObject([{ error: 'first' }])
  })

  it('are given once, and not after the handler has settled', async () => {
    await open()
    await publish([1])
    const codes: (string | undefined)[] = []
    let last!: Order
    await consume(async (message) => {
      last = message
      message.reject('no')
      codes.push(await codeOf((async () => message.retry())()))
    })
    await stage.settle()
    codes.push(await codeOf((async () => last.release())()))
    expect(codes).toEqual(['VERDICT_ALREADY_GIVEN', 'VERDICT_ALREADY_GIVEN'])
  })
})

describe('what cannot be read', () => {
  it('never reaches a handler with a definition, and becomes a dead letter with the issues', async () => {
    await open()
    await stage.run(stage.broker.publish('order.placed', { id: 'seven' }))
    await stage.run(stage.broker.publish('order.placed', { id: 7 }))
    const seen: number[] = []
    await consume(({ data }) => void seen.push(data.id))
    const letters = await deadLetters()
    expect(letters).toMatchObject([{ reason: 'undecodable', attempts: 1 }])
    expect(letters[0]!.error).toContain('id: must be a number')
    expect(seen).toEqual([7])
  })

  it('is no matter for a handler without a definition that does not ask', async () => {
    await open()
    const message = stage.engine.topic('order.raw')
    const { BytesMessage } = await import('../../src/engine/index.js')
    const bytes = new BytesMessage(message)
    bytes.setParts(new Uint8Array(0), new Uint8Array(0), new Uint8Array([0xff]))
    stage.engine.publish(message, bytes)
    const lengths: number[] = []
    await stage.run(
      stage.broker.consume('raw', 'order.raw', (each) => void lengths.push(each.bytes.length)),
    )
    await stage.settle()
    expect(lengths).toEqual([1])
    await stage.run(stage.broker.consume('read', 'order.raw', (each) => each.data))
    expect(await deadLetters()).toMatchObject([{ reason: 'undecodable', consumer: 'read' }])
  })
})

describe('dead letters', () => {
  it('are listed, got, counted, redriven and discarded by query', async () => {
    await open()
    await publish([1, 2, 3, 4], (id) => `customer-${id % 2}`)
    const seen: number[] = []
    let isOpen = false
    await consume((message) => {
      seen.push(message.data.id)
      if (!isOpen) message.reject(`reason ${message.data.id}`)
    })
    expect(await deadLetters()).toHaveLength(4)
    const letters = orders.deadLetters
    expect(await stage.run(letters.count())).toBe(4)
    const odd = await stage.run(
      letters.list({ key: 'customer-1', topic: Placed, consumer: 'billing' }),
    )
    expect(odd.map(({ error }) => error)).toEqual(['reason 1', 'reason 3'])
    expect(await stage.run(letters.get(odd[1]!.sequence))).toMatchObject({
      error: 'reason 3',
      message: { data: { id: 3 }, key: 'customer-1' },
    })
    expect(await stage.run(letters.get(999))).toBeUndefined()

    isOpen = true
    seen.length = 0
    expect(await stage.run(letters.redrive({ key: 'customer-1' }))).toBe(2)
    await stage.settle()
    expect(seen).toEqual([1, 3])
    expect(await stage.run(letters.discard({ sequences: [odd[0]!.sequence] }))).toBe(0)
    expect(await stage.run(letters.discard({ reason: 'rejected', limit: 1 }))).toBe(1)
    expect((await deadLetters()).map(({ error }) => error)).toEqual(['reason 4'])
    expect(await stage.run(letters.redrive())).toBe(1)
    await stage.settle()
    expect(seen).toEqual([1, 3, 4])
    expect(await stage.run(letters.count())).toBe(0)
  })
})

describe(`order: 'key'`, () => {
  it('keeps each key in order, with others in parallel, whatever fails', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            key: fc.integer({ min: 0, max: 3 }),
            failures: fc.integer({ min: 0, max: 3 }),
          }),
          { minLength: 1, maxLength: 30 },
        ),
        fc.integer({ min: 1, max: 16 }),
        async (messages, concurrency) => {
          await open()
          await publish(
            messages.map((_, i) => i),
            (i) => `k${messages[i]!.key}`,
          )
          const done: number[] = []
          const busy = new Set<number>()
          await consume(
            async ({ data, deliveryCount }) => {
              const { key, failures } = messages[data.id]!
              expect(busy.has(key)).toBe(false)
              busy.add(key)
              for (let i = 0; i < data.id % 4; i++) await Promise.resolve()
              busy.delete(key)
              if (deliveryCount <= failures) throw new Error('not yet')
              done.push(data.id)
            },
            { order: 'key', concurrency, retry: { backoff: 10 } },
          )
          for (let i = 0; i < 200 && done.length < messages.length; i++) await stage.advance(10)
          for (const key of [0, 1, 2, 3]) {
            const ofKey = messages.flatMap((message, i) => (message.key === key ? [i] : []))
            expect(done.filter((id) => messages[id]!.key === key)).toEqual(ofKey)
          }
          await stage.run(stage.broker.close())
        },
      ),
      { numRuns: 15 },
    )
  })

  it('parks what follows a dead letter, and hands all of it out in order when it is redriven', async () => {
    await open()
    await publish([1, 2, 3, 4], (id) => (id === 3 ? 'other' : 'one'))
    const seen: number[] = []
    let isOpen = false
    await consume(
      (message) => {
        seen.push(message.data.id)
        if (!isOpen && message.data.id === 1) message.reject('no')
      },
      { order: 'key' },
    )
    expect((await deadLetters()).map(({ reason }) => reason)).toEqual([
      'rejected',
      'parked',
      'parked',
    ])
    expect(seen).toEqual([1, 3])
    isOpen = true
    expect(await stage.run(orders.deadLetters.redrive({ key: 'one' }))).toBe(3)
    await stage.settle()
    expect(seen).toEqual([1, 3, 1, 2, 4])
  })
})

describe('exactly once', () => {
  const transform = (handler: (message: Order) => unknown, concurrency = 1) =>
    stage.run(
      stage.broker.consume(
        'payer',
        Placed,
        async (message, tx) => {
          tx.publish(Paid, { id: message.data.id })
          await handler(message)
        },
        { delivery: 'exactly-once', concurrency, retry: { backoff: 10 } },
      ),
    )

  it('commits what is published with the acknowledgement', async () => {
    await open()
    await publish([1, 2, 3])
    const consumption = await transform(() => {})
    await stage.settle()
    expect(await paid()).toEqual([1, 2, 3])
    expect(await stage.run(consumption.info())).toMatchObject({ inFlight: 0, pending: 0 })
  })

  it('commits nothing of an attempt that fails, or that has another verdict', async () => {
    await open()
    await publish([1, 2, 3])
    await transform((message) => {
      if (message.data.id === 1 && message.deliveryCount === 1) throw new Error('not yet')
      if (message.data.id === 2) message.reject('no')
    })
    for (let i = 0; i < 5; i++) await stage.advance(10)
    expect((await paid()).sort()).toEqual([1, 3])
    expect(await deadLetters()).toMatchObject([{ error: 'no' }])
  })

  it('tries again when the commit fails', async () => {
    await open({ maxMessages: 3, discard: 'new' })
    await publish([1, 2, 3])
    await transform(() => {})
    await stage.settle()
    expect(stage.eventsOf('handler-failed')[0]).toMatchObject({ error: { code: 'STREAM_FULL' } })
    await stage.run(orders.update({ maxMessages: 100 }))
    for (let i = 0; i < 5; i++) await stage.advance(10)
    expect((await paid()).sort()).toEqual([1, 2, 3])
  })

  it('commits nothing for a hand-out that is over', async () => {
    await open()
    await publish([1])
    const gate = makeGate()
    let attempts = 0
    let first: Order | undefined
    await transform(async (message) => {
      if (++attempts > 1) return
      first = message
      // As if this process had stood still: nothing extended the wait.
      const [consumer] = await (await stage.engine.durable!.findStream('orders'))!.consumers()
      Object.assign(consumer!, { extend: () => false })
      await gate.opened
    }, 2)
    await stage.settle()
    await stage.advance(31_000)
    expect(first?.signal.aborted).toBe(true)
    expect(attempts).toBe(2)
    gate.open()
    await stage.settle()
    expect(await paid()).toEqual([1])
    expect(stage.eventsOf('hand-out-expired')).toMatchObject([{ consumer: 'payer', sequence: 1 }])
  })
})

describe('a hand-out', () => {
  it('is extended as long as its handler runs', async () => {
    await open()
    await publish([1])
    const gate = makeGate()
    let attempts = 0
    await consume(
      async () => {
        attempts += 1
        await gate.opened
      },
      { ackWait: '3s' },
    )
    for (let i = 0; i < 20; i++) await stage.advance(900)
    gate.open()
    await stage.advance(10_000)
    expect(attempts).toBe(1)
    expect(stage.events).toEqual([])
  })
})

describe('closing', () => {
  it('waits for handlers at work, gives back what none has begun with, and hands out nothing more', async () => {
    await open()
    await publish([1, 2, 3])
    const gate = makeGate()
    const seen: number[] = []
    const consumption = await consume(async ({ data }) => {
      seen.push(data.id)
      await gate.opened
    })
    await stage.settle()
    const closing = consumption.close()
    await stage.settle()
    expect(consumption.isClosed).toBe(true)
    gate.open()
    await stage.run(closing)
    expect(seen).toEqual([1])
    const [status] = await stage.run(orders.consumers())
    expect(status).toMatchObject({ members: 0, inFlight: 0, settledThrough: 1, pending: 2 })
  })

  it('aborts the signal of a handler that outlasts the drain, whose message is handed out again', async () => {
    await open()
    await publish([1])
    let signal!: AbortSignal
    const consumption = await consume((message) => {
      signal = message.signal
      return new Promise(() => {})
    })
    await stage.settle()
    const closing = consumption.close({ drain: '5s' })
    await stage.advance(4_000)
    expect(signal.aborted).toBe(false)
    await stage.advance(1_000)
    await stage.run(closing)
    expect(signal.reason).toMatchObject({ code: 'CLOSED' })
    const counts: number[] = []
    await consume(({ deliveryCount }) => void counts.push(deliveryCount))
    await stage.settle()
    expect(counts).toEqual([2])
  })

  it('lets handlers publish while the broker drains, and closes them with it', async () => {
    await open()
    await publish([1])
    const gate = makeGate()
    let receipt: unknown
    await consume(async () => {
      await gate.opened
      receipt = await stage.broker.publish(Paid, { id: 1 })
    })
    await stage.settle()
    const closing = stage.broker.close()
    await stage.settle()
    gate.open()
    await stage.run(closing)
    expect(receipt).toMatchObject({ sequence: 2 })
    expect(stage.eventsOf('handler-failed')).toEqual([])
  })

  it('happens by the signal', async () => {
    await open()
    const controller = new AbortController()
    const consumption = await consume(() => {}, { signal: controller.signal })
    controller.abort()
    await stage.settle()
    expect(consumption.isClosed).toBe(true)
    await expect(
      consume(() => {}, { signal: AbortSignal.abort(new Error('over')) }),
    ).rejects.toThrow('over')
  })
})

describe('pause', () => {
  it('hands out nothing until it is over, or until resume', async () => {
    await open()
    const seen: number[] = []
    const consumption = await consume(({ data }) => void seen.push(data.id))
    await stage.run(consumption.pause())
    await publish([1])
    await stage.advance(60_000)
    expect(seen).toEqual([])
    expect((await stage.run(consumption.info())).isPaused).toBe(true)
    await stage.run(consumption.resume())
    await stage.settle()
    expect(seen).toEqual([1])
    await stage.run(consumption.pause('10s'))
    await publish([2])
    await stage.advance(9_000)
    expect(seen).toEqual([1])
    await stage.advance(1_500)
    expect(seen).toEqual([1, 2])
  })
})
