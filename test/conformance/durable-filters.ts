// Filters of consumers and readers: what does not match is passed over, is not counted, and keeps nothing from going on.
import assert from 'node:assert/strict'
import type { FilterPattern } from '../../src/filter/index.js'
import { durableChapter } from './durable-chapter.js'
import {
  overEveryEnding,
  overProcessEndings,
  type DurableCase,
  type DurableStage,
} from './durable-stage.js'
import { failureOf } from './failure.js'
import { acknowledging } from './member-recorder.js'
import { codeOf } from './stage.js'

const large: FilterPattern = { data: { total: [{ numeric: ['>', 1_000] }] } }

/** Those at 3, 4 and 6 are large. */
const bodies = [
  '{"total":5}',
  'no JSON',
  '{"total":2000}',
  '[{"total":1001}]',
  '',
  '{"total":9999}',
]

const storeBodies = (stage: DurableStage): Promise<number[]> => stage.storeAll('orders.a', bodies)

const consumerCases: readonly DurableCase[] = [
  {
    name: 'hands out what the filter matches, what was there and what comes, and counts no other',
    async run(stage) {
      const stream = await stage.createStream()
      await storeBodies(stage)
      const consumer = await stage.createConsumer(stream, { where: large })
      assert.equal((await consumer.info()).pending, 3)
      const member = stage.join(consumer, { during: acknowledging })
      await stage.settle()
      assert.deepEqual(member.sequences, [3, 4, 6])
      assert.deepEqual(
        member.items.map(({ pending }) => pending),
        [2, 1, 0],
      )
      await storeBodies(stage)
      await stage.settle()
      assert.deepEqual(member.sequences, [3, 4, 6, 9, 10, 12])
    },
  },
  {
    name: 'moves the floor over what it passes over, also when nothing matches',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream, { where: large })
      const member = stage.join(consumer, { during: acknowledging })
      await stage.storeAll('orders.a', new Array<string>(3_000).fill('{"total":1}'))
      await stage.settle()
      const info = await consumer.info()
      assert.deepEqual([info.floorSequence, info.pending, member.items.length], [3_000, 0, 0])
    },
  },
  {
    name: 'filters within its topics, by key and headers too',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream, {
        topics: ['orders.a'],
        where: { key: ['k'], headers: { region: ['eu'] } },
      })
      const member = stage.join(consumer)
      const eu = { headers: [['region', 'eu']] as const, key: 'k' }
      await stage.store('orders.a', eu)
      await stage.store('orders.b', eu)
      await stage.store('orders.a', { key: 'k' })
      await stage.store('orders.a', { ...eu, key: 'other' })
      await stage.settle()
      assert.deepEqual(member.sequences, [1])
    },
  },
  {
    name: 'counts right when messages go that it was still to be handed, whether they matched or not',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream, { where: large })
      await storeBodies(stage)
      await stream.remove(1)
      await stream.remove(3)
      assert.equal((await consumer.info()).pending, 2)
      await stream.purge({ before: 5 })
      assert.equal((await consumer.info()).pending, 1)
      const member = stage.join(consumer, { during: acknowledging })
      await stage.settle()
      assert.deepEqual(member.sequences, [6])
      assert.equal((await consumer.info()).pending, 0)
    },
  },
  {
    name: 'counts messages that are accepted while it is asked how many there are',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream, { where: large })
      await storeBodies(stage)
      await stream.remove(3)
      const asked = [consumer.info(), consumer.info()]
      const stored = storeBodies(stage)
      await Promise.all([...asked, stored])
      assert.equal((await consumer.info()).pending, 5)
    },
  },
  {
    name: 'keeps the order of keys among what matches',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream, { order: 'key', where: large })
      for (const body of bodies) await stage.store('orders.a', { body, key: 'k' })
      const member = stage.join(consumer)
      await stage.settle()
      assert.deepEqual(member.sequences, [3])
      consumer.acknowledge(member.tokens[0]!)
      await stage.settle()
      assert.deepEqual(member.sequences, [3, 4])
    },
  },
  {
    name: 'starts where its topics say, and filters from there',
    async run(stage) {
      const stream = await stage.createStream()
      await storeBodies(stage)
      await stage.store('orders.a', { body: '{"total":1}' })
      const consumer = await stage.createConsumer(stream, { start: { at: 'last' }, where: large })
      const member = stage.join(consumer)
      await stage.store('orders.a', { body: '{"total":2000}' })
      await stage.settle()
      assert.deepEqual(member.sequences, [8])
    },
  },
  {
    name: 'is the same in any order of its filter, and differs by `where`',
    async run(stage) {
      const stream = await stage.createStream()
      const where: FilterPattern = {
        key: ['a', 'b'],
        data: { x: [1], y: [{ 'anything-but': ['p', 'q'] }] },
      }
      const made = await stage.createConsumer(stream, { where })
      const turned: FilterPattern = {
        data: { y: [{ 'anything-but': ['q', 'p'] }], x: [1, 1] },
        key: ['b', 'a'],
      }
      assert.equal(await stage.createConsumer(stream, { where: turned }), made)
      for (const other of [{ where: { key: ['a'] } }, {}]) {
        const error = await failureOf(() => stage.createConsumer(stream, other))
        assert.deepEqual([error.code, error.details.fields], ['CONSUMER_DIFFERS', ['where']])
      }
    },
  },
  {
    name: 'takes another filter by an update, from where it stands',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream, { where: large })
      const member = stage.join(consumer, { during: acknowledging })
      await storeBodies(stage)
      await stage.settle()
      await stream.updateConsumer(stage.consumerSettings({ where: { data: { total: [5] } } }))
      await storeBodies(stage)
      await stage.settle()
      assert.deepEqual(member.sequences, [3, 4, 6, 7])
    },
  },
  {
    name: 'refuses a filter that could not work',
    async run(stage) {
      const stream = await stage.createStream()
      const where = { data: { total: [] } }
      assert.equal(await codeOf(() => stage.createConsumer(stream, { where })), 'FILTER_INVALID')
      assert.equal(await stream.findConsumer('billing'), undefined)
      assert.equal(await codeOf(() => stage.read(stream, { where })), 'FILTER_INVALID')
    },
  },
  ...overEveryEnding('keeps its filter and its place', async (stage, reopen) => {
    const stream = await stage.createStream()
    const consumer = await stage.createConsumer(stream, { where: large })
    const member = stage.join(consumer)
    await storeBodies(stage)
    await stage.settle()
    assert.deepEqual(member.sequences, [3, 4, 6])
    await new Promise<void>((resolve, reject) => {
      consumer.acknowledge(member.tokens[0]!, (error) => (error ? reject(error) : resolve()))
    })
    await reopen()
    const again = await stage.consumer()
    assert.deepEqual(again.settings.where, large)
    const next = stage.join(again, { during: acknowledging })
    await storeBodies(stage)
    await stage.settle()
    assert.deepEqual(next.sequences, [4, 6, 9, 10, 12])
  }),
  ...overProcessEndings('knows how many are pending', async (stage, reopen) => {
    const stream = await stage.createStream()
    await stage.createConsumer(stream, { where: large })
    await storeBodies(stage)
    await reopen()
    assert.equal((await (await stage.consumer()).info()).pending, 3)
  }),
]

