// Consumers as things that are made, found, changed and deleted, and what they hand out.
import assert from 'node:assert/strict'
import type { ConsumerSettings, StartPoint } from '../../src/engine/index.js'
import { encodeHeaderBlock } from '../../src/wire/index.js'
import { durableChapter } from './durable-chapter.js'
import { hasMovableTime, SHORT_MS, type DurableCase, type DurableStage } from './durable-stage.js'
import { failureOf } from './failure.js'
import { numberBodies, numbers } from './kept-message.js'
import { acknowledgeSafely, acknowledging } from './member-recorder.js'
import { codeOf } from './stage.js'

/** On a stream with orders.a 1, orders.b 2, orders.a 3, and orders.a 4 published after the consumer was made. */
const starts: readonly (readonly [what: string, start: StartPoint, sequences: number[]])[] = [
  ['the first message', { at: 'first' }, [1, 2, 3, 4]],
  ['the last message', { at: 'last' }, [3, 4]],
  ['what is published after it was made', { at: 'new' }, [4]],
  ['the last message of each topic', { at: 'last-per-topic' }, [2, 3, 4]],
  ['a sequence', { at: 'sequence', sequence: 2 }, [2, 3, 4]],
  ['a sequence that is still to come', { at: 'sequence', sequence: 4 }, [4]],
]

const filters: readonly (readonly [what: string, topics: string[], sequences: number[]])[] = [
  ['every topic without a pattern', [], [1, 2, 3, 4, 5]],
  ['one topic', ['orders.a'], [1, 3]],
  ['a pattern', ['orders.*'], [1, 2, 3, 5]],
  ['two topics in stream order', ['orders.c.d', 'orders.a'], [1, 3, 4]],
  [
    'a message once that several patterns match',
    ['orders.a', 'orders.*', 'orders.>'],
    [1, 2, 3, 4, 5],
  ],
  ['nothing of a topic that has none', ['orders.z'], []],
]

const unusable: readonly (readonly [
  fault: string,
  settings: Partial<ConsumerSettings>,
  code: string,
])[] = [
  ['an empty name', { name: '' }, 'NAME_INVALID'],
  ['a name with a dot', { name: 'a.b' }, 'NAME_INVALID'],
  ['a topic that is no pattern', { topics: ['a..b'] }, 'PATTERN_INVALID'],
  ['no wait', { ackWaitMs: 0 }, 'OPTION_INVALID'],
  ['no deliveries at most', { maxDeliveries: 0 }, 'OPTION_INVALID'],
  ['nothing in flight', { maxInFlight: 0 }, 'OPTION_INVALID'],
  ['a backoff below zero', { backoffMs: [-1] }, 'OPTION_INVALID'],
  [
    'a start below the first sequence',
    { start: { at: 'sequence', sequence: -1 } },
    'OPTION_INVALID',
  ],
]

