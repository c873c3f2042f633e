// Dead letters: what is given up is kept with its reason, can be looked at, handed out again and thrown away.
import assert from 'node:assert/strict'
import {
  DEAD_LETTER_HEADERS,
  type Consumer,
  type ConsumerSettings,
  type DeadLetter,
  type DeadLetterQuery,
  type Stream,
} from '../../src/engine/index.js'
import { decodeHeaderBlock } from '../../src/wire/index.js'
import { durableChapter } from './durable-chapter.js'
import { hasMovableTime, KEY_HEADER, type DurableCase, type DurableStage } from './durable-stage.js'
import { numberBodies, sequencesOf } from './kept-message.js'
import { acknowledging, type DuringHandOut, type MemberRecorder } from './member-recorder.js'
import { codeOf } from './stage.js'

const DEAD_STREAM = 'orders-dead'
const decoder = new TextDecoder()

function withDeadLetters(terms: Partial<ConsumerSettings> = {}): Partial<ConsumerSettings> {
  return { deadLetter: { stream: DEAD_STREAM, followers: 'park' }, ...terms }
}

const rejecting: DuringHandOut = ({ token, body }, { consumer }) => {
  consumer.reject(token, `no good: ${body}`)
}

/** A stream whose messages, bodies 1, 2, 3 …, were all rejected by one consumer. */
async function rejectAll(
  stage: DurableStage,
  messages: readonly { topic: string; key?: string }[],
  terms: Partial<ConsumerSettings> = {},
): Promise<{ stream: Stream; consumer: Consumer; member: MemberRecorder }> {
  const stream = await stage.createStream()
  for (const [i, { topic, ...content }] of messages.entries()) {
    await stage.store(topic, { ...content, body: String(i + 1) })
  }
  const consumer = await stage.createConsumer(stream, withDeadLetters(terms))
  const member = stage.join(consumer, { during: rejecting })
  await member.received(messages.length)
  const deadLetters = stage.deadLetters(stream)
  await stage.until(async () => (await deadLetters.count()) >= messages.length, 'all letters')
  await stage.settle()
  member.leave()
  return { stream, consumer, member }
}

/** The letters' bodies. */
function textsOf(letters: readonly DeadLetter[]): string[] {
  return letters.map(({ body }) => decoder.decode(body))
}

