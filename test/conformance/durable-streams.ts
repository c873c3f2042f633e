// Streams as things that are made, found, changed and deleted.
import assert from 'node:assert/strict'
import type { StreamSettings } from '../../src/engine/index.js'
import { durableChapter } from './durable-chapter.js'
import type { DurableStage } from './durable-stage.js'
import { failureOf } from './failure.js'
import { bodiesOf, numbers } from './kept-message.js'
import { codeOf } from './stage.js'

const MANY_STREAMS = 1_000

const overlaps: readonly (readonly [first: string, second: string])[] = [
  ['orders.placed', 'orders.placed'],
  ['orders.placed', 'orders.*'],
  ['orders.>', 'orders.placed.eu'],
  ['*.placed', 'orders.*'],
  ['>', 'orders.placed'],
  ['orders.*.eu', 'orders.placed.>'],
]

const disjoint: readonly (readonly [first: string, second: string])[] = [
  ['orders.placed', 'orders.paid'],
  ['orders.*', 'orders.*.eu'],
  ['orders', 'orders.>'],
  ['orders.*.eu', 'orders.*.us'],
]

const unusable: readonly (readonly [
  fault: string,
  settings: Partial<StreamSettings>,
  code: string,
])[] = [
  ['an empty name', { name: '' }, 'NAME_INVALID'],
  ['a name with a slash', { name: 'a/b', topics: ['a'] }, 'NAME_INVALID'],
  ['a name with a dot', { name: 'a.b', topics: ['a'] }, 'NAME_INVALID'],
  ['a name with a space', { name: 'a b', topics: ['a'] }, 'NAME_INVALID'],
  ['a name that some system reserves', { name: 'con', topics: ['a'] }, 'NAME_INVALID'],
  ['a name that is too long', { name: 'n'.repeat(101), topics: ['a'] }, 'NAME_INVALID'],
  ['a topic that is no pattern', { topics: ['orders..placed'] }, 'PATTERN_INVALID'],
  ['topics that overlap each other', { topics: ['a.*', 'a.b'] }, 'TOPICS_OVERLAP'],
  ['no messages at most', { maxMessages: 0 }, 'OPTION_INVALID'],
  ['fewer than no bytes', { maxBytes: -1 }, 'OPTION_INVALID'],
  ['half a message for each topic', { maxMessagesPerTopic: 0.5 }, 'OPTION_INVALID'],
  ['an age that is no number', { maxAgeMs: Number.NaN }, 'OPTION_INVALID'],
  ['an age below zero', { maxAgeMs: -1 }, 'OPTION_INVALID'],
  ['a window below zero', { duplicateWindowMs: -1 }, 'OPTION_INVALID'],
]