const settingsCases: readonly DurableCase[] = [
  {
    name: 'makes a consumer that is found by its name, with the settings that it was given',
    async run(stage) {
      const stream = await stage.createStream()
      const settings = stage.consumerSettings({
        topics: ['orders.a', 'orders.b'],
        maxDeliveries: 5,
        backoffMs: [1_000, 2_000],
        maxMessageAgeMs: 60_000,
        deadLetter: { stream: 'orders-dead', followers: 'park' },
        order: 'key',
        description: 'who sends the bills',
        metadata: { owner: 'sales' },
      })
      const made = await stream.createConsumer(settings)
      assert.deepEqual({ ...made.settings }, settings)
      assert.equal(made.name, 'billing')
      assert.equal(made.streamName, 'orders')
      assert.equal(made.isDeleted, false)
      const found = await stage.consumer()
      assert.deepEqual({ ...found.settings }, settings)
      assert.deepEqual({ ...(await found.info()).settings }, settings)
    },
  },
  {
    name: 'answers an equal consumer as it is, where it stands',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2'])
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer, { credit: 1 })
      await member.received(1)
      await acknowledgeSafely(consumer, member.tokens[0]!)
      member.leave()
      const again = stage.join(await stage.createConsumer(stream))
      await again.received(1)
      await stage.settle()
      assert.deepEqual(again.bodies, ['2'])
    },
  },
  {
    name: 'refuses a different consumer of the same name with CONSUMER_DIFFERS, naming the fields',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.createConsumer(stream, { maxDeliveries: 5, topics: ['orders.a'] })
      const error = await failureOf(() =>
        stage.createConsumer(stream, { topics: ['orders.a'], ackWaitMs: 1_000, maxDeliveries: 6 }),
      )
      assert.equal(error.code, 'CONSUMER_DIFFERS')
      assert.deepEqual([...(error.details.fields as string[])].sort(), [
        'ackWaitMs',
        'maxDeliveries',
      ])
      for (const field of ['ackWaitMs', 'maxDeliveries']) assert.match(error.message, RegExp(field))
      assert.equal((await stage.consumer()).settings.ackWaitMs, 30_000)
    },
  },
  {
    name: 'makes one consumer of two equal requests at once',
    async run(stage) {
      const stream = await stage.createStream()
      await Promise.all([stage.createConsumer(stream), stage.createConsumer(stream)])
      assert.equal((await stream.consumers()).length, 1)
    },
  },
  ...unusable.map(([fault, terms, code]) => ({
    name: `refuses a consumer with ${fault}: ${code}`,
    async run(stage: DurableStage) {
      const stream = await stage.createStream()
      assert.equal(await codeOf(() => stage.createConsumer(stream, terms)), code)
      assert.equal((await stream.consumers()).length, 0)
    },
  })),
  {
    name: 'names consumers for each stream apart, and lists them',
    async run(stage) {
      const a = await stage.createStream({ name: 'a' })
      const b = await stage.createStream({ name: 'b' })
      for (const name of ['one', 'two']) await stage.createConsumer(a, { name })
      await stage.createConsumer(b, { name: 'one', ackWaitMs: 1_000 })
      const names = async (stream: typeof a) =>
        (await stream.consumers()).map((consumer) => consumer.name).sort()
      assert.deepEqual(await names(a), ['one', 'two'])
      assert.deepEqual(await names(b), ['one'])
      assert.equal(await a.findConsumer('three'), undefined)
    },
  },
  {
    name: 'changes settings by an update, and keeps the place',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2', '3'])
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer, { credit: 1 })
      await member.received(1)
      await acknowledgeSafely(consumer, member.tokens[0]!)
      const settings = stage.consumerSettings({ ackWaitMs: 5_000, maxInFlight: 1 })
      const updated = await stream.updateConsumer(settings)
      assert.deepEqual({ ...updated.settings }, settings)
      member.grant(10)
      await member.received(2)
      await stage.settle()
      assert.deepEqual(member.bodies, ['1', '2'])
    },
  },
  {
    name: 'loses nothing that is in flight when settings change while members ask for more',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2', '3'])
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer, { credit: 2 })
      await member.received(2)
      const updating = stream.updateConsumer(stage.consumerSettings({ maxInFlight: 50 }))
      member.grant(10)
      const more = stage.storeAll('orders.a', ['4', '5'])
      await updating
      await more
      await member.received(7)
      assert.deepEqual(member.bodies.slice(2), ['1', '2', '3', '4', '5'])
    },
  },
  {
    name: 'refuses an update of what a consumer is: where it began, what an acknowledgement means, where its letters go',
    async run(stage) {
      const stream = await stage.createStream()
      const deadLetter = { stream: 'orders-dead', followers: 'continue' } as const
      await stage.createConsumer(stream, { deadLetter })
      const changes: readonly Partial<ConsumerSettings>[] = [
        { start: { at: 'sequence', sequence: 7 } },
        { acknowledge: 'none' },
        { deadLetter: { ...deadLetter, stream: 'elsewhere' } },
      ]
      for (const change of changes) {
        const settings = stage.consumerSettings({ deadLetter, ...change })
        assert.equal(await codeOf(() => stream.updateConsumer(settings)), 'UNSUPPORTED')
      }
      const kept = (await stage.consumer()).settings
      assert.deepEqual({ ...kept }, stage.consumerSettings({ deadLetter }))
    },
  },
  {
    name: 'takes as many consumers as the stream allows, and refuses one more: STREAM_FULL',
    async run(stage) {
      const stream = await stage.createStream({ maxConsumers: 1 })
      await stage.createConsumer(stream)
      const more = (): Promise<unknown> => stage.createConsumer(stream, { name: 'more' })
      assert.equal(await codeOf(more), 'STREAM_FULL')
      await stage.createConsumer(stream)
      await stream.deleteConsumer('billing')
      await more()
    },
  },
  {
    name: 'refuses to update a consumer that is not there: CONSUMER_NOT_FOUND',
    async run(stage) {
      const stream = await stage.createStream()
      const settings = stage.consumerSettings()
      assert.equal(await codeOf(() => stream.updateConsumer(settings)), 'CONSUMER_NOT_FOUND')
    },
  },
  {
    name: 'deletes a consumer, tells its members so, and says whether there was one',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream)
      const members = [stage.join(consumer), stage.join(consumer, { credit: 0 })]
      await stage.store('orders.a')
      assert.equal(await stream.deleteConsumer('billing'), true)
      for (const { endings } of members) {
        await endings.received(1)
        assert.deepEqual(
          endings.items.map(({ code }) => code),
          ['CONSUMER_DELETED'],
        )
      }
      assert.equal(consumer.isDeleted, true)
      assert.equal(await stream.deleteConsumer('billing'), false)
      assert.equal(await stream.findConsumer('billing'), undefined)
    },
  },
  {
    name: 'begins anew with a consumer that is made again under the name of a deleted one',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2'])
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer, { during: acknowledging })
      await member.received(2)
      await stream.deleteConsumer('billing')
      const again = stage.join(await stage.createConsumer(stream))
      await again.received(2)
      assert.deepEqual(again.bodies, ['1', '2'])
      assert.deepEqual(again.deliveryCounts, [1, 1])
    },
  },
  {
    name: 'hands out nothing of a deleted consumer, and takes no verdict on it',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream)
      await stage.store('orders.a')
      const member = stage.join(consumer)
      await member.received(1)
      await stream.deleteConsumer('billing')
      await stage.store('orders.a')
      await stage.settle()
      assert.equal(member.items.length, 1)
      assert.equal(consumer.acknowledge(member.tokens[0]!), false)
      assert.equal(await codeOf(() => consumer.info()), 'CONSUMER_DELETED')
      assert.equal(await codeOf(() => stage.join(consumer)), 'CONSUMER_DELETED')
    },
  },
  {
    name: 'ends the consumers of a deleted stream',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer)
      await stage.durable.deleteStream('orders')
      await member.endings.received(1)
      assert.equal(member.endings.items[0]!.code, 'STREAM_DELETED')
      assert.equal(consumer.isDeleted, true)
    },
  },
]