const reasons: readonly DurableCase[] = [
  {
    name: 'keeps a message whose attempts are exhausted by retries, with the last error',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream, withDeadLetters({ maxDeliveries: 3 }))
      const member = stage.join(consumer, {
        during: ({ token, deliveryCount }) =>
          consumer.retry(token, 0, `attempt ${deliveryCount} failed`),
      })
      const sequence = await stage.store('orders.a', { body: 'x', key: 'k' })
      await member.received(3)
      await stage.settle()
      assert.deepEqual(member.deliveryCounts, [1, 2, 3])
      const [letter, ...others] = await stage.deadLetters(stream).list()
      assert.deepEqual(others, [])
      const { timeMs } = (await stage.get(stream, sequence))!
      assert.equal(letter!.reason, 'attempts-exhausted')
      assert.equal(letter!.error, 'attempt 3 failed')
      assert.equal(letter!.attempts, 3)
      assert.equal(letter!.consumer, 'billing')
      assert.equal(letter!.stream, 'orders')
      assert.equal(letter!.topic, 'orders.a')
      assert.equal(letter!.originalSequence, sequence)
      assert.equal(letter!.originalTimeMs, timeMs)
      assert.equal(letter!.key, 'k')
      assert.equal(decoder.decode(letter!.body), 'x')
      const { floorSequence, inFlight, unsettled } = await consumer.info()
      assert.deepEqual([floorSequence, inFlight, unsettled], [sequence, 0, 0])
    },
  },
  {
    name: 'keeps a message whose attempts are exhausted by silence',
    async run(stage) {
      const stream = await stage.createStream()
      const terms = withDeadLetters({ maxDeliveries: 2, ackWaitMs: 300 })
      const member = stage.join(await stage.createConsumer(stream, terms))
      await stage.store('orders.a', { body: 'x' })
      await member.received(1)
      await stage.advance(400)
      await member.received(2)
      await stage.advance(400)
      const [letter] = await stage.deadLetters(stream).list()
      assert.equal(letter!.reason, 'attempts-exhausted')
      assert.equal(letter!.attempts, 2)
      assert.equal(member.items.length, 2)
    },
  },
  {
    name: 'keeps a message that is rejected, with the reason that was given',
    async run(stage) {
      const { stream, member } = await rejectAll(stage, [{ topic: 'orders.a' }])
      const [letter] = await stage.deadLetters(stream).list()
      assert.equal(letter!.reason, 'rejected')
      assert.equal(letter!.error, 'no good: 1')
      assert.equal(letter!.attempts, 1)
      assert.equal(letter!.key, undefined)
      assert.equal(member.items.length, 1)
    },
  },
  {
    name: 'keeps a message that is too old for its consumer, without handing it out',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.a', { body: 'old' })
      await stage.advance(800)
      await stage.store('orders.a', { body: 'young' })
      const terms = withDeadLetters({ maxMessageAgeMs: 600 })
      const member = stage.join(await stage.createConsumer(stream, terms), {
        during: acknowledging,
      })
      await member.received(1)
      await stage.settle()
      assert.deepEqual(member.bodies, ['young'])
      const letters = await stage.deadLetters(stream).list()
      assert.deepEqual(textsOf(letters), ['old'])
      assert.equal(letters[0]!.reason, 'expired')
      assert.equal(letters[0]!.attempts, 0)
    },
  },
  {
    name: 'gives up a message that grows too old between two attempts',
    async run(stage) {
      const stream = await stage.createStream()
      const terms = withDeadLetters({ maxMessageAgeMs: 1_000 })
      const consumer = await stage.createConsumer(stream, terms)
      const member = stage.join(consumer, { during: ({ token }) => consumer.retry(token, 1_500) })
      await stage.store('orders.a')
      await member.received(1)
      await stage.advance(2_000)
      const [letter] = await stage.deadLetters(stream).list()
      assert.equal(letter?.reason, 'expired')
      assert.equal(letter?.attempts, 1)
      assert.equal(member.items.length, 1)
    },
  },
  {
    name: 'takes no credit for a message that it gives up for its age',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['old', 'old'])
      await stage.advance(800)
      await stage.store('orders.a', { body: 'young' })
      const terms = withDeadLetters({ maxMessageAgeMs: 600 })
      const member = stage.join(await stage.createConsumer(stream, terms), { credit: 1 })
      await member.received(1)
      assert.deepEqual(member.bodies, ['young'])
    },
  },
  {
    name: 'keeps a letter for each consumer that gave a message up',
    async run(stage) {
      const stream = await stage.createStream()
      for (const name of ['one', 'two']) {
        stage.join(await stage.createConsumer(stream, withDeadLetters({ name })), {
          during: rejecting,
        })
      }
      await stage.store('orders.a')
      await stage.settle()
      const letters = await stage.deadLetters(stream).list()
      assert.deepEqual(letters.map(({ consumer }) => consumer).sort(), ['one', 'two'])
      assert.equal((await stage.deadLetters(stream).list({ consumer: 'two' })).length, 1)
    },
  },
]

