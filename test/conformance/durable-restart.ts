// What is there again after the engine ended, in good order or not: everything that it gave its word for.
import assert from 'node:assert/strict'
import type { ConsumerSettings, Transaction } from '../../src/engine/index.js'
import { encodeHeaderBlock } from '../../src/wire/index.js'
import { durableChapter } from './durable-chapter.js'
import {
  hasMovableTime,
  overEveryEnding,
  overProcessEndings,
  type DurableCase,
  type DurableStage,
} from './durable-stage.js'
import { bodiesOf, numberBodies, numbers, sequencesOf } from './kept-message.js'
import { acknowledgeSafely, acknowledging } from './member-recorder.js'
import { describeOutcome } from './receipts.js'

const keepsFsynced: DurableCase['needs'] = ({ engine }) => engine.durable?.strongest === 'fsync'

const streams: readonly DurableCase[] = [
  ...overEveryEnding('keeps streams and consumers with their settings', async (stage, reopen) => {
    const settings = stage.streamSettings({
      topics: ['orders.*', 'refunds.>'],
      maxMessages: 1_000,
      maxAgeMs: 86_400_000,
      maxMessagesPerTopic: 10,
      description: 'what customers want',
      metadata: { owner: 'sales' },
    })
    const consumerSettings = stage.consumerSettings({
      topics: ['orders.a'],
      maxDeliveries: 5,
      backoffMs: [1_000, 2_000],
      deadLetter: { stream: 'orders-dead', followers: 'continue' },
      order: 'key',
    })
    await (await stage.durable.createStream(settings)).createConsumer(consumerSettings)
    await stage.createStream({ name: 'empty' })
    await reopen()
    assert.deepEqual(await stage.streamNames(), ['empty', 'orders'])
    assert.deepEqual({ ...(await stage.stream()).settings }, settings)
    assert.deepEqual({ ...(await stage.consumer()).settings }, consumerSettings)
    await (await stage.durable.createStream(settings)).createConsumer(consumerSettings)
  }),
  ...overEveryEnding('keeps updates, and what was deleted stays deleted', async (stage, reopen) => {
    const stream = await stage.createStream()
    await stage.createConsumer(stream)
    await stage.createConsumer(stream, { name: 'gone' })
    await stage.createStream({ name: 'gone' })
    await stage.store('gone.x')
    await stage.durable.updateStream(stage.streamSettings({ maxMessages: 50 }))
    await stream.updateConsumer(stage.consumerSettings({ ackWaitMs: 7_000 }))
    await stream.deleteConsumer('gone')
    await stage.durable.deleteStream('gone')
    await reopen()
    assert.deepEqual(await stage.streamNames(), ['orders'])
    assert.equal((await stage.stream()).settings.maxMessages, 50)
    assert.equal((await stage.consumer()).settings.ackWaitMs, 7_000)
    assert.equal(await (await stage.stream()).findConsumer('gone'), undefined)
    const again = await stage.createStream({ name: 'gone' })
    assert.deepEqual(await stage.read(again), [])
  }),
  ...overEveryEnding(
    'keeps every message that has a receipt, to the byte',
    async (stage, reopen) => {
      await stage.createStream()
      const headers = [['X-Odd-CASE', 'grüße']] as const
      const body = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251)
      await stage.store('orders.a', { headers, reply: 'answers', body })
      await stage.store('orders.b')
      await stage.storeAll('orders.a', numberBodies(1, 200))
      const before = await stage.read(await stage.stream())
      await reopen()
      const stream = await stage.stream()
      const after = await stage.read(stream)
      assert.deepEqual(after, before)
      assert.equal(after.length, 202)
      assert.deepEqual(after[0]!.headerBlock, encodeHeaderBlock(headers))
      assert.deepEqual(await stage.get(stream, 1), before[0])
    },
  ),
  ...overEveryEnding('knows its topics', async (stage, reopen) => {
    const byTopic = async () =>
      [...(await (await stage.stream()).topics())].sort((a, b) => a.topic.localeCompare(b.topic))
    const stream = await stage.createStream({ maxMessagesPerTopic: 3 })
    for (let i = 0; i < 40; i++) await stage.store(`orders.${i % 7}`)
    await stream.purge({ topic: 'orders.2' })
    await stream.remove(36)
    const before = await byTopic()
    await reopen()
    assert.deepEqual(await byTopic(), before)
    const last = await (await stage.stream()).lastOf(stage.engine.topic('orders.4'))
    assert.equal(last!.sequence, 40)
  }),
  ...overEveryEnding('goes on with the next sequence', async (stage, reopen) => {
    await stage.createStream()
    await stage.storeAll('orders.a', ['1', '2', '3'])
    await reopen()
    assert.equal(await stage.store('orders.a'), 4)
    assert.deepEqual(sequencesOf(await stage.read(await stage.stream())), [1, 2, 3, 4])
  }),
  ...overEveryEnding('gives no sequence again whose message was removed', async (stage, reopen) => {
    const purged = await stage.createStream({ name: 'purged' })
    const shortened = await stage.createStream({ name: 'shortened' })
    await stage.storeAll('purged.a', ['1', '2', '3'])
    await stage.storeAll('shortened.a', ['1', '2', '3'])
    await purged.purge()
    await shortened.remove(3)
    await reopen()
    assert.equal((await (await stage.stream('purged')).state()).messages, 0)
    assert.deepEqual(sequencesOf(await stage.read(await stage.stream('shortened'))), [1, 2])
    assert.equal(await stage.store('purged.a'), 4)
    assert.equal(await stage.store('shortened.a'), 4)
  }),
  ...overEveryEnding(
    'gives no sequence again of a stream that is not on the disk',
    async (stage, reopen) => {
      for (const durability of ['os', 'memory'] as const) {
        await stage.createStream({ name: durability, durability })
        await stage.storeAll(`${durability}.a`, ['1', '2', '3'])
      }
      await reopen()
      for (const name of ['os', 'memory']) {
        const sequence = await stage.store(`${name}.a`, { body: 'after' })
        assert.ok(sequence > 3, `${name}: ${sequence}`)
      }
      assert.deepEqual(bodiesOf(await stage.read(await stage.stream('memory'))), ['after'])
    },
    keepsFsynced,
  ),
  ...overProcessEndings(
    'keeps what was handed to the operating system',
    async (stage, reopen) => {
      await stage.createStream({ durability: 'os' })
      await stage.storeAll('orders.a', numberBodies(1, 50))
      await reopen()
      assert.deepEqual(bodiesOf(await stage.read(await stage.stream())), numberBodies(1, 50))
    },
    keepsFsynced,
  ),
  ...overEveryEnding('keeps what is left when messages were removed', async (stage, reopen) => {
    const stream = await stage.createStream()
    for (let i = 1; i <= 20; i++) await stage.store(`orders.${i % 2 === 0 ? 'even' : 'odd'}`)
    await stream.purge({ topic: 'orders.odd', keep: 2 })
    await stream.purge({ before: 5 })
    await stream.remove(10)
    const before = await stage.read(stream)
    await reopen()
    assert.deepEqual(await stage.read(await stage.stream()), before)
    const { messages, firstSequence, lastSequence } = await (await stage.stream()).state()
    assert.deepEqual([messages, firstSequence, lastSequence], [before.length, 6, 20])
  }),
  ...overEveryEnding('holds its limits', async (stage, reopen) => {
    await stage.createStream({ name: 'few', maxMessages: 3 })
    await stage.createStream({ name: 'full', maxMessages: 3, discard: 'new' })
    await stage.createStream({ name: 'last', maxMessagesPerTopic: 1 })
    for (let i = 0; i < 3; i++) await stage.store('full.a')
    for (let i = 0; i < 9; i++) await stage.store('few.a')
    for (let i = 0; i < 9; i++) await stage.store(`last.${i % 2}`)
    await reopen()
    assert.equal(describeOutcome(await stage.outcomeOf('full.a')), 'STREAM_FULL')
    assert.deepEqual(sequencesOf(await stage.read(await stage.stream('few'))), [7, 8, 9])
    assert.deepEqual(sequencesOf(await stage.read(await stage.stream('last'))), [8, 9])
    await stage.store('few.a')
    await stage.store('last.0')
    await stage.settle()
    assert.deepEqual(sequencesOf(await stage.read(await stage.stream('few'))), [8, 9, 10])
    assert.deepEqual(sequencesOf(await stage.read(await stage.stream('last'))), [8, 10])
  }),
  ...overEveryEnding('keeps work queues and interest at what is left', async (stage, reopen) => {
    for (const retention of ['work-queue', 'interest'] as const) {
      const stream = await stage.createStream({ name: retention, retention })
      const consumer = await stage.createConsumer(stream)
      await stage.storeAll(`${retention}.a`, ['1', '2', '3'])
      const member = stage.join(consumer)
      await member.received(3)
      await acknowledgeSafely(consumer, member.tokens[1]!)
      await stage.settle()
    }
    await reopen()
    for (const name of ['work-queue', 'interest']) {
      await stage.settle()
      assert.deepEqual(bodiesOf(await stage.read(await stage.stream(name))), ['1', '3'], name)
      const consumer = await stage.consumer('billing', name)
      const member = stage.join(consumer, { during: acknowledging })
      await member.received(2)
      await stage.settle()
      assert.deepEqual(await stage.read(await stage.stream(name)), [], name)
    }
  }),
  ...overProcessEndings(
    'keeps of what has no receipt yet a beginning without gaps',
    async (stage, reopen) => {
      await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 5))
      for (let i = 6; i <= 300; i++) {
        stage.publish('orders.a', { body: String(i) })
        if (i % 40 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      await reopen()
      const kept = bodiesOf(await stage.read(await stage.stream()))
      assert.ok(kept.length >= 5 + stage.receipts.items.length)
      assert.deepEqual(kept, numberBodies(1, kept.length))
    },
  ),
]

