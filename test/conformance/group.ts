// Groups: members of one name share the messages.
import assert from 'node:assert/strict'
import type { Chapter } from './case.js'
import type { Recorder } from './stage.js'

/** Each of the members gets at least half and at most twice its share of so many messages. */
const MESSAGES = 1_000

export const groupChapter: Chapter = {
  title: 'group',
  cases: [
    {
      name: 'delivers each message to exactly one member of a group',
      async run(stage) {
        const members = ['g', 'g', 'g'].map((group) => stage.record('a', { group }))
        await stage.ready()
        for (let i = 0; i < 100; i++) stage.publish('a', { body: String(i) })
        await stage.settled()
        assert.deepEqual(sortedBodies(members), sortedNumbers(100))
      },
    },
    {
      name: 'delivers to exactly one member when they are on different engines',
      async run(stage) {
        const third = await stage.place.another()
        const members = [stage.subscriber, third].map((engine) =>
          stage.record('a', { group: 'g', engine }),
        )
        await stage.ready(third)
        for (let i = 0; i < 100; i++) stage.publish('a', { body: String(i) })
        await stage.settled()
        await stage.settled(stage.publisher, third)
        assert.deepEqual(sortedBodies(members), sortedNumbers(100))
      },
    },
    {
      name: 'shares fairly: each of four members gets between half and twice a quarter',
      async run(stage) {
        const members = [1, 2, 3, 4].map(() => stage.record('a', { group: 'g' }))
        await stage.ready()
        for (let i = 0; i < MESSAGES; i++) stage.publish('a')
        await stage.settled()
        const share = MESSAGES / members.length
        for (const { items } of members) {
          assert.ok(items.length >= share / 2 && items.length <= share * 2, `${items.length}`)
        }
      },
    },
    {
      name: 'shares fairly over topics that are used once each',
      async run(stage) {
        const members = [1, 2, 3, 4].map(() => stage.record('a.*', { group: 'g' }))
        await stage.ready()
        for (let i = 0; i < MESSAGES; i++) stage.publish(`a.${i}`)
        await stage.settled()
        const share = MESSAGES / members.length
        for (const { items } of members) {
          assert.ok(items.length >= share / 2 && items.length <= share * 2, `${items.length}`)
        }
      },
    },
    {
      name: 'treats one group name over two patterns as one group',
      async run(stage) {
        const members = ['a.b', 'a.*', 'a.>'].map((pattern) =>
          stage.record(pattern, { group: 'g' }),
        )
        await stage.ready()
        for (let i = 0; i < 100; i++) stage.publish('a.b', { body: String(i) })
        await stage.settled()
        assert.deepEqual(sortedBodies(members), sortedNumbers(100))
      },
    },
    {
      name: 'delivers to plain subscribers and to one member of each group',
      async run(stage) {
        const plain = [stage.record('a'), stage.record('*')]
        const red = [1, 2].map(() => stage.record('a', { group: 'red' }))
        const blue = [1, 2, 3].map(() => stage.record('a', { group: 'blue' }))
        await stage.ready()
        for (let i = 0; i < 60; i++) stage.publish('a', { body: String(i) })
        await stage.settled()
        const expected = sortedNumbers(60)
        for (const recorder of plain) {
          assert.deepEqual(sortedNumbersOf(recorder.bodies), expected)
        }
        assert.deepEqual(sortedBodies(red), expected)
        assert.deepEqual(sortedBodies(blue), expected)
      },
    },
    {
      name: 'goes on with the members that stay when one leaves',
      async run(stage) {
        const [leaver, stayer] = [
          stage.record('a', { group: 'g' }),
          stage.record('a', { group: 'g' }),
        ]
        await stage.ready()
        leaver.subscription.unsubscribe()
        await stage.ready()
        for (let i = 0; i < 20; i++) stage.publish('a', { body: String(i) })
        await stayer.received(20)
        assert.equal(leaver.items.length, 0)
      },
    },
  ],
}

function sortedBodies(members: readonly Recorder[]): number[] {
  return sortedNumbersOf(members.flatMap((member) => member.bodies.filter((body) => body !== '')))
}

function sortedNumbersOf(bodies: readonly string[]): number[] {
  return bodies
    .filter((body) => body !== '')
    .map(Number)
    .sort((left, right) => left - right)
}

function sortedNumbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}