const keeping: readonly DurableCase[] = [
  {
    name: 'keeps headers and body of the original to the byte, and says the rest in headers of its own',
    async run(stage) {
      const stream = await stage.createStream()
      const headers = [
        ['X-Odd-CASE', 'grüße'],
        ['Empty', ''],
        ['X-Odd-CASE', 'again'],
      ] as const
      const body = Uint8Array.from({ length: 256 }, (_, i) => i)
      const sequence = await stage.store('orders.a', { headers, body, key: 'k' })
      const consumer = await stage.createConsumer(stream, withDeadLetters())
      stage.join(consumer, { during: ({ token }) => consumer.reject(token, 'grüße: no good') })
      await stage.settle()
      const [letter] = await stage.deadLetters(stream).list()
      assert.deepEqual(letter!.body, body)
      const [kept] = await stage.read(await stage.stream(DEAD_STREAM))
      assert.deepEqual(kept!.bodyBytes, body)
      const { fields } = decodeHeaderBlock(kept!.headerBlock)
      const original = [...headers, [KEY_HEADER, 'k'] as const]
      assert.deepEqual(
        fields.filter(([name]) => original.some(([known]) => known === name)),
        original,
      )
      const said = new Map(fields)
      assert.equal(said.get(DEAD_LETTER_HEADERS.reason), 'rejected')
      assert.equal(said.get(DEAD_LETTER_HEADERS.error), 'grüße: no good')
      assert.equal(said.get(DEAD_LETTER_HEADERS.attempts), '1')
      assert.equal(said.get(DEAD_LETTER_HEADERS.consumer), 'billing')
      assert.equal(said.get(DEAD_LETTER_HEADERS.stream), 'orders')
      assert.equal(said.get(DEAD_LETTER_HEADERS.topic), 'orders.a')
      assert.equal(said.get(DEAD_LETTER_HEADERS.sequence), String(sequence))
      const [published] = await stage.read(stream)
      assert.equal(said.get(DEAD_LETTER_HEADERS.time), new Date(published!.timeMs).toISOString())
    },
  },
  {
    name: 'keeps an error of several lines',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.a')
      const consumer = await stage.createConsumer(stream, withDeadLetters())
      stage.join(consumer, { during: ({ token }) => consumer.reject(token, 'one\r\ntwo: three\n') })
      await stage.settle()
      const [letter] = await stage.deadLetters(stream).list()
      for (const word of ['one', 'two: three']) assert.ok(letter!.error.includes(word))
    },
  },
  {
    name: 'gives up what a leaving member held for the last time',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.a')
      const consumer = await stage.createConsumer(stream, withDeadLetters({ maxDeliveries: 1 }))
      const member = stage.join(consumer)
      await member.received(1)
      member.leave()
      await stage.settle()
      const [letter] = await stage.deadLetters(stream).list()
      assert.equal(letter!.reason, 'attempts-exhausted')
      assert.equal((await consumer.info()).unsettled, 0)
    },
  },
  {
    name: 'keeps the letters of each consumer in the stream that it names, and shows and redrives them together',
    async run(stage) {
      const stream = await stage.createStream()
      const others: MemberRecorder[] = []
      for (const name of ['billing', 'shipping']) {
        const deadLetter = { stream: `${name}-dead`, followers: 'continue' } as const
        const consumer = await stage.createConsumer(stream, { name, deadLetter })
        const during: DuringHandOut = ({ token, deliveryCount }, member) => {
          if (member.items.length > 1) consumer.acknowledge(token)
          else consumer.reject(token, `${name} ${deliveryCount}`)
        }
        others.push(stage.join(consumer, { during }))
      }
      await stage.store('orders.a')
      await stage.settle()
      const letters = stage.deadLetters(stream)
      const named = (await letters.list()).map(({ consumer }) => consumer)
      assert.deepEqual(named.sort(), ['billing', 'shipping'])
      for (const name of ['billing-dead', 'shipping-dead']) {
        assert.equal((await (await stage.stream(name)).state()).messages, 1)
      }
      assert.equal(await letters.redrive(), 2)
      for (const member of others) await member.received(2)
      await stage.settle()
      assert.equal(await letters.count(), 0)
    },
  },
  {
    name: 'keeps the letter when the original is gone',
    async run(stage) {
      const { stream } = await rejectAll(stage, [{ topic: 'orders.a' }])
      await stream.purge()
      assert.deepEqual(textsOf(await stage.deadLetters(stream).list()), ['1'])
    },
  },
  {
    name: 'leaves the original in its stream, for other consumers',
    async run(stage) {
      const { stream } = await rejectAll(stage, [{ topic: 'orders.a' }])
      const member = stage.join(await stage.createConsumer(stream, { name: 'other' }))
      await member.received(1)
      assert.equal((await stream.state()).messages, 1)
    },
  },
  {
    name: 'has no dead letters, and no stream for them, before there is one',
    async run(stage) {
      const stream = await stage.createStream()
      const member = stage.join(await stage.createConsumer(stream, withDeadLetters()), {
        during: acknowledging,
      })
      await stage.store('orders.a')
      await member.received(1)
      await stage.settle()
      assert.equal(await stage.deadLetters(stream).count(), 0)
      assert.deepEqual(await stage.deadLetters(stream).list(), [])
      assert.deepEqual(await stage.streamNames(), ['orders'])
    },
  },
  {
    name: 'counts letters and gets one by its number',
    async run(stage) {
      const { stream } = await rejectAll(stage, [{ topic: 'orders.a' }, { topic: 'orders.b' }])
      const deadLetters = stage.deadLetters(stream)
      assert.equal(await deadLetters.count(), 2)
      const letters = await deadLetters.list()
      const second = await deadLetters.get(letters[1]!.sequence)
      assert.deepEqual(second, letters[1])
      assert.equal(await deadLetters.get(9_999), undefined)
    },
  },
  {
    name: 'finds letters by topic, key, reason, consumer, number and limit',
    async run(stage) {
      const { stream } = await rejectAll(stage, [
        { topic: 'orders.a', key: 'k' },
        { topic: 'orders.b' },
        { topic: 'orders.a.deep', key: 'k' },
        { topic: 'orders.a', key: 'l' },
      ])
      const deadLetters = stage.deadLetters(stream)
      const [first, second] = sequencesOf(await deadLetters.list())
      const queries: readonly (readonly [DeadLetterQuery, string[]])[] = [
        [{}, ['1', '2', '3', '4']],
        [{ topic: 'orders.a' }, ['1', '4']],
        [{ topic: 'orders.>' }, ['1', '2', '3', '4']],
        [{ topic: 'orders.*' }, ['1', '2', '4']],
        [{ key: 'k' }, ['1', '3']],
        [{ reason: 'rejected' }, ['1', '2', '3', '4']],
        [{ reason: 'expired' }, []],
        [{ consumer: 'billing' }, ['1', '2', '3', '4']],
        [{ consumer: 'nobody' }, []],
        [{ sequences: [second!, first!] }, ['1', '2']],
        [{ limit: 2 }, ['1', '2']],
        [{ key: 'k', topic: 'orders.a' }, ['1']],
        [{ topic: 'orders.a', limit: 1 }, ['1']],
      ]
      for (const [query, bodies] of queries) {
        assert.deepEqual(textsOf(await deadLetters.list(query)), bodies, JSON.stringify(query))
      }
    },
  },
  {
    name: 'discards the letters that are asked for, and says how many',
    async run(stage) {
      const { stream } = await rejectAll(stage, [
        { topic: 'orders.a' },
        { topic: 'orders.b' },
        { topic: 'orders.a' },
      ])
      const deadLetters = stage.deadLetters(stream)
      assert.equal(await deadLetters.discard({ topic: 'orders.a' }), 2)
      assert.deepEqual(textsOf(await deadLetters.list()), ['2'])
      assert.equal(await deadLetters.discard(), 1)
      assert.equal(await deadLetters.discard(), 0)
      assert.equal(await deadLetters.count(), 0)
    },
  },
  {
    name: 'drops what is given up where dead letters are off, and says so by an event',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer, { during: rejecting })
      await stage.storeAll('orders.a', ['1', '2'])
      await member.received(2)
      await stage.settle()
      const dropped = stage.events.items.filter(
        ({ type }) => (type as string) === 'message-dropped',
      )
      assert.equal(dropped.length, 2)
      assert.equal((await consumer.info()).floorSequence, 2)
      assert.equal(await stage.deadLetters(stream).count(), 0)
    },
  },
  {
    name: 'leaves unsettled what the full dead-letter stream cannot take, and keeps it when there is room again',
    needs: hasMovableTime,
    async run(stage) {
      const { stream, consumer } = await rejectAll(stage, [{ topic: 'orders.a' }])
      const { settings } = await stage.stream(DEAD_STREAM)
      await stage.durable.updateStream({ ...settings, maxMessages: 1, discard: 'new' })
      const member = stage.join(consumer, { during: rejecting })
      await stage.store('orders.a', { body: '2' })
      await member.received(1)
      await stage.advance(500)
      const info = await consumer.info()
      assert.equal(info.unsettled, 1)
      assert.equal(info.floorSequence, 1)
      assert.equal(member.items.length, 1)
      await stage.store('orders.a', { body: '3' })
      await member.received(2)
      await stage.durable.updateStream({ ...settings, discard: 'new' })
      await stage.advance(60_000)
      assert.deepEqual(textsOf(await stage.deadLetters(stream).list()), ['1', '2', '3'])
      assert.equal((await consumer.info()).unsettled, 0)
      assert.equal((await consumer.info()).floorSequence, 3)
    },
  },
  {
    name: 'makes the dead-letter stream again that was deleted',
    needs: hasMovableTime,
    async run(stage) {
      const { stream, consumer } = await rejectAll(stage, [{ topic: 'orders.a' }])
      await stage.durable.deleteStream(DEAD_STREAM)
      assert.equal(await stage.deadLetters(stream).count(), 0)
      const member = stage.join(consumer, { during: rejecting })
      await stage.store('orders.a', { body: '2' })
      await member.received(1)
      await stage.advance(60_000)
      assert.deepEqual(textsOf(await stage.deadLetters(stream).list()), ['2'])
    },
  },
]