const retentionCases: readonly DurableCase[] = [
  {
    name: "keeps by 'interest' what a filter wants, until it is settled, and nothing else",
    async run(stage) {
      const stream = await stage.createStream({ retention: 'interest' })
      const billing = await stage.createConsumer(stream, { where: large })
      const member = stage.join(billing)
      await storeBodies(stage)
      await stage.settle()
      assert.deepEqual(
        (await stage.read(stream)).map(({ sequence }) => sequence),
        [3, 4, 6],
      )
      for (const token of member.tokens.slice(0, 2)) billing.acknowledge(token)
      await stage.settle()
      assert.deepEqual(
        (await stage.read(stream)).map(({ sequence }) => sequence),
        [6],
      )
    },
  },
  {
    name: "lets go by 'interest' what one has settled and no other filter wants",
    async run(stage) {
      const stream = await stage.createStream({ retention: 'interest' })
      const everything = await stage.createConsumer(stream)
      await stage.createConsumer(stream, { name: 'audit', where: large })
      await storeBodies(stage)
      stage.join(everything, { during: acknowledging })
      await stage.settle()
      assert.deepEqual(
        (await stage.read(stream)).map(({ sequence }) => sequence),
        [3, 4, 6],
      )
    },
  },
  {
    name: "keeps in a 'work-queue' what no filter wants, as it is still to be done",
    async run(stage) {
      const stream = await stage.createStream({ retention: 'work-queue' })
      const consumer = await stage.createConsumer(stream, { where: large })
      stage.join(consumer, { during: acknowledging })
      await storeBodies(stage)
      await stage.settle()
      assert.deepEqual(
        (await stage.read(stream)).map(({ sequence }) => sequence),
        [1, 2, 5],
      )
    },
  },
]

const readingCases: readonly DurableCase[] = [
  {
    name: 'reads what the filter matches',
    async run(stage) {
      const stream = await stage.createStream()
      await storeBodies(stage)
      await stage.store('orders.b', { body: '{"total":2000}' })
      const sequences = (await stage.read(stream, { where: large })).map(({ sequence }) => sequence)
      assert.deepEqual(sequences, [3, 4, 6, 7])
      const ofTopic = await stage.read(stream, { topics: ['orders.b'], where: large })
      assert.deepEqual(
        ofTopic.map(({ sequence }) => sequence),
        [7],
      )
    },
  },
  {
    name: 'gives way to other work while it passes over many',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', new Array<string>(2_500).fill('{"total":1}'))
      await stage.store('orders.a', { body: '{"total":2000}' })
      assert.deepEqual(
        (await stage.read(stream, { where: large })).map(({ sequence }) => sequence),
        [2_501],
      )
    },
  },
]

export const durableFiltersChapter = durableChapter('durable: filters', [
  ...consumerCases,
  ...retentionCases,
  ...readingCases,
])
