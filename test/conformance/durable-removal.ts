// How messages leave a stream: by hand, by limits, and when consumers are through with them.
import assert from 'node:assert/strict'
import type { PurgeOptions } from '../../src/engine/index.js'
import { durableChapter } from './durable-chapter.js'
import { hasMovableTime, type DurableCase, type DurableStage } from './durable-stage.js'
import { bodiesOf, numberBodies, numbers, sequencesOf } from './kept-message.js'
import { acknowledgeSafely, acknowledging } from './member-recorder.js'
import { codeOf } from './stage.js'

/** Purges of a stream with orders.a 1, orders.b 2, orders.a 3, orders.b 4, orders.a 5. */
const purges: readonly (readonly [what: string, options: PurgeOptions, left: number[]])[] = [
  ['all', {}, []],
  ['a topic', { topic: 'orders.a' }, [2, 4]],
  ['a pattern', { topic: 'orders.*' }, []],
  ['a topic that has none', { topic: 'orders.z' }, [1, 2, 3, 4, 5]],
  ['what is before a sequence', { before: 3 }, [3, 4, 5]],
  ['nothing before the first', { before: 1 }, [1, 2, 3, 4, 5]],
  ['all before a sequence above the last', { before: 99 }, []],
  ['all but the newest', { keep: 2 }, [4, 5]],
  ['all but more than there are', { keep: 9 }, [1, 2, 3, 4, 5]],
  ["all but a topic's newest", { topic: 'orders.a', keep: 1 }, [2, 4, 5]],
  ['a topic before a sequence', { topic: 'orders.a', before: 5 }, [2, 4, 5]],
  ['all before a sequence but the newest of it', { before: 4, keep: 1 }, [3, 4, 5]],
]

const byHand: readonly DurableCase[] = [
  ...purges.map(([what, options, left]) => ({
    name: `purges ${what}, and says how many messages that were`,
    async run(stage: DurableStage) {
      const stream = await stage.createStream()
      for (const topic of ['a', 'b', 'a', 'b', 'a']) await stage.store(`orders.${topic}`)
      assert.equal(await stream.purge(options), 5 - left.length)
      assert.deepEqual(sequencesOf(await stage.read(stream)), left)
      assert.equal((await stream.state()).messages, left.length)
    },
  })),
  {
    name: 'goes on with the next sequence after a purge',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2', '3'])
      await stream.purge()
      const { messages, firstSequence, lastSequence, bytes } = await stream.state()
      assert.deepEqual(
        { messages, firstSequence, lastSequence, bytes },
        { messages: 0, firstSequence: 4, lastSequence: 3, bytes: 0 },
      )
      assert.equal(await stage.store('orders.a'), 4)
    },
  },
  {
    name: 'removes one message, and says whether it was there',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2', '3'])
      assert.equal(await stream.remove(2), true)
      assert.equal(await stream.remove(2), false)
      assert.equal(await stream.remove(99), false)
      assert.equal(await stage.get(stream, 2), undefined)
      const { messages, removed, firstSequence, lastSequence } = await stream.state()
      assert.deepEqual({ messages, removed }, { messages: 2, removed: 1 })
      assert.deepEqual([firstSequence, lastSequence], [1, 3])
    },
  },
  {
    name: 'begins later when its first messages are removed',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2', '3', '4'])
      await stream.remove(2)
      assert.equal((await stream.state()).firstSequence, 1)
      await stream.remove(1)
      const state = await stream.state()
      assert.equal(state.firstSequence, 3)
      assert.equal(state.removed, 0)
    },
  },
  {
    name: 'does not give the sequence of a removed last message again',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2'])
      await stream.remove(2)
      assert.equal(await stage.store('orders.a'), 3)
      assert.deepEqual(sequencesOf(await stage.read(stream)), [1, 3])
    },
  },
]

