// What a publisher may ask of the capturing stream: expectations, deduplication, a time to live, a delay, a roll-up.
import assert from 'node:assert/strict'
import { durableChapter } from './durable-chapter.js'
import { hasMovableTime, SHORT_MS, type DurableCase } from './durable-stage.js'
import { bodiesOf, numbers, sequencesOf } from './kept-message.js'
import { describeOutcome } from './receipts.js'
import { codeOf } from './stage.js'

const DAY_MS = 86_400_000

const expectations: readonly DurableCase[] = [
  {
    name: "takes a message that expects the stream's last sequence, and refuses another with EXPECTATION_FAILED",
    async run(stage) {
      const stream = await stage.createStream()
      assert.equal(await stage.store('orders.placed', { expectedLastSequence: 0 }), 1)
      assert.equal(await stage.store('orders.paid', { expectedLastSequence: 1 }), 2)
      for (const expectedLastSequence of [0, 1, 3]) {
        const code = await codeOf(() => stage.store('orders.placed', { expectedLastSequence }))
        assert.equal(code, 'EXPECTATION_FAILED', String(expectedLastSequence))
      }
      assert.deepEqual(sequencesOf(await stage.read(stream)), [1, 2])
    },
  },
  {
    name: 'checks an expectation against what was accepted in the same turn',
    async run(stage) {
      await stage.createStream()
      stage.publish('orders.placed', { expectedLastSequence: 0 })
      stage.publish('orders.placed', { expectedLastSequence: 0 })
      stage.publish('orders.placed', { expectedLastSequence: 1 })
      const verdicts = await Promise.all(numbers(1, 3).map((token) => stage.receipts.of(token)))
      assert.deepEqual(verdicts.map(describeOutcome), [
        'committed',
        'EXPECTATION_FAILED',
        'committed',
      ])
    },
  },
  {
    name: "takes a message that expects its topic's last sequence, and refuses another",
    async run(stage) {
      await stage.createStream()
      assert.equal(await stage.store('orders.a', { expectedLastTopicSequence: 0 }), 1)
      assert.equal(await stage.store('orders.b', { expectedLastTopicSequence: 0 }), 2)
      assert.equal(await stage.store('orders.a', { expectedLastTopicSequence: 1 }), 3)
      for (const expectedLastTopicSequence of [0, 1, 2, 4]) {
        const code = await codeOf(() => stage.store('orders.a', { expectedLastTopicSequence }))
        assert.equal(code, 'EXPECTATION_FAILED', String(expectedLastTopicSequence))
      }
    },
  },
  {
    name: 'lets one of many writers of a topic win when all expect the same',
    async run(stage) {
      await stage.createStream()
      for (let i = 0; i < 20; i++) stage.publish('orders.a', { expectedLastTopicSequence: 0 })
      await stage.receipts.received(20)
      assert.equal(stage.receipts.verdicts.filter((verdict) => verdict === 'committed').length, 1)
      assert.deepEqual(await stage.store('orders.a', { expectedLastTopicSequence: 1 }), 2)
    },
  },
  {
    name: 'expects of a purged stream the last sequence that it gave',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.placed', ['1', '2'])
      await stream.purge()
      assert.equal(
        await codeOf(() => stage.store('orders.placed', { expectedLastSequence: 0 })),
        'EXPECTATION_FAILED',
      )
      assert.equal(await stage.store('orders.placed', { expectedLastSequence: 2 }), 3)
    },
  },
  {
    name: 'takes a topic whose messages were purged for one that has none',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.placed', ['1', '2'])
      await stream.purge()
      assert.equal(await stage.store('orders.placed', { expectedLastTopicSequence: 0 }), 3)
    },
  },
  {
    name: 'refuses a message that expects a stream of another name',
    async run(stage) {
      await stage.createStream()
      assert.equal(await stage.store('orders.placed', { expectedStream: 'orders' }), 1)
      const code = await codeOf(() => stage.store('orders.placed', { expectedStream: 'refunds' }))
      assert.equal(code, 'EXPECTATION_FAILED')
    },
  },
  {
    name: 'leaves no trace of a refused message: no sequence, no live delivery, no id',
    async run(stage) {
      await stage.createStream()
      const live = stage.stage.record('orders.*')
      await stage.stage.ready()
      const id = 'order-1'
      const refused = { id, body: 'refused', expectedLastSequence: 7 }
      assert.equal(await codeOf(() => stage.store('orders.placed', refused)), 'EXPECTATION_FAILED')
      const outcome = await stage.outcomeOf('orders.placed', { id, body: 'taken' })
      assert.deepEqual(outcome, { kind: 'committed', stream: 'orders', sequence: 1 })
      await stage.settle()
      assert.deepEqual(live.bodies, ['taken'])
    },
  },
]

