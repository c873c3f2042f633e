// Reading streams: by sequence, by time, by topic, and what topics there are.
import assert from 'node:assert/strict'
import type { ReadOptions } from '../../src/engine/index.js'
import { durableChapter } from './durable-chapter.js'
import type { DurableStage } from './durable-stage.js'
import { bodiesOf, keepMessage, numberBodies, numbers, sequencesOf } from './kept-message.js'

const MANY_MESSAGES = 5_000

/** Read from a stream with orders.a 1, orders.b 2, orders.a 3, orders.c.d 4, orders.b 5. */
const reads: readonly (readonly [what: string, options: ReadOptions, sequences: number[]])[] = [
  ['from the first', { start: { at: 'first' } }, [1, 2, 3, 4, 5]],
  ['from the first unless told otherwise', {}, [1, 2, 3, 4, 5]],
  ['from the last', { start: { at: 'last' } }, [5]],
  ['nothing from the new on', { start: { at: 'new' } }, []],
  ['the last of each topic', { start: { at: 'last-per-topic' } }, [3, 4, 5]],
  ['from a sequence', { start: { at: 'sequence', sequence: 3 } }, [3, 4, 5]],
  ['from a sequence below the first', { start: { at: 'sequence', sequence: 0 } }, [1, 2, 3, 4, 5]],
  ['nothing from a sequence above the last', { start: { at: 'sequence', sequence: 9 } }, []],
  ['through a sequence', { through: 3 }, [1, 2, 3]],
  ['through a sequence above the last', { through: 99 }, [1, 2, 3, 4, 5]],
  ['a range', { start: { at: 'sequence', sequence: 2 }, through: 4 }, [2, 3, 4]],
  ['nothing of an empty range', { start: { at: 'sequence', sequence: 4 }, through: 2 }, []],
  ['one topic', { topics: ['orders.a'] }, [1, 3]],
  ['a pattern', { topics: ['orders.*'] }, [1, 2, 3, 5]],
  [
    'several patterns, each message once',
    { topics: ['orders.*', 'orders.>', 'orders.a'] },
    [1, 2, 3, 4, 5],
  ],
  ['two topics in stream order', { topics: ['orders.b', 'orders.a'] }, [1, 2, 3, 5]],
  ['nothing of a topic that has none', { topics: ['orders.z'] }, []],
  ['the last of the topics that match', { start: { at: 'last' }, topics: ['orders.a'] }, [3]],
  [
    'the last of each topic that matches',
    { start: { at: 'last-per-topic' }, topics: ['orders.*'] },
    [3, 5],
  ],
  [
    'a topic from a sequence through another',
    { start: { at: 'sequence', sequence: 2 }, through: 4, topics: ['orders.a', 'orders.b'] },
    [2, 3],
  ],
]

async function fill(stage: DurableStage): Promise<void> {
  for (const topic of ['a', 'b', 'a', 'c.d', 'b']) await stage.store(`orders.${topic}`)
}