const byLimits: readonly DurableCase[] = [
  {
    name: 'keeps as many messages as it may, the newest',
    async run(stage) {
      const stream = await stage.createStream({ maxMessages: 3 })
      await stage.storeAll('orders.a', numberBodies(1, 10))
      await stage.settle()
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['8', '9', '10'])
      const { messages, firstSequence, lastSequence } = await stream.state()
      assert.deepEqual([messages, firstSequence, lastSequence], [3, 8, 10])
    },
  },
  {
    name: 'keeps no more bytes than it may, and always the newest',
    async run(stage) {
      const maxBytes = 10_000
      const stream = await stage.createStream({ maxBytes })
      const body = new Uint8Array(1_000)
      for (let i = 0; i < 50; i++) stage.publish('orders.a', { body })
      await stage.receipts.received(50)
      await stage.settle()
      const { bytes, messages, lastSequence } = await stream.state()
      assert.ok(bytes <= maxBytes, `${bytes} bytes`)
      assert.ok(messages >= 5 && messages <= 10, `${messages} messages`)
      assert.equal(lastSequence, 50)
      assert.deepEqual(sequencesOf(await stage.read(stream)), numbers(51 - messages, 50))
    },
  },
  {
    name: 'keeps messages as long as it may',
    async run(stage) {
      const stream = await stage.createStream({ maxAgeMs: 2_000 })
      await stage.storeAll('orders.a', ['1', '2'])
      await stage.advance(1_400)
      await stage.store('orders.a', { body: '3' })
      await stage.advance(1_000)
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['3'])
      await stage.advance(1_400)
      assert.deepEqual(bodiesOf(await stage.read(stream)), [])
      assert.equal((await stream.state()).messages, 0)
      assert.equal(await stage.store('orders.a'), 4)
    },
  },
  {
    name: 'keeps messages for 60 days, not a day less',
    needs: hasMovableTime,
    async run(stage) {
      const dayMs = 86_400_000
      const stream = await stage.createStream({ maxAgeMs: 60 * dayMs })
      await stage.store('orders.a', { body: '1' })
      for (const days of [25, 25, 9]) {
        await stage.advance(days * dayMs)
        assert.deepEqual(bodiesOf(await stage.read(stream)), ['1'])
      }
      await stage.advance(dayMs + 1_000)
      assert.deepEqual(bodiesOf(await stage.read(stream)), [])
    },
  },
  {
    name: 'keeps as many messages of each topic as it may',
    async run(stage) {
      const stream = await stage.createStream({ maxMessagesPerTopic: 2 })
      for (let i = 1; i <= 12; i++) await stage.store(`orders.${i % 3}`)
      await stage.store('orders.rare')
      await stage.settle()
      assert.deepEqual(sequencesOf(await stage.read(stream)), numbers(7, 13))
      assert.deepEqual((await stream.topics()).map(({ messages }) => messages).sort(), [1, 2, 2, 2])
    },
  },
  {
    name: "keeps each topic's last value with one message for each",
    async run(stage) {
      const stream = await stage.createStream({ maxMessagesPerTopic: 1 })
      for (let i = 1; i <= 1_000; i++) stage.publish(`orders.${i % 50}`, { body: String(i) })
      await stage.receipts.received(1_000)
      await stage.settle()
      assert.deepEqual(bodiesOf(await stage.read(stream)), numberBodies(951, 1_000))
      assert.equal((await stream.state()).messages, 50)
    },
  },
  {
    name: 'refuses with STREAM_FULL what is too many, where the new is discarded, and takes it when there is room',
    async run(stage) {
      const stream = await stage.createStream({ maxMessages: 3, discard: 'new' })
      for (let i = 1; i <= 5; i++) stage.publish('orders.a', { body: String(i) })
      await stage.receipts.received(5)
      assert.deepEqual([...stage.receipts.verdicts].sort(), [
        'STREAM_FULL',
        'STREAM_FULL',
        'committed',
        'committed',
        'committed',
      ])
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['1', '2', '3'])
      await stream.remove(2)
      assert.equal(await stage.store('orders.a', { body: '6' }), 4)
      assert.equal(await codeOf(() => stage.store('orders.a')), 'STREAM_FULL')
    },
  },
  {
    name: 'refuses with STREAM_FULL what is over its bytes, where the new is discarded',
    async run(stage) {
      const stream = await stage.createStream({ maxBytes: 10_000, discard: 'new' })
      for (let i = 0; i < 50; i++) stage.publish('orders.a', { body: new Uint8Array(1_000) })
      await stage.receipts.received(50)
      const committed = stage.receipts.verdicts.filter((verdict) => verdict === 'committed').length
      assert.ok(committed >= 5 && committed <= 10, `${committed} were taken`)
      assert.equal(
        stage.receipts.verdicts.filter((verdict) => verdict === 'STREAM_FULL').length,
        50 - committed,
      )
      assert.ok((await stream.state()).bytes <= 10_000)
      assert.deepEqual(sequencesOf(await stage.read(stream)), numbers(1, committed))
    },
  },
  {
    name: 'refuses with STREAM_FULL what is too many of its topic, where the new of a topic is discarded, and takes other topics',
    async run(stage) {
      const stream = await stage.createStream({ maxMessagesPerTopic: 1, discardPerTopic: 'new' })
      await stage.store('orders.a')
      assert.equal(await codeOf(() => stage.store('orders.a')), 'STREAM_FULL')
      await stage.store('orders.b')
      assert.deepEqual(sequencesOf(await stage.read(stream)), [1, 2])
    },
  },
  {
    name: 'says that a full stream may take the message later',
    async run(stage) {
      await stage.createStream({ maxMessages: 1, discard: 'new' })
      await stage.store('orders.a')
      const outcome = await stage.outcomeOf('orders.a')
      assert.ok(outcome.kind === 'refused')
      assert.equal(outcome.error.retryable, true)
    },
  },
  {
    name: 'shows nobody what a full stream refused',
    async run(stage) {
      await stage.createStream({ maxMessages: 1, discard: 'new' })
      const live = stage.stage.record('orders.*')
      await stage.stage.ready()
      await stage.store('orders.a', { body: 'taken' })
      await codeOf(() => stage.store('orders.a', { body: 'refused' }))
      await stage.stage.settled()
      assert.deepEqual(live.bodies, ['taken'])
    },
  },
  {
    name: 'makes room in time where the new is discarded but the old grows too old',
    async run(stage) {
      await stage.createStream({ maxMessages: 1, maxAgeMs: 500, discard: 'new' })
      await stage.store('orders.a')
      await stage.advance(1_000)
      assert.equal(await stage.store('orders.a'), 2)
    },
  },
]