const duplicates: readonly DurableCase[] = [
  {
    name: 'accepts an id once, and answers a repetition with the sequence of the original',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.placed', { body: 'other' })
      await stage.store('orders.placed', { id: 'order-1', body: 'first' })
      for (const topic of ['orders.placed', 'orders.paid']) {
        assert.deepEqual(await stage.outcomeOf(topic, { id: 'order-1', body: 'again' }), {
          kind: 'duplicate',
          stream: 'orders',
          sequence: 2,
        })
      }
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['other', 'first'])
    },
  },
  {
    name: 'knows an id whose message is not committed yet, and lets its receipt wait for that',
    async run(stage) {
      const stream = await stage.createStream()
      for (let i = 0; i < 5; i++) stage.publish('orders.placed', { id: 'order-1' })
      stage.publish('orders.placed', { id: 'order-2' })
      await stage.receipts.received(6)
      assert.deepEqual(stage.receipts.tokens, numbers(1, 6))
      assert.deepEqual(stage.receipts.sequences, [1, 1, 1, 1, 1, 2])
      assert.deepEqual(stage.receipts.verdicts, [
        'committed',
        ...Array<string>(4).fill('duplicate'),
        'committed',
      ])
      assert.deepEqual(sequencesOf(await stage.read(stream)), [1, 2])
    },
  },
  {
    name: 'tells ids apart that are nearly the same, and takes them in any script and length',
    async run(stage) {
      await stage.createStream()
      const ids = ['a', 'A', 'a ', ' a', 'ab', 'grüße', 'gru\u0308ße', '世界', 'x'.repeat(300)]
      for (const id of ids) {
        const outcome = await stage.outcomeOf('orders.placed', { id })
        assert.equal(describeOutcome(outcome), 'committed', id)
      }
      for (const [i, id] of ids.entries()) {
        const outcome = await stage.outcomeOf('orders.placed', { id })
        assert.deepEqual(outcome, { kind: 'duplicate', stream: 'orders', sequence: i + 1 })
      }
    },
  },
  {
    name: 'remembers ids for each stream apart',
    async run(stage) {
      await stage.createStream({ name: 'a' })
      await stage.createStream({ name: 'b' })
      for (const topic of ['a.x', 'b.x']) {
        assert.equal(describeOutcome(await stage.outcomeOf(topic, { id: 'same' })), 'committed')
      }
    },
  },
  {
    name: 'remembers no id without a window',
    async run(stage) {
      const stream = await stage.createStream({ duplicateWindowMs: 0 })
      await stage.store('orders.placed', { id: 'order-1' })
      assert.equal(await stage.store('orders.placed', { id: 'order-1' }), 2)
      assert.deepEqual(sequencesOf(await stage.read(stream)), [1, 2])
    },
  },
  {
    name: 'forgets an id when its window is over',
    async run(stage) {
      await stage.createStream({ duplicateWindowMs: SHORT_MS })
      await stage.store('orders.placed', { id: 'order-1' })
      await stage.advance(3 * SHORT_MS)
      const outcome = await stage.outcomeOf('orders.placed', { id: 'order-1' })
      assert.deepEqual(outcome, { kind: 'committed', stream: 'orders', sequence: 2 })
    },
  },
  {
    name: 'knows an id as long as its window lasts, and no longer for being repeated',
    needs: hasMovableTime,
    async run(stage) {
      await stage.createStream({ duplicateWindowMs: 60_000 })
      const publish = async () =>
        describeOutcome(await stage.outcomeOf('orders.placed', { id: 'order-1' }))
      assert.equal(await publish(), 'committed')
      await stage.advance(59_000)
      assert.equal(await publish(), 'duplicate')
      await stage.advance(2_000)
      assert.equal(await publish(), 'committed')
    },
  },
  {
    name: 'knows the id of a message that was removed',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.placed', { id: 'order-1' })
      await stream.purge()
      const outcome = await stage.outcomeOf('orders.placed', { id: 'order-1' })
      assert.equal(describeOutcome(outcome), 'duplicate')
    },
  },
  {
    name: 'answers a repetition as a duplicate though its expectation no longer holds',
    async run(stage) {
      await stage.createStream()
      const terms = { id: 'order-1', expectedLastSequence: 0 }
      await stage.store('orders.placed', terms)
      assert.equal(describeOutcome(await stage.outcomeOf('orders.placed', terms)), 'duplicate')
    },
  },
  {
    name: 'accepts each of 5,000 ids once when all are published twice',
    async run(stage) {
      const stream = await stage.createStream()
      for (let round = 0; round < 2; round++) {
        for (let i = 0; i < 5_000; i++) stage.publish('orders.placed', { id: `order-${i}` })
      }
      await stage.receipts.received(10_000)
      assert.deepEqual(stage.receipts.sequences, [...numbers(1, 5_000), ...numbers(1, 5_000)])
      assert.equal((await stream.state()).messages, 5_000)
    },
  },
]