const terms: readonly DurableCase[] = [
  ...overEveryEnding('knows the ids within its window', async (stage, reopen) => {
    await stage.createStream()
    for (let i = 1; i <= 100; i++) stage.publish('orders.a', { id: `id-${i}` })
    await stage.receipts.received(100)
    await reopen()
    for (const i of [1, 50, 100]) {
      assert.deepEqual(await stage.outcomeOf('orders.a', { id: `id-${i}` }), {
        kind: 'duplicate',
        stream: 'orders',
        sequence: i,
      })
    }
    assert.equal(await stage.store('orders.a', { id: 'id-101' }), 101)
  }),
  ...overEveryEnding('knows the ids of messages that were removed', async (stage, reopen) => {
    const stream = await stage.createStream({ maxMessages: 1 })
    for (const id of ['one', 'two', 'three']) await stage.store('orders.a', { id })
    await stream.purge()
    await reopen()
    for (const id of ['one', 'two', 'three']) {
      const outcome = await stage.outcomeOf('orders.a', { id })
      assert.equal(describeOutcome(outcome), 'duplicate', id)
    }
  }),
  ...overEveryEnding(
    'forgets ids whose window ends after it, and not before',
    async (stage, reopen) => {
      await stage.createStream({ duplicateWindowMs: 60_000 })
      await stage.store('orders.a', { id: 'one' })
      await stage.advance(40_000)
      await reopen()
      const publish = async () => describeOutcome(await stage.outcomeOf('orders.a', { id: 'one' }))
      assert.equal(await publish(), 'duplicate')
      await stage.advance(25_000)
      assert.equal(await publish(), 'committed')
    },
    hasMovableTime,
  ),
  ...overEveryEnding('removes in time what has a time to live', async (stage, reopen) => {
    await stage.createStream()
    await stage.store('orders.a', { body: 'short', ttlMs: 2_000 })
    await stage.store('orders.a', { body: 'stays' })
    await stage.store('orders.a', { body: 'long', ttlMs: 86_400_000 })
    await reopen()
    await stage.advance(2_500)
    assert.deepEqual(bodiesOf(await stage.read(await stage.stream())), ['stays', 'long'])
  }),
  ...overEveryEnding('shows in time what is delayed, once', async (stage, reopen) => {
    await stage.createStream()
    const body = 'later'
    await stage.store('orders.a', { body, id: 'one', deliverAtMs: stage.nowMs + 2_000 })
    await reopen()
    assert.deepEqual(await stage.read(await stage.stream()), [])
    await stage.advance(2_500)
    const messages = await stage.read(await stage.stream())
    assert.deepEqual(bodiesOf(messages), ['later'])
    assert.equal(describeOutcome(await stage.outcomeOf('orders.a', { id: 'one' })), 'duplicate')
    await reopen()
    await stage.settle()
    assert.deepEqual(await stage.read(await stage.stream()), messages)
  }),
  ...overEveryEnding('checks expectations against what it kept', async (stage, reopen) => {
    await stage.createStream()
    await stage.storeAll('orders.a', ['1', '2'])
    await stage.store('orders.b')
    await reopen()
    const outcome = await stage.outcomeOf('orders.a', { expectedLastTopicSequence: 3 })
    assert.equal(describeOutcome(outcome), 'EXPECTATION_FAILED')
    assert.equal(await stage.store('orders.a', { expectedLastSequence: 3 }), 4)
    assert.equal(await stage.store('orders.b', { expectedLastTopicSequence: 3 }), 5)
  }),
  ...overEveryEnding('does not bring back what was rolled up', async (stage, reopen) => {
    await stage.createStream()
    await stage.storeAll('orders.a', ['1', '2'])
    await stage.store('orders.b', { body: '3' })
    await stage.store('orders.a', { body: '4', rollUp: 'topic' })
    await stage.settle()
    await reopen()
    assert.deepEqual(bodiesOf(await stage.read(await stage.stream())), ['3', '4'])
  }),
]