const byConsumers: readonly DurableCase[] = [
  {
    name: 'keeps the messages of a work queue until one consumer has acknowledged them',
    async run(stage) {
      const stream = await stage.createStream({ retention: 'work-queue' })
      await stage.storeAll('orders.a', ['1', '2', '3'])
      assert.equal((await stream.state()).messages, 3)
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer)
      await member.received(3)
      await acknowledgeSafely(consumer, member.tokens[1]!)
      await stage.settle()
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['1', '3'])
    },
  },
  {
    name: 'keeps in a work queue what was given back, and what no consumer wants',
    async run(stage) {
      const stream = await stage.createStream({ retention: 'work-queue' })
      await stage.store('orders.a')
      await stage.store('orders.b')
      const consumer = await stage.createConsumer(stream, { topics: ['orders.a'] })
      const member = stage.join(consumer, { credit: 1 })
      await member.received(1)
      consumer.retry(member.tokens[0]!, 60_000)
      await stage.settle()
      assert.deepEqual(sequencesOf(await stage.read(stream)), [1, 2])
    },
  },
  {
    name: 'removes from a work queue what was rejected',
    async run(stage) {
      const stream = await stage.createStream({ retention: 'work-queue' })
      await stage.store('orders.a')
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer)
      await member.received(1)
      consumer.reject(member.tokens[0]!, 'no good')
      await stage.settle()
      assert.deepEqual(await stage.read(stream), [])
    },
  },
  {
    name: 'empties a work queue that several members work on',
    async run(stage) {
      const stream = await stage.createStream({ retention: 'work-queue' })
      const consumer = await stage.createConsumer(stream)
      for (let i = 0; i < 4; i++) stage.join(consumer, { during: acknowledging })
      await stage.storeAll('orders.a', numberBodies(1, 200))
      await stage.settle()
      assert.equal((await stream.state()).messages, 0)
      assert.equal((await stream.state()).lastSequence, 200)
    },
  },
  {
    name: 'keeps the messages of interest until every consumer that wants them has acknowledged',
    async run(stage) {
      const stream = await stage.createStream({ retention: 'interest' })
      const first = await stage.createConsumer(stream, { name: 'first' })
      const second = await stage.createConsumer(stream, { name: 'second' })
      const uninterested = { name: 'third', topics: ['orders.z'] }
      await stage.createConsumer(stream, uninterested)
      await stage.storeAll('orders.a', ['1', '2'])
      const members = [stage.join(first), stage.join(second)]
      for (const member of members) await member.received(2)
      await acknowledgeSafely(first, members[0]!.tokens[0]!)
      await stage.settle()
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['1', '2'])
      await acknowledgeSafely(second, members[1]!.tokens[0]!)
      await stage.settle()
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['2'])
    },
  },
  {
    name: 'keeps nothing that nobody is interested in, and gives a receipt all the same',
    async run(stage) {
      const stream = await stage.createStream({ retention: 'interest' })
      assert.equal(await stage.store('orders.a'), 1)
      await stage.createConsumer(stream, { topics: ['orders.b'] })
      assert.equal(await stage.store('orders.a'), 2)
      await stage.store('orders.b')
      await stage.settle()
      assert.deepEqual(sequencesOf(await stage.read(stream)), [3])
    },
  },
  {
    name: 'loses the interest of a consumer that is deleted',
    async run(stage) {
      const stream = await stage.createStream({ retention: 'interest' })
      await stage.createConsumer(stream)
      await stage.storeAll('orders.a', ['1', '2'])
      await stage.settle()
      assert.equal((await stream.state()).messages, 2)
      await stream.deleteConsumer('billing')
      await stage.settle()
      assert.equal((await stream.state()).messages, 0)
    },
  },
]

export const durableRemovalChapter = durableChapter('durable: removal', [
  ...byHand,
  ...byLimits,
  ...byConsumers,
])