const timed: readonly DurableCase[] = [
  {
    name: 'removes a message when its time to live is over, and no other',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.a', { body: 'stays' })
      await stage.store('orders.a', { body: 'goes', ttlMs: 1_000 })
      await stage.store('orders.a', { body: 'stays too' })
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['stays', 'goes', 'stays too'])
      await stage.advance(1_500)
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['stays', 'stays too'])
      assert.equal(await stage.get(stream, 2), undefined)
      assert.equal((await stream.state()).messages, 2)
    },
  },
  {
    name: 'removes each message at its own time, however they were published',
    needs: hasMovableTime,
    async run(stage) {
      const stream = await stage.createStream()
      for (const ttlMs of [50_000, 10_000, 30_000, 60 * DAY_MS]) {
        await stage.store('orders.a', { body: String(ttlMs), ttlMs })
      }
      const seen: number[] = []
      for (const durationMs of [9_000, 2_000, 20_000, 20_000, 59 * DAY_MS, 2 * DAY_MS]) {
        await stage.advance(durationMs)
        seen.push((await stream.state()).messages)
      }
      assert.deepEqual(seen, [4, 3, 2, 1, 1, 0])
    },
  },
  {
    name: 'shows what is delayed to nobody before its moment, and then as a message of that moment',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer)
      const live = stage.stage.record('orders.*')
      await stage.stage.ready()
      const dueMs = stage.nowMs + 1_000
      await stage.store('orders.later', {
        body: 'later',
        headers: [['A', 'b']],
        deliverAtMs: dueMs,
      })
      await stage.store('orders.now', { body: 'now' })
      await member.received(1)
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['now'])
      assert.deepEqual(live.bodies, ['now'])
      await stage.advance(1_500)
      await member.received(2)
      assert.deepEqual(member.bodies, ['now', 'later'])
      const [, later] = await stage.read(stream)
      assert.equal(later!.body, 'later')
      assert.equal(later!.topic, 'orders.later')
      assert.ok(later!.timeMs >= dueMs, `dated ${dueMs - later!.timeMs} ms too early`)
    },
  },
  {
    name: 'gives the receipt of a delayed message when it is kept, not when it is due',
    async run(stage) {
      await stage.createStream()
      const deliverAtMs = stage.nowMs + DAY_MS
      const outcome = await stage.outcomeOf('orders.later', { deliverAtMs })
      assert.equal(describeOutcome(outcome), 'committed')
    },
  },
  {
    name: 'shows what is delayed in the order of its moments',
    async run(stage) {
      const stream = await stage.createStream()
      const startMs = stage.nowMs
      for (const delayMs of [900, 300, 600]) {
        await stage.store('orders.later', { body: String(delayMs), deliverAtMs: startMs + delayMs })
      }
      await stage.advance(1_500)
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['300', '600', '900'])
    },
  },
  {
    name: 'shows what is delayed to a moment that has passed at once',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.later', { body: 'x', deliverAtMs: stage.nowMs - 1 })
      await stage.advance(10)
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['x'])
    },
  },
  {
    name: 'delays for 60 days, not a day less',
    needs: hasMovableTime,
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.later', { body: 'x', deliverAtMs: stage.nowMs + 60 * DAY_MS })
      for (const days of [25, 25, 9]) {
        await stage.advance(days * DAY_MS)
        assert.deepEqual(bodiesOf(await stage.read(stream)), [])
      }
      await stage.advance(DAY_MS + 1)
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['x'])
    },
  },
  {
    name: 'accepts a delayed id once, before and after its moment',
    async run(stage) {
      const stream = await stage.createStream()
      const terms = { id: 'order-1', deliverAtMs: stage.nowMs + 500 }
      await stage.store('orders.later', terms)
      assert.equal(describeOutcome(await stage.outcomeOf('orders.later', terms)), 'duplicate')
      await stage.advance(1_000)
      assert.equal(describeOutcome(await stage.outcomeOf('orders.later', terms)), 'duplicate')
      assert.equal((await stage.read(stream)).length, 1)
    },
  },
]

const rollUps: readonly DurableCase[] = [
  {
    name: "replaces what was there of its topic when it rolls the topic up, and nothing of other topics'",
    async run(stage) {
      const stream = await stage.createStream()
      for (const topic of ['orders.a', 'orders.b', 'orders.a']) await stage.store(topic)
      assert.equal(await stage.store('orders.a', { rollUp: 'topic' }), 4)
      await stage.settle()
      assert.deepEqual(sequencesOf(await stage.read(stream)), [2, 4])
    },
  },
  {
    name: 'replaces everything when it rolls all up',
    async run(stage) {
      const stream = await stage.createStream()
      for (const topic of ['orders.a', 'orders.b', 'orders.a']) await stage.store(topic)
      await stage.store('orders.b', { rollUp: 'all', body: 'all of it' })
      assert.equal(await stage.store('orders.a', { body: 'after it' }), 5)
      await stage.settle()
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['all of it', 'after it'])
    },
  },
  {
    name: 'rolls up what was accepted before it in the same turn, and not what comes after',
    async run(stage) {
      const stream = await stage.createStream()
      stage.publish('orders.a', { body: '1' })
      stage.publish('orders.a', { body: '2', rollUp: 'topic' })
      stage.publish('orders.a', { body: '3' })
      await stage.receipts.received(3)
      await stage.settle()
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['2', '3'])
    },
  },
]

export const durableTermsChapter = durableChapter('durable: terms of a publish', [
  ...expectations,
  ...duplicates,
  ...timed,
  ...rollUps,
])