export const durableStreamsChapter = durableChapter('durable: streams', [
  {
    name: 'makes a stream that is found by its name, with the settings that it was given',
    async run(stage) {
      const settings = stage.streamSettings({
        topics: ['orders.*', 'refunds.>'],
        maxMessages: 1_000,
        maxBytes: 1_000_000,
        maxAgeMs: 86_400_000,
        maxMessagesPerTopic: 10,
        maxMessageBytes: 10_000,
        maxConsumers: 7,
        discard: 'new',
        description: 'what customers want',
        metadata: { owner: 'sales' },
      })
      const made = await stage.durable.createStream(settings)
      assert.equal(made.name, 'orders')
      assert.equal(made.isDeleted, false)
      assert.deepEqual({ ...made.settings }, settings)
      assert.deepEqual({ ...(await stage.stream()).settings }, settings)
    },
  },
  {
    name: 'does not find a stream that nobody made',
    async run(stage) {
      assert.equal(await stage.durable.findStream('orders'), undefined)
    },
  },
  {
    name: 'is empty at first: no message, and the first sequence is still to come',
    async run(stage) {
      const state = await (await stage.createStream()).state()
      assert.equal(state.messages, 0)
      assert.equal(state.bytes, 0)
      assert.equal(state.lastSequence, 0)
      assert.equal(state.firstSequence, 1)
      assert.equal(state.removed, 0)
      assert.equal(state.topics, 0)
      assert.equal(state.consumers, 0)
      assert.equal(state.frozen, undefined)
    },
  },
  {
    name: 'tells how many messages, bytes, topics and consumers it has, from when to when',
    async run(stage) {
      const stream = await stage.createStream()
      const earliestMs = stage.nowMs
      await stage.store('orders.placed', { body: 'one' })
      await stage.advance(5)
      await stage.store('orders.placed', { body: 'two' })
      await stage.store('orders.paid', { body: 'three' })
      await stage.createConsumer(stream)
      const state = await stream.state()
      assert.equal(state.messages, 3)
      assert.ok(state.bytes >= 'onetwothree'.length, `${state.bytes} bytes`)
      assert.equal(state.firstSequence, 1)
      assert.equal(state.lastSequence, 3)
      assert.equal(state.removed, 0)
      assert.equal(state.topics, 2)
      assert.equal(state.consumers, 1)
      assert.ok(state.firstTimeMs >= earliestMs)
      assert.ok(state.lastTimeMs > state.firstTimeMs)
      assert.ok(state.lastTimeMs <= stage.nowMs)
    },
  },
  {
    name: 'answers an equal stream as it is, with its messages',
    async run(stage) {
      await stage.createStream({ metadata: { a: '1', b: '2' } })
      await stage.store('orders.placed', { body: 'kept' })
      const again = await stage.createStream({ metadata: { b: '2', a: '1' } })
      assert.deepEqual(bodiesOf(await stage.read(again)), ['kept'])
    },
  },
  {
    name: 'takes a setting of undefined for one that is left out',
    async run(stage) {
      await stage.createStream()
      const settings = { ...stage.streamSettings(), maxAgeMs: undefined } as unknown
      await stage.durable.createStream(settings as StreamSettings)
      assert.deepEqual(await stage.streamNames(), ['orders'])
    },
  },
  {
    name: 'makes one stream of two equal requests at once',
    async run(stage) {
      const [first, second] = await Promise.all([stage.createStream(), stage.createStream()])
      await stage.store('orders.placed')
      assert.equal((await first.state()).messages, 1)
      assert.equal((await second.state()).messages, 1)
      assert.deepEqual(await stage.streamNames(), ['orders'])
    },
  },
  {
    name: 'refuses a different stream of the same name with STREAM_DIFFERS, naming the fields and changing nothing',
    async run(stage) {
      await stage.createStream({ maxMessages: 10, maxAgeMs: 60_000 })
      const error = await failureOf(() =>
        stage.createStream({ maxMessages: 20, discard: 'new', maxAgeMs: 60_000 }),
      )
      assert.equal(error.code, 'STREAM_DIFFERS')
      assert.deepEqual([...(error.details.fields as string[])].sort(), ['discard', 'maxMessages'])
      for (const field of ['discard', 'maxMessages']) assert.match(error.message, RegExp(field))
      assert.equal((await stage.stream()).settings.maxMessages, 10)
    },
  },
  {
    name: 'counts a limit that one has and the other has not as a difference',
    async run(stage) {
      await stage.createStream({ maxMessages: 10 })
      const error = await failureOf(() => stage.createStream())
      assert.equal(error.code, 'STREAM_DIFFERS')
      assert.deepEqual(error.details.fields, ['maxMessages'])
    },
  },
  ...overlaps.map(([first, second]) => ({
    name: `refuses ${second} beside ${first} of another stream with TOPICS_OVERLAP, naming that stream`,
    async run(stage: DurableStage) {
      await stage.createStream({ name: 'first', topics: [first] })
      const error = await failureOf(() =>
        stage.createStream({ name: 'second', topics: ['elsewhere', second] }),
      )
      assert.equal(error.code, 'TOPICS_OVERLAP')
      assert.equal(error.details.other, 'first')
      assert.match(error.message, /first/)
      assert.equal(await stage.durable.findStream('second'), undefined)
    },
  })),
  {
    name: 'takes topics that only look alike',
    async run(stage) {
      for (const [i, topics] of disjoint.entries()) {
        await stage.createStream({ name: `first-${i}`, topics: [`n${i}.${topics[0]}`] })
        await stage.createStream({ name: `second-${i}`, topics: [`n${i}.${topics[1]}`] })
      }
      assert.equal((await stage.streamNames()).length, 2 * disjoint.length)
    },
  },
  {
    name: 'gives the topics of a deleted stream to the next one',
    async run(stage) {
      await stage.createStream({ name: 'first', topics: ['orders.>'] })
      await stage.durable.deleteStream('first')
      const second = await stage.createStream({ name: 'second', topics: ['orders.>'] })
      await stage.store('orders.placed', { body: 'for the second' })
      assert.deepEqual(bodiesOf(await stage.read(second)), ['for the second'])
    },
  },
  ...unusable.map(([fault, terms, code]) => ({
    name: `refuses a stream with ${fault}: ${code}`,
    async run(stage: DurableStage) {
      assert.equal(await codeOf(() => stage.createStream(terms)), code)
      assert.deepEqual(await stage.streamNames(), [])
    },
  })),
  {
    name: 'refuses a durability that it cannot give, rather than weaken it: UNSUPPORTED',
    needs: ({ engine }) => engine.durable?.strongest === 'memory',
    async run(stage) {
      for (const durability of ['fsync', 'os'] as const) {
        assert.equal(
          await codeOf(() => stage.createStream({ durability })),
          'UNSUPPORTED',
          durability,
        )
      }
    },
  },
  {
    name: 'keeps a stream at each weaker durability too',
    needs: ({ engine }) => engine.durable?.strongest === 'fsync',
    async run(stage) {
      for (const durability of ['os', 'memory'] as const) {
        const stream = await stage.createStream({ name: durability, durability })
        assert.equal(stream.settings.durability, durability)
        await stage.store(`${durability}.a`, { body: 'x' })
        assert.deepEqual(bodiesOf(await stage.read(stream)), ['x'])
      }
    },
  },
  {
    name: 'lists all streams',
    async run(stage) {
      for (const name of ['c', 'a', 'b']) await stage.createStream({ name })
      assert.deepEqual(await stage.streamNames(), ['a', 'b', 'c'])
    },
  },
  {
    name: 'changes settings by an update, and keeps the messages',
    async run(stage) {
      await stage.createStream()
      await stage.storeAll('orders.placed', ['1', '2', '3'])
      const settings = stage.streamSettings({ maxMessages: 100, description: 'changed' })
      const updated = await stage.durable.updateStream(settings)
      assert.deepEqual({ ...updated.settings }, settings)
      assert.deepEqual({ ...(await stage.stream()).settings }, settings)
      assert.deepEqual(bodiesOf(await stage.read(updated)), ['1', '2', '3'])
    },
  },
  {
    name: 'shows changed settings on a stream that was found before the change',
    async run(stage) {
      const before = await stage.createStream()
      await stage.durable.updateStream(stage.streamSettings({ maxMessages: 100 }))
      assert.equal(before.settings.maxMessages, 100)
    },
  },
  {
    name: 'holds a lowered limit at once',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.placed', ['1', '2', '3', '4'])
      await stage.durable.updateStream(stage.streamSettings({ maxMessages: 2 }))
      await stage.settle()
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['3', '4'])
      assert.equal((await stream.state()).messages, 2)
    },
  },
  {
    name: 'captures the topics of an update, and no longer those that it left out',
    async run(stage) {
      await stage.createStream({ topics: ['orders.placed', 'orders.paid'] })
      await stage.store('orders.placed', { body: 'before' })
      const updated = await stage.durable.updateStream(
        stage.streamSettings({ topics: ['orders.paid', 'orders.sent'] }),
      )
      assert.equal(await codeOf(() => stage.store('orders.placed')), 'NO_STREAM')
      await stage.store('orders.sent', { body: 'after' })
      assert.deepEqual(bodiesOf(await stage.read(updated)), ['before', 'after'])
    },
  },
  {
    name: 'refuses an update of how safe a stream is, and of what lets its messages go',
    async run(stage) {
      await stage.createStream({ durability: 'memory' })
      for (const change of [{ durability: 'os' }, { retention: 'work-queue' }] as const) {
        const settings = stage.streamSettings({ durability: 'memory', ...change })
        assert.equal(await codeOf(() => stage.durable.updateStream(settings)), 'UNSUPPORTED')
      }
    },
  },
  {
    name: 'refuses to update a stream that is not there: STREAM_NOT_FOUND',
    async run(stage) {
      const settings = stage.streamSettings()
      assert.equal(await codeOf(() => stage.durable.updateStream(settings)), 'STREAM_NOT_FOUND')
    },
  },
  {
    name: "refuses an update that takes another stream's topics, and changes nothing",
    async run(stage) {
      await stage.createStream({ name: 'first' })
      await stage.createStream({ name: 'second' })
      const settings = stage.streamSettings({ name: 'second', topics: ['second.>', 'first.a'] })
      assert.equal(await codeOf(() => stage.durable.updateStream(settings)), 'TOPICS_OVERLAP')
      await stage.store('first.a', { body: 'x' })
      assert.equal((await (await stage.stream('first')).state()).messages, 1)
      assert.deepEqual((await stage.stream('second')).settings.topics, ['second.>'])
    },
  },
  {
    name: 'deletes a stream, and says whether there was one',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.placed')
      assert.equal(await stage.durable.deleteStream('orders'), true)
      assert.equal(await stage.durable.deleteStream('orders'), false)
      assert.equal(stream.isDeleted, true)
      assert.equal(await stage.durable.findStream('orders'), undefined)
      assert.deepEqual(await stage.streamNames(), [])
    },
  },
  {
    name: 'captures nothing for a deleted stream',
    async run(stage) {
      await stage.createStream()
      await stage.durable.deleteStream('orders')
      assert.equal(await codeOf(() => stage.store('orders.placed')), 'NO_STREAM')
    },
  },
  {
    name: 'refuses what is asked of a deleted stream with STREAM_DELETED',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.placed')
      await stage.durable.deleteStream('orders')
      const topic = stage.engine.topic('orders.placed')
      const calls: readonly (readonly [string, () => unknown])[] = [
        ['state', () => stream.state()],
        ['get', () => stream.get(1)],
        ['lastOf', () => stream.lastOf(topic)],
        ['read', () => stage.read(stream)],
        ['topics', () => stream.topics()],
        ['purge', () => stream.purge()],
        ['remove', () => stream.remove(1)],
        ['createConsumer', () => stage.createConsumer(stream)],
        ['findConsumer', () => stream.findConsumer('billing')],
        ['consumers', () => stream.consumers()],
      ]
      const codes: Record<string, string | undefined> = {}
      for (const [name, call] of calls) codes[name] = await codeOf(call)
      assert.deepEqual(codes, Object.fromEntries(calls.map(([name]) => [name, 'STREAM_DELETED'])))
    },
  },
  {
    name: 'begins anew with a stream that is made again under the name of a deleted one',
    async run(stage) {
      await stage.createStream()
      await stage.store('orders.placed', { body: 'old', id: 'a' })
      await stage.durable.deleteStream('orders')
      const stream = await stage.createStream()
      assert.equal((await stream.state()).messages, 0)
      assert.deepEqual(await stage.outcomeOf('orders.placed', { body: 'new', id: 'a' }), {
        kind: 'committed',
        stream: 'orders',
        sequence: 1,
      })
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['new'])
    },
  },
  {
    name: 'settles every publish that a deletion overtakes',
    async run(stage) {
      await stage.createStream()
      for (let i = 0; i < 50; i++) stage.publish('orders.placed')
      const deleted = stage.durable.deleteStream('orders')
      for (let i = 0; i < 50; i++) stage.publish('orders.placed')
      await deleted
      await stage.receipts.received(100)
      assert.deepEqual(
        [...stage.receipts.tokens].sort((a, b) => a - b),
        numbers(1, 100),
      )
    },
  },
  {
    name: 'holds 1,000 streams, each with its own messages',
    async run(stage) {
      const names = numbers(1, MANY_STREAMS).map((i) => `stream-${i}`)
      const streams = await Promise.all(names.map((name) => stage.createStream({ name })))
      const sequences = await Promise.all(
        names.flatMap((name) => [
          stage.store(`${name}.a`, { body: name }),
          stage.store(`${name}.b`, { body: name }),
        ]),
      )
      assert.deepEqual(new Set(sequences), new Set([1, 2]))
      assert.equal((await stage.streamNames()).length, MANY_STREAMS)
      for (const i of [0, 1, 499, 998, 999]) {
        assert.deepEqual(bodiesOf(await stage.read(streams[i]!)), [names[i], names[i]])
      }
    },
  },
])
