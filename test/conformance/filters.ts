// Filters on live subscriptions: by the contract on each engine, and by the API, which asks `when` after `where`.
import assert from 'node:assert/strict'
import { event, type Message } from '../../src/broker/index.js'
import { BytesView, receiverCount, type EngineMessage } from '../../src/engine/index.js'
import { Filter, type FilterPattern, type FilterView } from '../../src/filter/index.js'
import type { Chapter } from './case.js'
import { shapeOf } from './schemas.js'
import { Arrivals, codeOf, makeGate, type Recorder, type Stage } from './stage.js'

const Placed = event('order.placed', shapeOf({ id: 'number', total: 'number' }))

class BytesFilter extends Filter {
  view(message: EngineMessage): FilterView {
    return new BytesView(message.toBytes())
  }
}

const large = new BytesFilter({ data: { total: [{ numeric: ['>', 1_000] }] } })

/** Bodies by which filters are told apart, and who takes them: the larger ones, those of the data, those of other parts. */
const bodies = [
  '{"total":5}',
  '{"total":2000}',
  'no JSON',
  '',
  '[{"total":1001}]',
  '{"total":"2000"}',
]

const patterns: readonly (readonly [
  what: string,
  pattern: FilterPattern,
  options: { headers?: [string, string][]; topic?: string },
  isTaken: boolean,
])[] = [
  ['the topic', { topic: [{ prefix: 'order.' }] }, {}, true],
  ['the topic', { topic: ['order'] }, {}, false],
  ['a header', { headers: { region: ['eu'] } }, { headers: [['region', 'eu']] }, true],
  [
    'a header of another case',
    { headers: { region: ['eu'] } },
    { headers: [['Region', 'eu']] },
    false,
  ],
  [
    'one of several values of a header',
    { headers: { region: ['eu'] } },
    {
      headers: [
        ['region', 'us'],
        ['region', 'eu'],
      ],
    },
    true,
  ],
  ['the key', { key: ['c 7'] }, { headers: [['ce-partitionkey', 'c%207']] }, true],
  ['the type', { type: ['placed'] }, { headers: [['CE-Type', 'placed']] }, true],
  ['the topic where there is no type', { type: ['order.a'] }, {}, true],
  ['a header that is not there', { headers: { region: [{ exists: false }] } }, {}, true],
]

