// Members that share a consumer: who is handed what, how much, and what happens when one leaves or fails.
import assert from 'node:assert/strict'
import { durableChapter } from './durable-chapter.js'
import { SHORT_MS } from './durable-stage.js'
import { numberBodies, numbers } from './kept-message.js'
import { acknowledging, type Delivery } from './member-recorder.js'

export const durableMembersChapter = durableChapter('durable: members', [
  {
    name: 'shares the messages, each to one member',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream)
      const members = [1, 2, 3].map(() => stage.join(consumer, { during: acknowledging }))
      await stage.storeAll('orders.a', numberBodies(1, 90))
      await stage.settle()
      const sequences = members.flatMap((member) => member.sequences)
      assert.deepEqual(
        sequences.sort((a, b) => a - b),
        numbers(1, 90),
      )
    },
  },
  {
    name: 'gives every member its share while all have credit',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream)
      const members = [1, 2, 3].map(() => stage.join(consumer))
      await stage.storeAll('orders.a', numberBodies(1, 90))
      await stage.settle()
      for (const member of members) {
        assert.ok(member.items.length >= 10, `a member got ${member.items.length} of 90`)
      }
    },
  },
  {
    name: 'hands a member as many messages as it granted, and no more',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 20))
      const member = stage.join(await stage.createConsumer(stream), { credit: 0 })
      await stage.settle()
      assert.equal(member.items.length, 0)
      for (const [grant, total] of [
        [1, 1],
        [3, 4],
        [5, 9],
      ] as const) {
        member.grant(grant)
        await member.received(total)
        await stage.settle()
        assert.equal(member.items.length, total)
      }
    },
  },
  {
    name: 'adds up what is granted before there are messages',
    async run(stage) {
      const stream = await stage.createStream()
      const member = stage.join(await stage.createConsumer(stream), { credit: 2 })
      member.grant(3)
      await stage.storeAll('orders.a', numberBodies(1, 9))
      await member.received(5)
      await stage.settle()
      assert.equal(member.items.length, 5)
    },
  },
  {
    name: 'does not count a verdict as credit',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 9))
      const member = stage.join(await stage.createConsumer(stream), {
        credit: 2,
        during: acknowledging,
      })
      await member.received(2)
      await stage.settle()
      assert.equal(member.items.length, 2)
    },
  },
  {
    name: 'takes a grant within the hand-out',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 500))
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer, {
        credit: 1,
        during(delivery, recorder) {
          consumer.acknowledge(delivery.token)
          recorder.grant(1)
        },
      })
      await member.received(500)
      assert.deepEqual(member.bodies, numberBodies(1, 500))
    },
  },
  {
    name: 'hands out nothing more after a revoke, until more is granted',
    async run(stage) {
      const stream = await stage.createStream()
      const member = stage.join(await stage.createConsumer(stream), { credit: 10 })
      await stage.store('orders.a')
      await member.received(1)
      member.revoke()
      await stage.storeAll('orders.a', ['', ''])
      await stage.settle()
      assert.equal(member.items.length, 1)
      member.grant(1)
      await member.received(2)
      await stage.settle()
      assert.equal(member.items.length, 2)
    },
  },
  {
    name: 'passes over a member without credit',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream)
      const idle = stage.join(consumer, { credit: 0 })
      const busy = stage.join(consumer)
      await stage.storeAll('orders.a', numberBodies(1, 10))
      await busy.received(10)
      assert.deepEqual(busy.bodies, numberBodies(1, 10))
      assert.equal(idle.items.length, 0)
    },
  },
  {
    name: 'has no more in flight than it may, over all members, and goes on with each verdict',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', numberBodies(1, 20))
      const consumer = await stage.createConsumer(stream, { maxInFlight: 3 })
      const open: Delivery[] = []
      for (let i = 0; i < 2; i++)
        stage.join(consumer, { during: (delivery) => open.push(delivery) })
      const settled: number[] = []
      while (settled.length < 20) {
        await stage.settle()
        assert.equal(open.length, Math.min(3, 20 - settled.length))
        assert.equal((await consumer.info()).inFlight, open.length)
        const { token, sequence } = open.shift()!
        consumer.acknowledge(token)
        settled.push(sequence)
      }
      assert.deepEqual(
        settled.sort((a, b) => a - b),
        numbers(1, 20),
      )
    },
  },
  {
    name: 'gives back at once what a leaving member holds, to another member',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2', '3'])
      const consumer = await stage.createConsumer(stream)
      const first = stage.join(consumer)
      await first.received(3)
      consumer.acknowledge(first.tokens[1]!)
      const second = stage.join(consumer)
      first.leave()
      await second.received(2)
      await stage.settle()
      assert.deepEqual(second.bodies, ['1', '3'])
      assert.deepEqual(second.deliveryCounts, [2, 2])
      assert.equal((await consumer.info()).members, 1)
    },
  },
  {
    name: 'keeps what a leaving member held for the next one to come',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2'])
      const consumer = await stage.createConsumer(stream)
      const first = stage.join(consumer)
      await first.received(2)
      first.leave()
      assert.equal((await consumer.info()).inFlight, 0)
      const second = stage.join(consumer)
      await second.received(2)
      assert.deepEqual(second.bodies, ['1', '2'])
    },
  },
  {
    name: 'hands nothing to a member that has left, and lets it leave twice',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream)
      const member = stage.join(consumer)
      member.leave()
      member.leave()
      await stage.store('orders.a')
      await stage.settle()
      assert.equal(member.items.length, 0)
      assert.equal((await consumer.info()).members, 0)
    },
  },
  {
    name: 'lets a member leave within the hand-out',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.storeAll('orders.a', ['1', '2', '3'])
      const consumer = await stage.createConsumer(stream)
      const first = stage.join(consumer, { during: (_delivery, recorder) => recorder.leave() })
      await first.received(1)
      const second = stage.join(consumer, { during: acknowledging })
      await second.received(3)
      await stage.settle()
      assert.deepEqual(first.bodies, ['1'])
      assert.deepEqual(second.bodies, ['1', '2', '3'])
    },
  },
  {
    name: 'lets a throwing member harm no other, and hands its message out again after the wait',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream, { ackWaitMs: SHORT_MS })
      const thrower = stage.join(consumer, {
        credit: 1,
        during() {
          throw new Error('a member fails on purpose')
        },
      })
      await stage.store('orders.a', { body: '1' })
      await thrower.received(1)
      const other = stage.join(consumer, { during: acknowledging })
      await stage.storeAll('orders.a', ['2', '3'])
      await stage.advance(2 * SHORT_MS)
      await other.received(3)
      assert.deepEqual([...other.bodies].sort(), ['1', '2', '3'])
    },
  },
  {
    name: 'counts the credit of each member apart',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream)
      const members = [stage.join(consumer, { credit: 2 }), stage.join(consumer, { credit: 3 })]
      assert.equal((await consumer.info()).members, 2)
      await stage.storeAll('orders.a', numberBodies(1, 9))
      await stage.settle()
      assert.deepEqual(
        members.map((member) => member.items.length),
        [2, 3],
      )
    },
  },
])