const consumers: readonly DurableCase[] = [
  ...overEveryEnding(
    'goes on behind what was acknowledged safely',
    async (stage, reopen) => {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 6))
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer, { credit: 4 })
      await member.received(4)
      for (const i of [0, 1, 3]) await acknowledgeSafely(consumer, member.tokens[i]!)
      await reopen()
      await stage.advance(31_000)
      const again = stage.join(await stage.consumer(), { during: acknowledging })
      await again.received(3)
      await stage.settle()
      assert.deepEqual([...again.bodies].sort(), ['3', '5', '6'])
      assert.equal((await (await stage.consumer()).info()).floorSequence, 6)
    },
    hasMovableTime,
  ),
  ...overEveryEnding(
    'begins where it was to begin when nothing was handed out',
    async (stage, reopen) => {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2'])
      await stage.createConsumer(stream, { name: 'new', start: { at: 'new' } })
      await stage.createConsumer(stream, { name: 'last', start: { at: 'last' } })
      await reopen()
      await stage.store('orders.a', { body: '3' })
      const newMember = stage.join(await stage.consumer('new'), { during: acknowledging })
      const lastMember = stage.join(await stage.consumer('last'), { during: acknowledging })
      await newMember.received(1)
      await lastMember.received(2)
      await stage.settle()
      assert.deepEqual(newMember.bodies, ['3'])
      assert.deepEqual(lastMember.bodies, ['2', '3'])
    },
  ),
  ...overEveryEnding(
    'loses no message, whatever was acknowledged in passing',
    async (stage, reopen) => {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 100))
      const consumer = await stage.createConsumer(stream, { maxInFlight: 10 })
      const handled = new Set<string>()
      const member = stage.join(consumer, {
        credit: 60,
        during({ token, body }) {
          consumer.acknowledge(token)
          handled.add(body)
        },
      })
      await member.received(60)
      await reopen()
      const again = await stage.consumer()
      const next = stage.join(again, {
        during({ token, body }) {
          again.acknowledge(token)
          handled.add(body)
        },
      })
      await next.until(() => next.bodies.includes('100'), 'the last message')
      await stage.settle()
      assert.equal(handled.size, 100)
    },
  ),
  ...overProcessEndings(
    'remembers attempts, so that a message does not kill for ever',
    async (stage, reopen) => {
      const stream = await stage.createStream()
      await stage.store('orders.a', { body: 'deadly' })
      await stage.store('orders.a', { body: 'harmless' })
      await stage.createConsumer(stream, {
        maxDeliveries: 2,
        deadLetter: { stream: 'orders-dead', followers: 'park' },
      })
      for (const deliveryCount of [1, 2]) {
        const member = stage.join(await stage.consumer(), { credit: 1 })
        await member.received(1)
        assert.deepEqual([member.bodies[0], member.deliveryCounts[0]], ['deadly', deliveryCount])
        await reopen()
        await stage.advance(31_000)
      }
      const member = stage.join(await stage.consumer(), { during: acknowledging })
      await member.received(1)
      await stage.settle()
      assert.deepEqual(member.bodies, ['harmless'])
      const [letter] = await stage.deadLetters(await stage.stream()).list()
      assert.equal(letter!.reason, 'attempts-exhausted')
      assert.equal(letter!.attempts, 2)
    },
    hasMovableTime,
  ),
  ...overProcessEndings(
    'gives no token again, and refuses those of before',
    async (stage, reopen) => {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2', '3'])
      const member = stage.join(await stage.createConsumer(stream))
      await member.received(3)
      await reopen()
      await stage.advance(31_000)
      const consumer = await stage.consumer()
      const again = stage.join(consumer)
      await again.received(3)
      for (const token of member.tokens) {
        assert.ok(!again.tokens.includes(token), `token ${token} was given again`)
        assert.equal(consumer.acknowledge(token), false)
      }
    },
    hasMovableTime,
  ),
  ...overProcessEndings(
    'keeps the delay of a retry',
    async (stage, reopen) => {
      const stream = await stage.createStream()
      await stage.store('orders.a')
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer)
      await member.received(1)
      consumer.retry(member.tokens[0]!, 3_600_000)
      await stage.settle()
      await reopen()
      const again = stage.join(await stage.consumer())
      await stage.advance(3_000_000)
      assert.equal(again.items.length, 0)
      await stage.advance(700_000)
      await again.received(1)
      assert.equal(again.deliveryCounts[0], 2)
    },
    hasMovableTime,
  ),
  ...overEveryEnding('stays paused', async (stage, reopen) => {
    const stream = await stage.createStream()
    await stage.store('orders.a')
    const consumer = await stage.createConsumer(stream)
    await consumer.pause()
    await reopen()
    const again = await stage.consumer()
    assert.equal((await again.info()).isPaused, true)
    const member = stage.join(again)
    await stage.settle()
    assert.equal(member.items.length, 0)
    await again.resume()
    await member.received(1)
  }),
  ...overEveryEnding(
    'forgets consumers that are not durable',
    async (stage, reopen) => {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream, { isDurable: false })
      stage.join(consumer)
      await stage.store('orders.a')
      await reopen()
      await stage.advance(6_000)
      assert.equal(await (await stage.stream()).findConsumer('billing'), undefined)
    },
    hasMovableTime,
  ),
  ...overEveryEnding(
    'keeps the order of each key',
    async (stage, reopen) => {
      const stream = await stage.createStream()
      for (let i = 1; i <= 60; i++)
        await stage.store('orders.a', { body: String(i), key: `k${i % 5}` })
      const settings = { order: 'key', maxInFlight: 4, ackWaitMs: 1_000 } as const
      await stage.createConsumer(stream, settings)
      const settled: number[] = []
      for (let round = 0; round < 6 && settled.length < 60; round++) {
        const consumer = await stage.consumer()
        const work: Promise<void>[] = []
        stage.join(consumer, {
          credit: 15,
          during({ token, body }) {
            const isSkipped = (Number(body) + round) % 11 === 0
            if (!isSkipped)
              work.push(
                acknowledgeSafely(consumer, token).then(() => void settled.push(Number(body))),
              )
          },
        })
        await stage.settle()
        await Promise.all(work)
        await reopen()
        await stage.advance(1_100)
      }
      assert.equal(new Set(settled).size, settled.length)
      for (let key = 0; key < 5; key++) {
        const ofKey = settled.filter((body) => body % 5 === key)
        assert.deepEqual(
          ofKey,
          numbers(1, 60)
            .filter((body) => body % 5 === key)
            .slice(0, ofKey.length),
        )
      }
      assert.ok(settled.length >= 40, `${settled.length} settled`)
    },
    hasMovableTime,
  ),
]