export const filtersChapter: Chapter = {
  title: 'filters',
  cases: [
    {
      name: 'delivers what a filter matches and nothing else; what is no JSON has no data',
      async run(stage) {
        const all = stage.record('a')
        const some = stage.record('a', { filter: large })
        const absent = stage.record('a', {
          filter: new BytesFilter({ data: { total: [{ exists: false }] } }),
        })
        await stage.ready()
        for (const body of bodies) stage.publish('a', { body })
        await stage.settled()
        assert.deepEqual(all.bodies, bodies)
        assert.deepEqual(some.bodies, ['{"total":2000}', '[{"total":1001}]'])
        assert.deepEqual(absent.bodies, [''])
      },
    },
    ...patterns.map(([what, pattern, { headers }, isTaken], i) => ({
      name: `asks ${what}: ${isTaken ? 'yes' : 'no'} (${i + 1})`,
      async run(stage: Stage) {
        const recorder = stage.record('order.>', { filter: new BytesFilter(pattern) })
        await stage.ready()
        stage.publish('order.a', { body: 'x', ...(headers === undefined ? {} : { headers }) })
        await stage.settled()
        assert.equal(recorder.items.length, isTaken ? 1 : 0)
      },
    })),
    {
      name: 'counts only those whose filters match, at once and while another message is being delivered',
      needs: ({ countsReceivers }) => countsReceivers,
      async run(stage) {
        stage.record('a', { filter: large })
        stage.record('a', { filter: large, group: 'g' })
        const counts: (number | undefined)[] = []
        stage.record('outer', {
          during: () => {
            for (const body of ['{"total":1}', '{"total":1001}']) {
              counts.push(receiverCount(stage.publish('a', { body })))
            }
          },
        })
        assert.equal(receiverCount(stage.publish('a', { body: '{"total":1}' })), 0)
        assert.equal(receiverCount(stage.publish('a', { body: '{"total":1001}' })), 2)
        stage.publish('outer')
        assert.deepEqual(counts, [0, 2])
      },
    },
    {
      name: 'gives a message to a member of the group whose filter matches, in fair turns',
      needs: ({ filtersGroups }) => filtersGroups,
      async run(stage) {
        const small = new BytesFilter({ data: { total: [{ numeric: ['<=', 1_000] }] } })
        const members = [large, large, small].map((filter) =>
          stage.record('a', { filter, group: 'g' }),
        )
        for (let total = 991; total <= 1_010; total++) {
          stage.publish('a', { body: JSON.stringify({ total }) })
        }
        assert.deepEqual(
          members.map(({ items }) => items.length),
          [5, 5, 10],
        )
        assert.ok(totalsOf(members[2]!).every((total) => total <= 1_000))
      },
    },
    {
      name: 'asks `where`, then `when`, and neither takes a place in the queue for what it refuses',
      async run(stage) {
        const { here, there, events } = stage.openBrokers()
        const gate = makeGate()
        const asked: number[] = []
        const seen = new Arrivals<number>()
        const subscription = there.subscribe(
          Placed,
          async ({ data }) => {
            seen.add(data.id)
            await gate.opened
          },
          {
            where: { total: [{ numeric: ['>', 10] }] },
            when: ({ data }) => asked.push(data.id) > 0 && data.id % 2 === 0,
            capacity: 2,
          },
        )
        await there.flush()
        for (let id = 1; id <= 8; id++) here.emit(Placed, { id, total: id > 2 ? 11 : 9 })
        await stage.settled()
        assert.deepEqual(asked, [3, 4, 5, 6, 7, 8])
        assert.equal(subscription.queued, 2)
        assert.equal(subscription.dropped, 0)
        gate.open()
        assert.deepEqual(await seen.received(3), [4, 6, 8])
        assert.equal(events.items.length, 0)
      },
    },
    {
      name: 'tells of a `when` that throws or answers later, which counts as no',
      async run(stage) {
        const { here, there, events } = stage.openBrokers()
        const seen: unknown[] = []
        const later = (async () => true) as unknown as (message: Message) => boolean
        there.subscribe('a', ({ data }) => seen.push(data), {
          when: ({ data }) => (data as { deep: { on: boolean } }).deep.on,
        })
        there.subscribe('b', ({ data }) => seen.push(data), { when: later })
        await there.flush()
        here.emit('a', {})
        here.emit('a', { deep: { on: true } })
        here.emit('b', 1)
        await stage.settled()
        assert.deepEqual(seen, [{ deep: { on: true } }])
        assert.deepEqual(
          events.items.map((each) => each.type === 'filter-failed' && [each.pattern, each.topic]),
          [
            ['a', 'a'],
            ['b', 'b'],
          ],
        )
      },
    },
    {
      name: 'filters by data, headers and key beside each other, in `subscribe` and in `messages`',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        const options = {
          where: { total: [{ numeric: ['>', 1] }] },
          headers: { region: ['eu'], 'ce-type': ['order.placed'] },
          key: [{ prefix: 'customer-' }],
        } as const
        const seen: number[] = []
        there.subscribe(Placed, ({ data }) => seen.push(data.id), options)
        const messages = there.messages(Placed, options)
        await there.flush()
        const eu = { region: 'eu' }
        here.emit(Placed, { id: 1, total: 1 }, { headers: eu, key: 'customer-7' })
        here.emit(Placed, { id: 2, total: 2 }, { headers: eu, key: 'other' })
        here.emit(Placed, { id: 3, total: 2 }, { key: 'customer-7' })
        here.emit(Placed, { id: 4, total: 2 }, { headers: eu, key: 'customer-7' })
        const { value } = await messages.next()
        await messages.return?.()
        assert.deepEqual([seen, (value as Message<{ id: number }>).data.id], [[4], 4])
      },
    },
    {
      name: 'filters by what travels and not by what the value is here',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        const seen: unknown[] = []
        there.subscribe('a', () => seen.push(1), {
          where: { at: [{ prefix: '1970-' }], none: [{ exists: false }], nan: [null] },
        })
        await there.flush()
        here.emit('a', { at: new Date(0), none: undefined, nan: NaN })
        await stage.settled()
        assert.deepEqual(seen, [1])
      },
    },
    {
      name: 'refuses a filter that could not work, with FILTER_INVALID and the way to it',
      async run(stage) {
        const { there } = stage.openBrokers()
        const where = { total: [{ numerc: ['>', 1] }] } as never
        assert.equal(
          await codeOf(() => there.subscribe('a', () => {}, { where })),
          'FILTER_INVALID',
        )
        assert.throws(
          () => there.subscribe('a', () => {}, { where }),
          /where\.total\[0\].*'numeric'/,
        )
        const when = 'yes' as never
        assert.equal(await codeOf(() => there.subscribe('a', () => {}, { when })), 'OPTION_INVALID')
        const misspelt = { wher: {} } as never
        assert.equal(await codeOf(() => there.subscribe('a', () => {}, misspelt)), 'OPTION_INVALID')
        const filtering = { where: { a: [1] } } as never
        assert.equal(await codeOf(() => there.respond('a', () => 1, filtering)), 'OPTION_INVALID')
      },
    },
    {
      name: 'refuses to filter in a group where the group would lose messages by it',
      needs: ({ filtersGroups }) => !filtersGroups,
      async run(stage) {
        const { there } = stage.openBrokers()
        const terms = { group: 'g', where: { a: [1] } }
        assert.equal(await codeOf(() => there.subscribe('a', () => {}, terms)), 'UNSUPPORTED')
      },
    },
  ],
}

function totalsOf({ bodies }: Recorder): number[] {
  return bodies.map((body) => (JSON.parse(body) as { total: number }).total)
}
