// The API that people use, over the engine under test: a program must not notice which engine it runs on.
import assert from 'node:assert/strict'
import { VirtualClock } from '../../src/base/index.js'
import { command, event, FanfareError, query, type Message } from '../../src/broker/index.js'
import type { Chapter } from './case.js'
import { isNumberSchema, shapeOf, textLengthSchema } from './schemas.js'
import { Arrivals, codeOf, makeGate, type Stage } from './stage.js'

const Price = event('price.{symbol}', shapeOf({ bid: 'number' }))
const Placed = event('order.placed', shapeOf({ id: 'number' }))
const Paid = event('order.paid', shapeOf({ id: 'number' }))
const Double = query('math.double', isNumberSchema, { reply: isNumberSchema })
const Ship = command('parcel.ship', shapeOf({ id: 'number' }))
const catalog = [Price, Placed, Paid, Double, Ship]

export const brokerChapter: Chapter = {
  title: 'broker',
  cases: [
    {
      name: 'emits to subscribers in order, by topic and by pattern',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        const exact = new Arrivals<unknown>()
        const wild = new Arrivals<unknown>()
        there.subscribe('order.placed', ({ data }) => exact.add(data))
        there.subscribe('order.*', ({ topic, data }) => wild.add([topic, data]))
        await there.flush()
        here.emit('order.placed', { id: 1, tags: ['a', null], nested: { ok: true } })
        here.emit('order.paid', 'text')
        here.emit('order.placed', 3)
        await wild.received(3)
        assert.deepEqual(exact.items, [{ id: 1, tags: ['a', null], nested: { ok: true } }, 3])
        assert.deepEqual(wild.items, [
          ['order.placed', { id: 1, tags: ['a', null], nested: { ok: true } }],
          ['order.paid', 'text'],
          ['order.placed', 3],
        ])
      },
    },
    {
      name: 'tells the parameters of a definition, its type and its kind',
      async run(stage) {
        const { here, there } = stage.openBrokers({ catalog })
        const seen = new Arrivals<Message<{ bid: number }, { symbol: string }>>()
        there.subscribe(Price, seen.add)
        await there.flush()
        here.emit(Price, { bid: 187.2 }, { params: { symbol: 'AAPL' } })
        const [message] = await seen.received(1)
        assert.equal(message!.topic, 'price.AAPL')
        assert.deepEqual(message!.params, { symbol: 'AAPL' })
        assert.deepEqual(message!.data, { bid: 187.2 })
        assert.equal(message!.type, 'price')
        assert.equal(message!.kind, 'event')
      },
    },
    {
      name: 'carries id, key, headers and time of a declared message',
      async run(stage) {
        const { here, there } = stage.openBrokers({ catalog })
        const seen = new Arrivals<Message>()
        there.subscribe(Placed, seen.add)
        await there.flush()
        const before = Date.now()
        const headers = { 'Trace-Id': 'abc', Many: ['1', '2'] }
        here.emit(Placed, { id: 1 }, { id: 'order 1 %"é', key: 'customer 7', headers })
        const [message] = await seen.received(1)
        assert.equal(message!.id, 'order 1 %"é')
        assert.equal(message!.key, 'customer 7')
        assert.equal(message!.headers.get('Trace-Id'), 'abc')
        assert.deepEqual(message!.headers.getAll('Many'), ['1', '2'])
        const time = message!.time.getTime()
        assert.ok(time >= before && time <= Date.now(), `${time}`)
        assert.equal(Buffer.from(message!.bytes).toString(), '{"id":1}')
      },
    },
    {
      name: 'carries id and key of a message without a definition',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        const seen = new Arrivals<Message>()
        there.subscribe('order.placed', seen.add)
        await there.flush()
        here.emit('order.placed', 1, { id: 'order-1', key: 'customer-7' })
        const [message] = await seen.received(1)
        assert.equal(message!.id, 'order-1')
        assert.equal(message!.key, 'customer-7')
        assert.equal(message!.type, 'order.placed')
        assert.equal(message!.kind, undefined)
      },
    },
    {
      name: 'makes an id for a message that was given none, the same for every look',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        const seen = new Arrivals<Message>()
        there.subscribe('a', seen.add)
        await there.flush()
        here.emit('a', 1)
        here.emit('a', 2)
        const [first, second] = await seen.received(2)
        assert.equal(first!.id, first!.id)
        assert.notEqual(first!.id, second!.id)
      },
    },
    {
      name: 'shares messages within a group',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        const seen = new Arrivals<number>()
        const everybody = new Arrivals<number>()
        for (let i = 0; i < 3; i++) {
          there.subscribe('a', ({ data }) => seen.add(data as number), { group: 'g' })
        }
        there.subscribe('a', ({ data }) => everybody.add(data as number))
        await there.flush()
        for (let i = 0; i < 30; i++) here.emit('a', i)
        await everybody.received(30)
        await stage.settled()
        assert.deepEqual(
          [...seen.items].sort((left, right) => left - right),
          Array.from({ length: 30 }, (_, i) => i),
        )
      },
    },
    {
      name: 'reports a failing handler and goes on with the next message',
      async run(stage) {
        const { here, there, events } = stage.openBrokers()
        const seen = new Arrivals<unknown>()
        there.subscribe('a', ({ data }) => {
          seen.add(data)
          if (data === 1) throw new Error('sync')
          if (data === 2) return Promise.reject(new Error('async'))
          return undefined
        })
        await there.flush()
        for (const data of [1, 2, 3]) here.emit('a', data)
        await seen.received(3)
        await events.until(() => events.count('handler-failed') === 2, 'two failures')
        const failure = await events.find('handler-failed')
        assert.equal(failure.pattern, 'a')
        assert.equal(failure.topic, 'a')
        assert.equal((failure.error as Error).message, 'sync')
      },
    },
    {
      name: 'calls one handler at a time, and as many at once as concurrency says',
      async run(stage) {
        for (const concurrency of [1, 3]) {
          const { here, there } = stage.openBrokers()
          const gate = makeGate()
          const ended = new Arrivals<unknown>()
          let running = 0
          let most = 0
          const subscription = there.subscribe(
            'a',
            async ({ data }) => {
              running += 1
              most = Math.max(most, running)
              await gate.opened
              running -= 1
              ended.add(data)
            },
            { concurrency },
          )
          await there.flush()
          for (let i = 0; i < 10; i++) here.emit('a', i)
          await stage.settled()
          assert.equal(running, concurrency)
          assert.equal(subscription.queued, 10 - concurrency)
          gate.open()
          await ended.received(10)
          assert.equal(most, concurrency)
          await subscription.close()
        }
      },
    },
    ...(
      [
        ['drop-oldest', [0, 8, 9], 7, 'messages-dropped'],
        ['drop-newest', [0, 1, 2], 7, 'messages-dropped'],
        ['reject', [0, 1, 2], 0, 'message-rejected'],
        ['wait', [0, 1, 2, 3, 4], 0, 'message-rejected'],
      ] as const
    ).map(([overflow, handled, dropped, eventType]) => ({
      name: `overflow '${overflow}': a blocked handler with room for two gets ${handled.join(', ')} of ten`,
      async run(stage: Stage) {
        const { here, there, events } = stage.openBrokers()
        const gate = makeGate()
        const seen: unknown[] = []
        const subscription = there.subscribe(
          'a',
          async ({ data }) => {
            seen.push(data)
            await gate.opened
          },
          { overflow, capacity: 2 },
        )
        await there.flush()
        for (let i = 0; i < 10; i++) here.emit('a', i)
        await stage.settled()
        assert.equal(subscription.dropped, dropped)
        assert.ok(events.count(eventType) > 0)
        if (eventType === 'message-rejected') {
          assert.equal(events.count(eventType), 10 - handled.length)
          assert.equal((await events.find(eventType)).error.code, 'QUEUE_OVERFLOW')
        }
        gate.open()
        await subscription.drain()
        assert.deepEqual(seen, handled)
      },
    })),
    {
      name: `overflow 'wait': flush waits for room`,
      async run(stage) {
        const broker = stage.openBroker(stage.subscriber)
        const gate = makeGate()
        const seen = new Arrivals<unknown>()
        const handle = async ({ data }: Message): Promise<void> => {
          seen.add(data)
          await gate.opened
        }
        const subscription = broker.subscribe('a', handle, { overflow: 'wait', capacity: 2 })
        await broker.flush()
        for (let i = 0; i < 3; i++) broker.emit('a', i)
        await stage.settled(stage.subscriber, stage.subscriber)
        assert.equal(subscription.queued, 2)
        let hasFlushed = false
        const flushed = broker.flush().then(() => (hasFlushed = true))
        await stage.settled(stage.subscriber, stage.subscriber)
        assert.equal(hasFlushed, false)
        gate.open()
        await flushed
        await seen.received(3)
      },
    },
    {
      name: 'ends a subscription when its signal is aborted, and refuses an aborted signal',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        const controller = new AbortController()
        const seen = new Arrivals<unknown>()
        const witness = new Arrivals<unknown>()
        const subscription = there.subscribe('a', ({ data }) => seen.add(data), {
          signal: controller.signal,
        })
        there.subscribe('a', ({ data }) => witness.add(data))
        await there.flush()
        here.emit('a', 1)
        await witness.received(1)
        controller.abort(new Error('enough'))
        assert.equal(subscription.isClosed, true)
        here.emit('a', 2)
        await witness.received(2)
        await stage.settled()
        assert.deepEqual(seen.items, [1])
        assert.throws(() => there.subscribe('a', () => {}, { signal: controller.signal }), /enough/)
      },
    },
    {
      name: 'yields messages to a loop, those that came meanwhile included, until it breaks',
      async run(stage) {
        const { here, there } = stage.openBrokers({ catalog })
        const messages = there.messages(Placed)
        await there.flush()
        for (let id = 1; id <= 5; id++) here.emit(Placed, { id })
        await stage.settled()
        const seen: number[] = []
        for await (const { data } of messages) {
          seen.push(data.id)
          if (data.id === 5) break
        }
        assert.deepEqual(seen, [1, 2, 3, 4, 5])
        assert.deepEqual(await messages.next(), { done: true, value: undefined })
      },
    },
    {
      name: 'ends a loop with the reason of its signal',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        const controller = new AbortController()
        const messages = there.messages('a', { signal: controller.signal })
        await there.flush()
        here.emit('a', 1)
        assert.equal((await messages.next()).value?.data, 1)
        const next = messages.next()
        controller.abort(new Error('enough'))
        await assert.rejects(next, /enough/)
        await assert.rejects(messages.next(), /enough/)
      },
    },
    {
      name: 'ends loops when the broker closes',
      async run(stage) {
        const { there } = stage.openBrokers()
        const next = there.messages('a').next()
        await there.close()
        assert.deepEqual(await next, { done: true, value: undefined })
      },
    },
    {
      name: 'requests and responds with validated data',
      async run(stage) {
        const { here, there } = stage.openBrokers({ catalog })
        there.respond(Double, ({ data }) => data * 2)
        await there.flush()
        assert.equal(await here.request(Double, 21), 42)
        const answers = await Promise.all([1, 2, 3].map((data) => here.request(Double, data)))
        assert.deepEqual(answers, [2, 4, 6])
      },
    },
    {
      name: 'requests and responds over a plain topic, an absent answer included',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        there.respond('who', async ({ data }) => ({ asked: data }))
        there.respond('nothing', () => undefined)
        await there.flush()
        assert.deepEqual(await here.request('who', 'me'), { asked: 'me' })
        assert.equal(await here.request('nothing', 1), undefined)
      },
    },
    {
      name: 'asks one of several responders',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        let asked = 0
        for (let i = 0; i < 3; i++) there.respond('q', () => ++asked)
        await there.flush()
        await here.request('q', 1)
        await stage.settled()
        assert.equal(asked, 1)
      },
    },
    {
      name: 'rejects a request with NO_RESPONDERS at once when nobody responds',
      async run(stage) {
        const { here } = stage.openBrokers()
        assert.equal(await codeOf(() => here.request('nobody', 1)), 'NO_RESPONDERS')
      },
    },
    {
      name: 'rejects a request with TIMEOUT when no answer comes in time',
      async run(stage) {
        const clock = new VirtualClock()
        const { here, there } = stage.openBrokers({ clock })
        const asked = new Arrivals<unknown>()
        there.respond('q', ({ data }) => {
          asked.add(data)
          return new Promise<never>(() => {})
        })
        await there.flush()
        const code = codeOf(() => here.request('q', 1, { timeout: '2s' }))
        await asked.received(1)
        clock.advance(1_990)
        let isSettled = false
        void code.then(() => (isSettled = true))
        await stage.settled()
        assert.equal(isSettled, false)
        clock.advance(20)
        assert.equal(await code, 'TIMEOUT')
      },
    },
    {
      name: 'rejects a request with REPLY_FAILED when the responder fails, and reports it there',
      async run(stage) {
        const { here, there, events } = stage.openBrokers()
        there.respond('q', () => {
          throw new Error('out of\r\nluck')
        })
        await there.flush()
        const failure: unknown = await here.request('q', 1).catch((error: unknown) => error)
        assert.ok(FanfareError.is(failure))
        assert.equal(failure.code, 'REPLY_FAILED')
        assert.match(failure.message, /out of luck/)
        assert.equal((await events.find('handler-failed')).topic, 'q')
      },
    },
    {
      name: 'rejects a request with the reason of its signal',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        const asked = new Arrivals<unknown>()
        there.respond('q', ({ data }) => {
          asked.add(data)
          return new Promise<never>(() => {})
        })
        await there.flush()
        const controller = new AbortController()
        const answer = here.request('q', 1, { signal: controller.signal })
        await asked.received(1)
        controller.abort(new Error('enough'))
        await assert.rejects(answer, /enough/)
        await assert.rejects(here.request('q', 1, { signal: controller.signal }), /enough/)
      },
    },
    {
      name: 'rejects requests under way with CLOSED when the broker closes',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        const asked = new Arrivals<unknown>()
        const gate = makeGate()
        there.subscribe('q', async ({ data }) => {
          asked.add(data)
          await gate.opened
        })
        await there.flush()
        const code = codeOf(() => here.request('q', 1))
        await asked.received(1)
        gate.open()
        await here.close()
        assert.equal(await code, 'CLOSED')
      },
    },
    {
      name: 'reports data that the schema refuses as emit-failed, and sends nothing',
      async run(stage) {
        const { here, there, events } = stage.openBrokers({ catalog })
        const seen = new Arrivals<unknown>()
        there.subscribe(Placed, ({ data }) => seen.add(data))
        await there.flush()
        here.emit(Placed, { id: 'seven' } as never)
        here.emit(Placed, { id: 8 })
        await seen.received(1)
        assert.deepEqual(seen.items, [{ id: 8 }])
        const { error, topic } = await events.find('emit-failed')
        assert.equal(topic, 'order.placed')
        assert.equal(error.code, 'VALIDATION_FAILED')
        assert.match(error.message, /id: must be a number/)
      },
    },
    {
      name: 'keeps foreign data that the schema refuses from the handler, and tells why',
      async run(stage) {
        const { there, events } = stage.openBrokers({ catalog })
        there.subscribe(Placed, ({ data }) => data.id)
        await there.flush()
        stage.publish('order.placed', { body: '{"id":"seven"}' })
        const first = await events.find('message-invalid')
        assert.equal((first.error as FanfareError).code, 'VALIDATION_FAILED')
      },
    },
    {
      name: 'throws DECODE_FAILED at the reader of a body that is not what the codec writes',
      async run(stage) {
        const { there, events } = stage.openBrokers()
        const seen = new Arrivals<string>()
        there.subscribe('a', (message) => {
          seen.add(Buffer.from(message.bytes).toString())
          return message.data
        })
        await there.flush()
        stage.publish('a', { body: '{not json' })
        assert.deepEqual(await seen.received(1), ['{not json'])
        const failure = await events.find('handler-failed')
        assert.equal((failure.error as FanfareError).code, 'DECODE_FAILED')
      },
    },
    {
      name: 'rejects a request whose data or answer the schema refuses with VALIDATION_FAILED',
      async run(stage) {
        const { here, there } = stage.openBrokers({ catalog })
        assert.equal(await codeOf(() => here.request(Double, 'x' as never)), 'VALIDATION_FAILED')
        stage.record('math.double', {
          during: (message) =>
            stage.publish(message.replyTopic!, { engine: stage.subscriber, body: '"text"' }),
        })
        await there.flush()
        assert.equal(await codeOf(() => here.request(Double, 1)), 'VALIDATION_FAILED')
      },
    },
    {
      name: 'sends what a schema takes and gives what it makes of it',
      async run(stage) {
        const Named = event('user.named', textLengthSchema)
        const { here, there } = stage.openBrokers({ catalog: [Named] })
        const seen = new Arrivals<unknown>()
        there.subscribe(Named, ({ data, bytes }) => seen.add([data, Buffer.from(bytes).toString()]))
        await there.flush()
        here.emit(Named, 'four')
        assert.deepEqual(await seen.received(1), [[4, '"four"']])
      },
    },
    {
      name: 'gives a subscriber by pattern the parameters and data that the catalog declares',
      async run(stage) {
        const Named = event('named.{place}', textLengthSchema)
        const { here, there } = stage.openBrokers({ catalog: [Named] })
        const seen = new Arrivals<unknown>()
        there.subscribe('named.*', ({ params, data, type, kind }) =>
          seen.add({ params, data, type, kind }),
        )
        await there.flush()
        here.emit(Named, 'four', { params: { place: 'north' } })
        assert.deepEqual(await seen.received(1), [
          { params: { place: 'north' }, data: 4, type: 'named', kind: 'event' },
        ])
      },
    },
    {
      name: 'refuses what the catalog does not declare with UNDECLARED_TOPIC',
      async run(stage) {
        const { here } = stage.openBrokers({ catalog })
        const Other = event('other.thing')
        for (const work of [
          () => here.emit('unknown', 1),
          () => here.emit(Other, 1),
          () => here.subscribe('unknown.*', () => {}),
          () => here.subscribe(Other, () => {}),
          () => here.messages('unknown'),
          () => here.respond('unknown', () => 1),
          () => here.request('unknown', 1),
        ]) {
          assert.equal(await codeOf(work), 'UNDECLARED_TOPIC')
        }
        here.subscribe('order.*', () => {})
        here.subscribe('>', () => {})
        here.emit('price.AAPL', { bid: 1 })
      },
    },
    {
      name: 'refuses malformed topics, patterns, parameters and options by code',
      async run(stage) {
        const { here } = stage.openBrokers()
        const cases = [
          ['TOPIC_INVALID', () => here.emit('a..b', 1)],
          ['TOPIC_INVALID', () => here.emit('a b', 1)],
          ['TOPIC_INVALID', () => here.emit('a.*', 1)],
          ['TOPIC_INVALID', () => here.emit(Price, { bid: 1 }, { params: { symbol: 'a.b' } })],
          ['TOPIC_INVALID', () => here.emit(Price, { bid: 1 }, { params: { symbol: '' } })],
          ['PATTERN_INVALID', () => here.subscribe('a.>.b', () => {})],
          ['PATTERN_INVALID', () => here.subscribe('', () => {})],
          ['OPTION_INVALID', () => here.subscribe('a', () => {}, { concurrency: 0 })],
          ['OPTION_INVALID', () => here.subscribe('a', () => {}, { capacity: 1.5 })],
          ['DURATION_INVALID', () => here.request('a', 1, { timeout: 'soon' as never })],
        ] as const
        for (const [code, work] of cases) assert.equal(await codeOf(work), code)
      },
    },
    {
      name: 'reports a payload over the limit as emit-failed',
      needs: ({ maxPayloadBytes }) => maxPayloadBytes < Number.MAX_SAFE_INTEGER,
      async run(stage) {
        const { here, events } = stage.openBrokers()
        here.emit('a', 'x'.repeat(stage.publisher.capabilities.maxPayloadBytes))
        assert.equal((await events.find('emit-failed')).error.code, 'PAYLOAD_TOO_LARGE')
      },
    },
    {
      name: 'drains a subscription: takes nothing more and lets the handler see what waits',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        const gate = makeGate()
        const seen: unknown[] = []
        const subscription = there.subscribe('a', async ({ data }) => {
          await gate.opened
          seen.push(data)
        })
        await there.flush()
        for (let i = 0; i < 5; i++) here.emit('a', i)
        await stage.settled()
        const drained = subscription.drain()
        assert.equal(subscription.isClosed, true)
        here.emit('a', 'late')
        await stage.settled()
        gate.open()
        await drained
        assert.deepEqual(seen, [0, 1, 2, 3, 4])
      },
    },
    {
      name: 'closes a subscription: forgets what waits and resolves when the call under way has ended',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        const gate = makeGate()
        const seen: unknown[] = []
        const subscription = there.subscribe('a', async ({ data }) => {
          await gate.opened
          seen.push(data)
        })
        await there.flush()
        for (let i = 0; i < 5; i++) here.emit('a', i)
        await stage.settled()
        const closed = subscription.close()
        gate.open()
        await closed
        assert.deepEqual(seen, [0])
      },
    },
    {
      name: 'waits at close for handlers at work and for messages that wait for them',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        const gate = makeGate()
        const seen: unknown[] = []
        there.subscribe('a', async ({ data }) => {
          await gate.opened
          seen.push(data)
        })
        await there.flush()
        for (let i = 0; i < 5; i++) here.emit('a', i)
        await stage.settled()
        const closing = Promise.all([there.close(), there.close()])
        gate.open()
        await closing
        assert.deepEqual(seen, [0, 1, 2, 3, 4])
        assert.equal(there.isClosed, true)
      },
    },
    {
      name: 'waits at close no longer than drain says',
      async run(stage) {
        const clock = new VirtualClock()
        const { here, there } = stage.openBrokers({ clock })
        const started = new Arrivals<unknown>()
        there.subscribe('a', ({ data }) => {
          started.add(data)
          return new Promise<never>(() => {})
        })
        await there.flush()
        here.emit('a', 1)
        await started.received(1)
        const closing = there.close({ drain: '10s' })
        clock.advance(10_000)
        await closing
      },
    },
    {
      name: 'is closed by leaving a block that uses it',
      async run(stage) {
        const broker = stage.openBroker(stage.publisher)
        await broker[Symbol.asyncDispose]()
        assert.equal(broker.isClosed, true)
        assert.equal(broker.engine.isClosed, true)
      },
    },
    {
      name: 'survives a listener of broker events that throws',
      async run(stage) {
        const broker = stage.openBroker(stage.subscriber, {
          onEvent() {
            throw new Error('the listener of broker events fails on purpose')
          },
        })
        const seen = new Arrivals<unknown>()
        broker.subscribe('a', ({ data }) => {
          seen.add(data)
          throw new Error('a handler fails on purpose')
        })
        await broker.flush()
        broker.emit('a', 1)
        broker.emit('a', 2)
        assert.deepEqual(await seen.received(2), [1, 2])
      },
    },
    {
      name: 'takes commands to one group of responders',
      async run(stage) {
        const { here, there } = stage.openBrokers({ catalog })
        const shipped = new Arrivals<number>()
        for (let i = 0; i < 2; i++) there.respond(Ship, ({ data }) => shipped.add(data.id))
        await there.flush()
        await here.request(Ship, { id: 7 })
        await stage.settled()
        assert.deepEqual(shipped.items, [7])
      },
    },
  ],
}