async function rejectOne(
  stage: DurableStage,
  terms: Partial<ConsumerSettings> = {},
): Promise<void> {
  const stream = await stage.createStream()
  for (const body of ['a1', 'a2', 'b1']) await stage.store('orders.a', { body, key: body[0]! })
  const consumer = await stage.createConsumer(stream, {
    order: 'key',
    deadLetter: { stream: 'orders-dead', followers: 'park' },
    ...terms,
  })
  stage.join(consumer, {
    during({ token, body }) {
      if (body === 'a1') consumer.reject(token, 'no good')
      else consumer.acknowledge(token)
    },
  })
  await stage.settle()
}

const units: readonly DurableCase[] = [
  ...overEveryEnding(
    'keeps dead letters, and what is parked behind them',
    async (stage, reopen) => {
      await rejectOne(stage)
      const before = await stage.deadLetters(await stage.stream()).list()
      assert.equal(before.length, 2)
      await reopen()
      const deadLetters = stage.deadLetters(await stage.stream())
      assert.deepEqual(await deadLetters.list(), before)
      const member = stage.join(await stage.consumer(), { during: acknowledging })
      await stage.store('orders.a', { body: 'a3', key: 'a' })
      await stage.store('orders.a', { body: 'b2', key: 'b' })
      await member.received(1)
      await stage.settle()
      assert.deepEqual(
        member.bodies.filter((body) => body !== 'b1'),
        ['b2'],
      )
      assert.equal(await deadLetters.redrive({ key: 'a' }), 3)
      await member.until(() => member.bodies.includes('a3'), 'a3')
      assert.deepEqual(
        member.bodies.filter((body) => body.startsWith('a')),
        ['a1', 'a2', 'a3'],
      )
    },
  ),
  ...overEveryEnding(
    'hands out a redriven letter that was not settled, and keeps it until then',
    async (stage, reopen) => {
      await rejectOne(stage)
      await stage.deadLetters(await stage.stream()).redrive()
      await stage.settle()
      await reopen()
      const deadLetters = stage.deadLetters(await stage.stream())
      assert.equal(await deadLetters.count(), 2)
      await deadLetters.redrive()
      const member = stage.join(await stage.consumer(), { during: acknowledging })
      await member.until(() => member.bodies.includes('a2'), 'a2')
      await stage.settle()
      assert.deepEqual(
        member.bodies.filter((body) => body.startsWith('a')),
        ['a1', 'a2'],
      )
      assert.equal(await deadLetters.count(), 0)
    },
  ),
  ...overProcessEndings(
    'does not hand out again what was given up before its letter could be written',
    async (stage, reopen) => {
      const stream = await stage.createStream()
      const deadLetter = { stream: 'orders-dead', followers: 'continue' } as const
      const consumer = await stage.createConsumer(stream, { deadLetter })
      stage.join(consumer, { during: ({ token }) => void consumer.reject(token, 'no good') })
      await stage.store('orders.a', { body: '1' })
      await stage.settle()
      const { settings } = await stage.stream('orders-dead')
      await stage.durable.updateStream({ ...settings, maxMessages: 1, discard: 'new' })
      await stage.store('orders.a', { body: '2' })
      await stage.settle()

      await reopen()
      const again = await stage.consumer()
      const member = stage.join(again, { during: acknowledging })
      await stage.advance(60_000)
      assert.deepEqual(member.bodies, [])
      assert.equal((await again.info()).unsettled, 1)
      await stage.durable.updateStream({ ...settings, discard: 'new' })
      await stage.advance(60_000)
      const [, letter] = await stage.deadLetters(await stage.stream()).list()
      assert.equal(letter!.originalSequence, 2)
      assert.equal(letter!.reason, 'rejected')
      assert.equal(letter!.error, 'no good')
      assert.equal((await again.info()).unsettled, 0)
    },
    hasMovableTime,
  ),
  ...overEveryEnding('does not bring back letters that were discarded', async (stage, reopen) => {
    await rejectOne(stage)
    await stage.deadLetters(await stage.stream()).discard()
    await reopen()
    assert.equal(await stage.deadLetters(await stage.stream()).count(), 0)
    const member = stage.join(await stage.consumer(), { during: acknowledging })
    await stage.store('orders.a', { body: 'a3', key: 'a' })
    await member.until(() => member.bodies.includes('a3'), 'a3')
    assert.ok(!member.bodies.includes('a1'))
  }),
  ...overEveryEnding(
    'keeps all of a committed transaction, its acknowledgement included',
    async (stage, reopen) => {
      const stream = await stage.createStream()
      await stage.createStream({ name: 'out' })
      await stage.createStream({ name: 'log' })
      await stage.storeAll('orders.a', ['1', '2'])
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer, { credit: 1 })
      await member.received(1)
      const transaction = stage.durable.beginTransaction()
      stage.addTo(transaction, 'out.x', { body: 'out', id: 'one' })
      stage.addTo(transaction, 'log.x', { body: 'log' })
      transaction.acknowledge(consumer, member.tokens[0]!)
      await stage.commit(transaction)
      await reopen()
      assert.deepEqual(bodiesOf(await stage.read(await stage.stream('out'))), ['out'])
      assert.deepEqual(bodiesOf(await stage.read(await stage.stream('log'))), ['log'])
      assert.equal(describeOutcome(await stage.outcomeOf('out.x', { id: 'one' })), 'duplicate')
      const again = stage.join(await stage.consumer(), { during: acknowledging })
      await again.received(1)
      await stage.settle()
      assert.deepEqual(again.bodies, ['2'])
    },
  ),
  ...overEveryEnding(
    'keeps nothing of a transaction that was not committed',
    async (stage, reopen) => {
      await stage.createStream()
      const transaction = stage.durable.beginTransaction()
      stage.addTo(transaction, 'orders.a')
      await stage.settle()
      await reopen()
      assert.deepEqual(await stage.read(await stage.stream()), [])
      assert.equal(await stage.store('orders.a'), 1)
    },
  ),
  ...overEveryEnding(
    'keeps each transaction under way as a whole or not at all',
    async (stage, reopen) => {
      for (const name of ['a', 'b', 'c']) await stage.createStream({ name })
      let committed = 0
      const commit = (transaction: Transaction): void => {
        transaction.commit((error) => {
          if (error === undefined) committed += 1
        })
      }
      for (let i = 1; i <= 60; i++) {
        const transaction = stage.durable.beginTransaction()
        for (const name of ['a', 'b', 'c'])
          stage.addTo(transaction, `${name}.x`, { body: String(i) })
        commit(transaction)
        if (i % 8 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      const promised = committed
      await reopen()
      const [a, b, c] = await Promise.all(
        ['a', 'b', 'c'].map(async (name) => bodiesOf(await stage.read(await stage.stream(name)))),
      )
      assert.deepEqual(b, a)
      assert.deepEqual(c, a)
      assert.deepEqual(a, numberBodies(1, a!.length))
      assert.ok(a!.length >= promised, `${a!.length} of ${promised}`)
    },
  ),
  ...overEveryEnding(
    'processes exactly once, though it ends in the middle again and again',
    async (stage, reopen) => {
      const input = await stage.createStream({ name: 'in' })
      await stage.createStream({ name: 'out' })
      await stage.storeAll('in.x', numberBodies(1, 60))
      await stage.createConsumer(input, { ackWaitMs: 1_000, maxInFlight: 5 })
      const outputs = async () => bodiesOf(await stage.read(await stage.stream('out')))
      for (let round = 0; round < 10 && (await outputs()).length < 60; round++) {
        const consumer = await stage.consumer('billing', 'in')
        const member = stage.join(consumer, {
          credit: 12,
          during({ token, body }) {
            const transaction = stage.durable.beginTransaction()
            stage.addTo(transaction, 'out.x', { body })
            transaction.acknowledge(consumer, token)
            transaction.commit(() => {})
          },
        })
        const isLast = (await outputs()).length >= 48
        await member.received(isLast ? 1 : 7)
        if (round % 2 === 0 || isLast) await stage.settle()
        await reopen()
        await stage.advance(1_100)
      }
      assert.deepEqual(
        (await outputs()).sort((x, y) => Number(x) - Number(y)),
        numberBodies(1, 60),
      )
    },
    hasMovableTime,
  ),
]

export const durableRestartChapter = durableChapter('durable: endings', [
  ...streams,
  ...terms,
  ...consumers,
  ...units,
])