const handingOut: readonly DurableCase[] = [
  ...starts.map(([what, start, sequences]) => ({
    name: `begins with ${what}`,
    async run(stage: DurableStage) {
      const stream = await stage.createStream()
      for (const topic of ['a', 'b', 'a']) await stage.store(`orders.${topic}`)
      const consumer = await stage.createConsumer(stream, { start })
      await stage.store('orders.a')
      const member = stage.join(consumer)
      await member.received(sequences.length)
      await stage.settle()
      assert.deepEqual(member.sequences, sequences)
    },
  })),
  {
    name: 'hands out what is new in a full stream, where each message takes the place of one from before its start',
    async run(stage) {
      const stream = await stage.createStream({ maxMessages: 3 })
      await stage.storeAll('orders.a', numberBodies(1, 3))
      const consumer = await stage.createConsumer(stream, { start: { at: 'new' } })
      const member = stage.join(consumer)
      await stage.store('orders.a')
      await member.received(1)
      await stage.store('orders.a')
      await member.received(2)
      assert.deepEqual(member.sequences, [4, 5])
      assert.equal((await consumer.info()).pending, 0)
    },
  },
  {
    name: 'begins with a moment',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2'])
      await stage.advance(50)
      const timeMs = stage.nowMs
      await stage.advance(50)
      await stage.storeAll('orders.a', ['3', '4'])
      const consumer = await stage.createConsumer(stream, { start: { at: 'time', timeMs } })
      const member = stage.join(consumer)
      await member.received(2)
      await stage.settle()
      assert.deepEqual(member.bodies, ['3', '4'])
    },
  },
  {
    name: 'begins with the last message that matches',
    async run(stage) {
      const stream = await stage.createStream()
      for (const topic of ['a', 'a', 'b']) await stage.store(`orders.${topic}`)
      const terms = { start: { at: 'last' }, topics: ['orders.a'] } as const
      const member = stage.join(await stage.createConsumer(stream, terms))
      await member.received(1)
      await stage.settle()
      assert.deepEqual(member.sequences, [2])
    },
  },
  ...filters.map(([what, topics, sequences]) => ({
    name: `hands out ${what}`,
    async run(stage: DurableStage) {
      const stream = await stage.createStream()
      for (const topic of ['a', 'b', 'a', 'c.d', 'b']) await stage.store(`orders.${topic}`)
      const member = stage.join(await stage.createConsumer(stream, { topics }))
      await member.received(sequences.length)
      await stage.settle()
      assert.deepEqual(member.sequences, sequences)
    },
  })),
  {
    name: 'hands out messages as they were published, with their sequence and time',
    async run(stage) {
      const stream = await stage.createStream()
      const headers = [['A', 'b']] as const
      await stage.store('orders.a', { headers, reply: 'answers', body: 'x' })
      const stored = (await stage.get(stream, 1))!
      const member = stage.join(await stage.createConsumer(stream))
      const [delivery] = await member.received(1)
      const { token, deliveryCount, pending, ...message } = delivery!
      assert.deepEqual(message, stored)
      assert.deepEqual(
        { token, deliveryCount, pending },
        { token: 1, deliveryCount: 1, pending: 0 },
      )
    },
  },
  {
    name: 'hands out what is published while a member waits',
    async run(stage) {
      const stream = await stage.createStream()
      const member = stage.join(await stage.createConsumer(stream), { during: acknowledging })
      for (let i = 1; i <= 20; i++) {
        stage.publish('orders.a', { body: String(i) })
        if (i % 4 === 0) await member.received(i)
      }
      await member.received(20)
      assert.deepEqual(member.bodies, numberBodies(1, 20))
    },
  },
  {
    name: 'hands out a message only once it is committed',
    async run(stage) {
      const stream = await stage.createStream()
      const found: Promise<boolean>[] = []
      const member = stage.join(await stage.createConsumer(stream), {
        during({ sequence }) {
          found.push(stream.get(sequence).then((message) => message !== undefined))
        },
      })
      for (let i = 0; i < 20; i++) stage.publish('orders.a')
      await member.received(20)
      assert.deepEqual(await Promise.all(found), Array(20).fill(true))
    },
  },
  {
    name: 'gives each of several consumers everything',
    async run(stage) {
      const stream = await stage.createStream()
      const members = await Promise.all(
        ['one', 'two', 'three'].map(async (name) =>
          stage.join(await stage.createConsumer(stream, { name }), { during: acknowledging }),
        ),
      )
      await stage.storeAll('orders.a', numberBodies(1, 50))
      for (const member of members) {
        await member.received(50)
        assert.deepEqual(member.bodies, numberBodies(1, 50))
      }
    },
  },
  {
    name: 'counts what was never handed out, in all and with each hand-out',
    async run(stage) {
      const stream = await stage.createStream()
      for (let i = 1; i <= 10; i++) await stage.store(i % 2 === 0 ? 'orders.a' : 'orders.b')
      const consumer = await stage.createConsumer(stream, { topics: ['orders.a'] })
      assert.equal((await consumer.info()).pending, 5)
      const member = stage.join(consumer, { credit: 2 })
      await member.received(2)
      assert.deepEqual(
        member.items.map(({ pending }) => pending),
        [4, 3],
      )
      assert.equal((await consumer.info()).pending, 3)
      await stage.store('orders.a')
      await stage.store('orders.b')
      assert.equal((await consumer.info()).pending, 4)
      await stream.purge({ topic: 'orders.a', keep: 2 })
      assert.equal((await consumer.info()).pending, 2)
    },
  },
  {
    name: 'tells where it stands',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 6))
      const consumer = await stage.createConsumer(stream)
      const before = await consumer.info()
      assert.equal(before.floorSequence, 0)
      assert.equal(before.deliveredSequence, 0)
      assert.equal(before.lastToken, 0)
      assert.equal(before.members, 0)
      const member = stage.join(consumer, { credit: 4 })
      await member.received(4)
      for (const i of [0, 1, 3]) await acknowledgeSafely(consumer, member.tokens[i]!)
      const info = await consumer.info()
      assert.equal(info.floorSequence, 2)
      assert.equal(info.deliveredSequence, 4)
      assert.equal(info.lastToken, 4)
      assert.equal(info.inFlight, 1)
      assert.equal(info.pending, 2)
      assert.equal(info.members, 1)
      assert.equal(info.isPaused, false)
      assert.equal(info.unsettled, 0)
      assert.equal(info.stalledBy, undefined)
    },
  },
  {
    name: 'passes over what was purged before it was handed out, and goes on',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 5))
      const member = stage.join(await stage.createConsumer(stream), { credit: 1 })
      await member.received(1)
      await stream.purge()
      await stage.store('orders.a', { body: '6' })
      member.grant(10)
      await member.received(2)
      await stage.settle()
      assert.deepEqual(member.bodies, ['1', '6'])
    },
  },
  {
    name: 'does not hand out again what vanished while it was in flight',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2'])
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer, { credit: 1 })
      await member.received(1)
      await stream.remove(1)
      consumer.release(member.tokens[0]!)
      member.grant(5)
      await member.received(2)
      await stage.settle()
      assert.deepEqual(member.bodies, ['1', '2'])
    },
  },
  {
    name: 'hands out headers without bodies where that is wished',
    async run(stage) {
      const stream = await stage.createStream()
      const headers = [['A', 'b']] as const
      await stage.store('orders.a', { headers, body: 'secret' })
      const member = stage.join(await stage.createConsumer(stream, { headersOnly: true }))
      const [delivery] = await member.received(1)
      assert.equal(delivery!.body, '')
      const fields = Buffer.from(delivery!.headerBlock).toString()
      assert.ok(fields.startsWith(Buffer.from(encodeHeaderBlock(headers)).toString().slice(0, -2)))
      assert.equal((await stage.get(stream, 1))!.body, 'secret')
    },
  },
  {
    name: 'hands out at the pace of publishing where that is wished',
    needs: hasMovableTime,
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.a')
      await stage.advance(1_000)
      await stage.store('orders.a')
      await stage.advance(60_000)
      await stage.storeAll('orders.a', ['', ''])
      const member = stage.join(await stage.createConsumer(stream, { replay: 'original' }), {
        during: acknowledging,
      })
      const counts: number[] = []
      for (const durationMs of [0, 900, 200, 58_000, 3_000]) {
        await stage.advance(durationMs)
        counts.push(member.items.length)
      }
      assert.deepEqual(counts, [1, 1, 2, 2, 4])
    },
  },
  {
    name: 'settles what it hands out at once where nothing is acknowledged',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 5))
      const terms = { acknowledge: 'none', ackWaitMs: SHORT_MS, maxInFlight: 2 } as const
      const consumer = await stage.createConsumer(stream, terms)
      const member = stage.join(consumer)
      await member.received(5)
      await stage.advance(2 * SHORT_MS)
      assert.deepEqual(member.bodies, numberBodies(1, 5))
      const { inFlight, floorSequence } = await consumer.info()
      assert.deepEqual({ inFlight, floorSequence }, { inFlight: 0, floorSequence: 5 })
    },
  },
  {
    name: 'settles with a message all that were handed out before it, where that is the policy',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 5))
      const terms = { acknowledge: 'all', ackWaitMs: SHORT_MS } as const
      const consumer = await stage.createConsumer(stream, terms)
      const member = stage.join(consumer)
      await member.received(5)
      await acknowledgeSafely(consumer, member.tokens[2]!)
      assert.equal((await consumer.info()).floorSequence, 3)
      assert.equal((await consumer.info()).inFlight, 2)
      await stage.advance(2 * SHORT_MS)
      assert.deepEqual(new Set(member.sequences.slice(5)), new Set([4, 5]))
    },
  },
]