const redriving: readonly DurableCase[] = [
  {
    name: 'hands a letter out again to the consumer that failed, as the message that it was, and to no other',
    async run(stage) {
      const stream = await stage.createStream()
      const other = stage.join(await stage.createConsumer(stream, { name: 'other' }), {
        during: acknowledging,
      })
      const headers = [['A', 'b']] as const
      await stage.store('orders.a', { headers, body: 'x', key: 'k' })
      const consumer = await stage.createConsumer(stream, withDeadLetters({ maxDeliveries: 2 }))
      const first = stage.join(consumer, { during: rejecting })
      await first.received(1)
      await stage.settle()
      first.leave()
      const live = stage.stage.record('>')
      await stage.stage.ready()
      assert.equal(await stage.deadLetters(stream).redrive(), 1)
      const again = stage.join(consumer, { during: acknowledging })
      const [delivery] = await again.received(1)
      assert.equal(delivery!.body, 'x')
      assert.equal(delivery!.topic, 'orders.a')
      assert.equal(delivery!.sequence, 1)
      assert.equal(delivery!.deliveryCount, 1)
      const { fields } = decodeHeaderBlock(delivery!.headerBlock)
      for (const field of [...headers, [KEY_HEADER, 'k']])
        assert.ok(fields.some(([name, value]) => name === field[0] && value === field[1]))
      await stage.settle()
      assert.equal(other.items.length, 1)
      assert.equal((await stream.state()).messages, 1)
      assert.ok(!live.topics.includes('orders.a'))
    },
  },
  {
    name: 'keeps a letter until its redrive is settled',
    async run(stage) {
      const { stream, consumer } = await rejectAll(stage, [{ topic: 'orders.a' }])
      const deadLetters = stage.deadLetters(stream)
      await deadLetters.redrive()
      const member = stage.join(consumer)
      await member.received(1)
      await stage.settle()
      assert.equal(await deadLetters.count(), 1)
      consumer.acknowledge(member.tokens[0]!)
      await stage.settle()
      assert.equal(await deadLetters.count(), 0)
    },
  },
  {
    name: 'does not redrive a letter twice at once',
    async run(stage) {
      const { stream, consumer } = await rejectAll(stage, [{ topic: 'orders.a' }])
      const deadLetters = stage.deadLetters(stream)
      const counts = await Promise.all([deadLetters.redrive(), deadLetters.redrive()])
      assert.equal(counts[0] + counts[1], 1)
      assert.equal(await deadLetters.redrive(), 0)
      const member = stage.join(consumer)
      await member.received(1)
      assert.equal(await deadLetters.redrive(), 0)
      await stage.settle()
      assert.equal(member.items.length, 1)
    },
  },
  {
    name: 'redrives what is asked for, in order, and says how many',
    async run(stage) {
      const { stream, consumer } = await rejectAll(stage, [
        { topic: 'orders.a', key: 'k' },
        { topic: 'orders.b', key: 'l' },
        { topic: 'orders.c', key: 'k' },
        { topic: 'orders.d', key: 'k' },
      ])
      const member = stage.join(consumer, { during: acknowledging })
      const deadLetters = stage.deadLetters(stream)
      assert.equal(await deadLetters.redrive({ key: 'k' }), 3)
      await member.received(3)
      await stage.settle()
      assert.deepEqual(member.bodies, ['1', '3', '4'])
      assert.deepEqual(textsOf(await deadLetters.list()), ['2'])
    },
  },
  {
    name: 'redrives one letter by its number',
    async run(stage) {
      const { stream, consumer } = await rejectAll(stage, [
        { topic: 'orders.a' },
        { topic: 'orders.a' },
        { topic: 'orders.a' },
      ])
      const deadLetters = stage.deadLetters(stream)
      const [, second] = sequencesOf(await deadLetters.list())
      assert.equal(await deadLetters.redrive({ sequences: [second!] }), 1)
      const member = stage.join(consumer, { during: acknowledging })
      await member.received(1)
      await stage.settle()
      assert.deepEqual(member.bodies, ['2'])
      assert.equal(await deadLetters.count(), 2)
    },
  },
  {
    name: 'gives a redriven message all its attempts again, and keeps it again when they are exhausted',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream, withDeadLetters({ maxDeliveries: 2 }))
      const member = stage.join(consumer, {
        during: ({ token }) => consumer.retry(token, 0, 'bad'),
      })
      await stage.store('orders.a', { body: 'x' })
      await member.received(2)
      await stage.settle()
      const deadLetters = stage.deadLetters(stream)
      assert.equal(await deadLetters.redrive(), 1)
      await member.received(4)
      await stage.settle()
      assert.deepEqual(member.deliveryCounts, [1, 2, 1, 2])
      const letters = await deadLetters.list()
      assert.deepEqual(textsOf(letters), ['x'])
      assert.equal(letters[0]!.originalSequence, 1)
      assert.equal(await deadLetters.redrive(), 1)
    },
  },
  {
    name: 'has no more redriven messages in flight than it may',
    async run(stage) {
      const { stream, consumer } = await rejectAll(
        stage,
        numberBodies(1, 5).map(() => ({ topic: 'orders.a' })),
        { maxInFlight: 2 },
      )
      assert.equal(await stage.deadLetters(stream).redrive(), 5)
      const member = stage.join(consumer)
      for (const inFlight of [2, 3, 4, 5]) {
        await member.received(inFlight)
        await stage.settle()
        assert.equal(member.items.length, inFlight)
        consumer.acknowledge(member.tokens[inFlight - 2]!)
      }
      assert.deepEqual(member.bodies, numberBodies(1, 5))
    },
  },
  {
    name: 'redrives a letter whose original is gone',
    async run(stage) {
      const { stream, consumer } = await rejectAll(stage, [{ topic: 'orders.a' }])
      await stream.purge()
      assert.equal(await stage.deadLetters(stream).redrive(), 1)
      const member = stage.join(consumer, { during: acknowledging })
      await member.received(1)
      assert.deepEqual(member.bodies, ['1'])
    },
  },
  {
    name: 'loses no letter to a redrive when its consumer is gone',
    async run(stage) {
      const { stream } = await rejectAll(stage, [{ topic: 'orders.a' }])
      await stream.deleteConsumer('billing')
      const deadLetters = stage.deadLetters(stream)
      assert.equal(await codeOf(() => deadLetters.redrive()), 'CONSUMER_NOT_FOUND')
      assert.equal(await deadLetters.count(), 1)
    },
  },
  {
    name: 'tells the truth about letters that are discarded while they wait for their redrive',
    async run(stage) {
      const { stream, consumer } = await rejectAll(stage, [
        { topic: 'orders.a' },
        { topic: 'orders.a' },
      ])
      const deadLetters = stage.deadLetters(stream)
      await deadLetters.redrive()
      const [first] = sequencesOf(await deadLetters.list())
      const discarded = await deadLetters.discard({ sequences: [first!] })
      const member = stage.join(consumer, { during: acknowledging })
      await member.until(() => member.bodies.includes('2'), 'the second')
      await stage.settle()
      assert.deepEqual(member.bodies, discarded === 1 ? ['2'] : ['1', '2'])
    },
  },
]