export const durableReadingChapter = durableChapter('durable: reading', [
  ...reads.map(([what, options, sequences]) => ({
    name: `reads ${what}`,
    async run(stage: DurableStage) {
      const stream = await stage.createStream()
      await fill(stage)
      assert.deepEqual(sequencesOf(await stage.read(stream, options)), sequences)
    },
  })),
  {
    name: 'reads nothing of an empty stream, wherever it begins',
    async run(stage) {
      const stream = await stage.createStream()
      for (const at of ['first', 'last', 'new', 'last-per-topic'] as const) {
        assert.deepEqual(await stage.read(stream, { start: { at } }), [], at)
      }
      assert.deepEqual(await stage.read(stream, { start: { at: 'time', timeMs: 0 } }), [])
    },
  },
  {
    name: 'reads from a moment on',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2'])
      await stage.advance(50)
      const timeMs = stage.nowMs
      await stage.advance(50)
      await stage.storeAll('orders.a', ['3', '4'])
      const from = async (ms: number) =>
        bodiesOf(await stage.read(stream, { start: { at: 'time', timeMs: ms } }))
      assert.deepEqual(await from(timeMs), ['3', '4'])
      assert.deepEqual(await from(0), ['1', '2', '3', '4'])
      assert.deepEqual(await from(stage.nowMs + 60_000), [])
      const third = await stage.get(stream, 3)
      assert.deepEqual(await from(third!.timeMs), ['3', '4'])
    },
  },
  {
    name: 'gets a message by its sequence, and nothing for a sequence that has none',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2', '3'])
      assert.equal((await stage.get(stream, 2))!.body, '2')
      assert.equal((await stage.get(stream, 2))!.sequence, 2)
      for (const sequence of [0, 4, 1_000_000]) {
        assert.equal(await stage.get(stream, sequence), undefined, String(sequence))
      }
    },
  },
  {
    name: "gets a topic's last message",
    async run(stage) {
      const stream = await stage.createStream()
      await fill(stage)
      const lastOf = async (topic: string) =>
        (await stream.lastOf(stage.engine.topic(topic)))?.sequence
      assert.equal(await lastOf('orders.a'), 3)
      assert.equal(await lastOf('orders.c.d'), 4)
      assert.equal(await lastOf('orders.z'), undefined)
      await stream.remove(3)
      assert.equal(await lastOf('orders.a'), 1)
      await stream.remove(1)
      assert.equal(await lastOf('orders.a'), undefined)
    },
  },
  {
    name: 'gets messages that stay as they are while others are got',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2'])
      const got = await Promise.all([stream.get(1), stream.get(2)])
      assert.deepEqual(bodiesOf(got.map((message) => keepMessage(message!))), ['1', '2'])
    },
  },
  {
    name: 'passes over what was removed',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 9))
      for (const sequence of [1, 4, 5, 9]) await stream.remove(sequence)
      assert.deepEqual(sequencesOf(await stage.read(stream)), [2, 3, 6, 7, 8])
      const start = { at: 'sequence', sequence: 4 } as const
      assert.deepEqual(sequencesOf(await stage.read(stream, { start })), [6, 7, 8])
    },
  },
  {
    name: 'reads as far as was committed when it began',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2'])
      const reader = stream.read()
      await stage.storeAll('orders.a', ['3', '4'])
      const bodies: string[] = []
      for (;;) {
        const message = await reader.next()
        if (message === undefined) break
        bodies.push(keepMessage(message).body)
      }
      reader.close()
      assert.deepEqual(bodies, ['1', '2'])
    },
  },
  {
    name: 'stays at its end once it is there',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.a')
      const reader = stream.read()
      await reader.next()
      assert.equal(await reader.next(), undefined)
      await stage.store('orders.a')
      assert.equal(await reader.next(), undefined)
      reader.close()
    },
  },
  {
    name: 'reads with several readers that do not disturb each other',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 100))
      const readers = [stream.read(), stream.read({ start: { at: 'sequence', sequence: 50 } })]
      const seen: number[][] = [[], []]
      for (let i = 0; i < 101; i++) {
        for (const [r, reader] of readers.entries()) {
          const message = await reader.next()
          if (message !== undefined) seen[r]!.push(message.sequence)
        }
      }
      for (const reader of readers) reader.close()
      assert.deepEqual(seen, [numbers(1, 100), numbers(50, 100)])
    },
  },
  {
    name: 'may be closed in the middle, and twice',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 10))
      const reader = stream.read()
      await reader.next()
      reader.close()
      reader.close()
      assert.equal((await stage.read(stream)).length, 10)
    },
  },
  {
    name: `reads ${MANY_MESSAGES} messages in order, whole and by topic`,
    async run(stage) {
      const stream = await stage.createStream()
      const pad = 'x'.repeat(200)
      for (let i = 1; i <= MANY_MESSAGES; i++) {
        stage.publish(`orders.${i % 10}`, { body: `${i} ${pad}` })
      }
      await stage.receipts.received(MANY_MESSAGES)
      const messages = await stage.read(stream)
      assert.deepEqual(sequencesOf(messages), numbers(1, MANY_MESSAGES))
      assert.deepEqual(
        bodiesOf(messages),
        numbers(1, MANY_MESSAGES).map((i) => `${i} ${pad}`),
      )
      const some = await stage.read(stream, { topics: ['orders.3'] })
      assert.deepEqual(
        sequencesOf(some),
        numbers(0, MANY_MESSAGES / 10 - 1).map((n) => 10 * n + 3),
      )
    },
  },
  {
    name: 'lists topics with how many messages each has, the first and the last',
    async run(stage) {
      const stream = await stage.createStream()
      await fill(stage)
      const topics = [...(await stream.topics())].sort((a, b) => a.topic.localeCompare(b.topic))
      assert.deepEqual(topics, [
        { topic: 'orders.a', messages: 2, firstSequence: 1, lastSequence: 3 },
        { topic: 'orders.b', messages: 2, firstSequence: 2, lastSequence: 5 },
        { topic: 'orders.c.d', messages: 1, firstSequence: 4, lastSequence: 4 },
      ])
    },
  },
  {
    name: 'lists the topics that a pattern matches',
    async run(stage) {
      const stream = await stage.createStream()
      await fill(stage)
      const names = async (pattern: string) =>
        (await stream.topics(pattern)).map(({ topic }) => topic).sort()
      assert.deepEqual(await names('orders.*'), ['orders.a', 'orders.b'])
      assert.deepEqual(await names('orders.c.>'), ['orders.c.d'])
      assert.deepEqual(await names('orders.a'), ['orders.a'])
      assert.deepEqual(await names('orders.z'), [])
    },
  },
  {
    name: 'forgets a topic with its last message',
    async run(stage) {
      const stream = await stage.createStream()
      await fill(stage)
      await stream.purge({ topic: 'orders.b' })
      await stream.remove(1)
      assert.deepEqual(
        [...(await stream.topics())].sort((a, b) => a.topic.localeCompare(b.topic)),
        [
          { topic: 'orders.a', messages: 1, firstSequence: 3, lastSequence: 3 },
          { topic: 'orders.c.d', messages: 1, firstSequence: 4, lastSequence: 4 },
        ],
      )
      assert.equal((await stream.state()).topics, 2)
    },
  },
])