const lifetimes: readonly DurableCase[] = [
  {
    name: 'hands nothing out while it is paused, and goes on when it is resumed',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer)
      await consumer.pause()
      assert.equal((await consumer.info()).isPaused, true)
      await stage.storeAll('orders.a', ['1', '2'])
      await stage.settle()
      assert.deepEqual(member.bodies, [])
      await consumer.resume()
      await member.received(2)
      assert.equal((await consumer.info()).isPaused, false)
      assert.deepEqual(member.bodies, ['1', '2'])
    },
  },
  {
    name: 'goes on by itself at the end of a pause that has one',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream)
      await consumer.pause(stage.nowMs + 1_000)
      const member = stage.join(consumer)
      await stage.store('orders.a')
      await stage.settle()
      assert.deepEqual(member.items, [])
      await stage.advance(1_200)
      await member.received(1)
      assert.equal((await consumer.info()).isPaused, false)
    },
  },
  {
    name: 'takes verdicts while it is paused',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2'])
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer)
      await member.received(2)
      await consumer.pause()
      await acknowledgeSafely(consumer, member.tokens[0]!)
      assert.equal(consumer.release(member.tokens[1]!), true)
      await stage.settle()
      assert.equal(member.items.length, 2)
      await consumer.resume()
      await member.received(3)
      assert.deepEqual(member.bodies, ['1', '2', '2'])
    },
  },
  {
    name: 'ends a consumer that is not durable some time after its last member left',
    async run(stage) {
      const stream = await stage.createStream()
      const terms = { isDurable: false, inactiveMs: 500 }
      const consumer = await stage.createConsumer(stream, terms)
      const members = [stage.join(consumer), stage.join(consumer)]
      members[0]!.leave()
      await stage.advance(800)
      assert.ok(await stream.findConsumer('billing'), 'ended though a member was there')
      members[1]!.leave()
      await stage.advance(800)
      assert.equal(await stream.findConsumer('billing'), undefined)
      assert.equal(consumer.isDeleted, true)
    },
  },
  {
    name: 'keeps a consumer that is not durable when somebody joins in time',
    needs: hasMovableTime,
    async run(stage) {
      const stream = await stage.createStream()
      const terms = { isDurable: false, inactiveMs: 5_000 }
      const consumer = await stage.createConsumer(stream, terms)
      stage.join(consumer).leave()
      await stage.advance(4_000)
      const member = stage.join(consumer, { during: acknowledging })
      await stage.advance(4_000)
      await stage.store('orders.a')
      await member.received(1)
      assert.equal(consumer.isDeleted, false)
    },
  },
  {
    name: 'keeps a durable consumer that nobody uses',
    needs: hasMovableTime,
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream, { inactiveMs: 1_000 })
      stage.join(consumer).leave()
      await stage.advance(60 * 86_400_000)
      assert.equal(consumer.isDeleted, false)
      assert.ok(await stream.findConsumer('billing'))
    },
  },
  {
    name: 'hands out nothing after the engine is closed, and takes a leave but no verdict',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer)
      await stage.store('orders.a')
      await member.received(1)
      await stage.engine.close()
      assert.equal(member.items.length, 1)
      assert.equal(consumer.acknowledge(member.tokens[0]!), false)
      member.leave()
    },
  },
]

export const durableConsumersChapter = durableChapter('durable: consumers', [
  ...settingsCases,
  ...handingOut,
  ...lifetimes,
  {
    name: 'holds 100 consumers on one stream, each at its own place',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 100))
      const consumers = await Promise.all(
        numbers(1, 100).map((n) =>
          stage.createConsumer(stream, {
            name: `consumer-${n}`,
            start: { at: 'sequence', sequence: n },
          }),
        ),
      )
      const members = consumers.map((consumer) => stage.join(consumer, { during: acknowledging }))
      for (const [i, member] of members.entries()) {
        await member.received(100 - i)
        assert.deepEqual(member.sequences, numbers(i + 1, 100))
      }
    },
  },
])