/** Rejects a1 and acknowledges everything else, under order by key. */
async function failHead(
  stage: DurableStage,
  followers: 'park' | 'continue',
): Promise<{ stream: Stream; consumer: Consumer; member: MemberRecorder }> {
  const stream = await stage.createStream()
  const consumer = await stage.createConsumer(stream, {
    order: 'key',
    deadLetter: { stream: DEAD_STREAM, followers },
  })
  let isMended = false
  const member = stage.join(consumer, {
    during({ body, token, deliveryCount }) {
      if (body === 'a1' && !isMended && deliveryCount === 1) {
        isMended = true
        consumer.reject(token, 'no good')
      } else consumer.acknowledge(token)
    },
  })
  for (const body of ['a1', 'a2', 'b1', 'a3', 'b2']) {
    await stage.store('orders.x', { body, key: body[0]! })
  }
  await stage.settle()
  return { stream, consumer, member }
}

const parking: readonly DurableCase[] = [
  {
    name: 'parks what follows a dead letter under its key, in order, and lets other keys go on',
    async run(stage) {
      const { stream, member } = await failHead(stage, 'park')
      assert.deepEqual(member.bodies, ['a1', 'b1', 'b2'])
      const letters = await stage.deadLetters(stream).list()
      assert.deepEqual(textsOf(letters), ['a1', 'a2', 'a3'])
      assert.deepEqual(
        letters.map(({ reason, attempts }) => [reason, attempts]),
        [
          ['rejected', 1],
          ['parked', 0],
          ['parked', 0],
        ],
      )
    },
  },
  {
    name: 'parks what comes later under the key of a dead letter too',
    async run(stage) {
      const { stream, consumer, member } = await failHead(stage, 'park')
      for (const body of ['a4', 'b3']) await stage.store('orders.x', { body, key: body[0]! })
      await stage.settle()
      assert.deepEqual(member.bodies, ['a1', 'b1', 'b2', 'b3'])
      assert.deepEqual(textsOf(await stage.deadLetters(stream).list({ key: 'a' })), [
        'a1',
        'a2',
        'a3',
        'a4',
      ])
      assert.equal((await consumer.info()).floorSequence, 7)
    },
  },
  {
    name: 'redrives a whole key in order, and then lets it go on',
    async run(stage) {
      const { stream, member } = await failHead(stage, 'park')
      assert.equal(await stage.deadLetters(stream).redrive({ key: 'a' }), 3)
      await member.received(6)
      await stage.settle()
      assert.deepEqual(member.bodies.slice(3), ['a1', 'a2', 'a3'])
      assert.equal(await stage.deadLetters(stream).count(), 0)
      await stage.store('orders.x', { body: 'a4', key: 'a' })
      await member.received(7)
      assert.equal(member.bodies[6], 'a4')
    },
  },
  {
    name: 'keeps what comes behind a redrive of its key behind it',
    async run(stage) {
      const { stream, consumer, member } = await failHead(stage, 'park')
      member.leave()
      await stage.deadLetters(stream).redrive({ key: 'a' })
      await stage.store('orders.x', { body: 'a4', key: 'a' })
      const next = stage.join(consumer, { during: acknowledging })
      await next.received(4)
      await stage.settle()
      assert.deepEqual(next.bodies, ['a1', 'a2', 'a3', 'a4'])
    },
  },
  {
    name: 'lets a key go on whose letters were discarded',
    async run(stage) {
      const { stream, member } = await failHead(stage, 'park')
      assert.equal(await stage.deadLetters(stream).discard({ key: 'a' }), 3)
      await stage.store('orders.x', { body: 'a4', key: 'a' })
      await member.received(4)
      assert.equal(member.bodies[3], 'a4')
    },
  },
  {
    name: 'lets followers go on where that is wished',
    async run(stage) {
      const { stream, member } = await failHead(stage, 'continue')
      assert.deepEqual(
        member.bodies.filter((body) => body.startsWith('a')),
        ['a1', 'a2', 'a3'],
      )
      assert.deepEqual(textsOf(await stage.deadLetters(stream).list()), ['a1'])
    },
  },
]

export const durableDeadLettersChapter = durableChapter('durable: dead letters', [
  ...reasons,
  ...keeping,
  ...redriving,
  ...parking,
  {
    name: 'keeps 500 letters of one burst in their order',
    async run(stage) {
      const stream = await stage.createStream()
      const member = stage.join(await stage.createConsumer(stream, withDeadLetters()), {
        during: rejecting,
      })
      await stage.storeAll('orders.a', numberBodies(1, 500))
      await member.received(500)
      const deadLetters = stage.deadLetters(stream)
      await stage.until(async () => (await deadLetters.count()) >= 500, '500 letters')
      assert.deepEqual(textsOf(await deadLetters.list()), numberBodies(1, 500))
    },
  },
])
