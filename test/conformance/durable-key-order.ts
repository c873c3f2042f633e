// Order by key: messages of one key strictly one after another, other keys in parallel, also when some of them fail.
import assert from 'node:assert/strict'
import type { Consumer, ConsumerSettings } from '../../src/engine/index.js'
import { SeededRandom } from '../../src/base/index.js'
import { durableChapter } from './durable-chapter.js'
import { hasMovableTime, SHORT_MS, type DurableStage } from './durable-stage.js'
import { numberBodies } from './kept-message.js'
import { acknowledging, type Delivery, type MemberRecorder } from './member-recorder.js'

const KEYS = 12
const MESSAGES = 300
const SEEDS = [1, 2, 3, 4]

/** Publishes `a1 b1 a2 …`: bodies whose letters are their keys. */
async function publishKeyed(stage: DurableStage, bodies: readonly string[]): Promise<void> {
  await Promise.all(bodies.map((body) => stage.store('orders.a', { body, key: body[0]! })))
}

async function openKeyed(
  stage: DurableStage,
  bodies: readonly string[],
  terms: Partial<ConsumerSettings> = {},
): Promise<Consumer> {
  const stream = await stage.createStream()
  await publishKeyed(stage, bodies)
  return stage.createConsumer(stream, { order: 'key', ...terms })
}

function tokenOf(member: MemberRecorder, body: string): number {
  const delivery = member.items.findLast((item) => item.body === body)
  assert.ok(delivery, `${body} was not handed out`)
  return delivery.token
}

export const durableKeyOrderChapter = durableChapter('durable: order by key', [
  {
    name: 'hands out one message of each key, and the next when it is acknowledged',
    async run(stage) {
      const consumer = await openKeyed(stage, ['a1', 'a2', 'b1', 'a3', 'b2', 'c1'])
      const member = stage.join(consumer)
      await member.received(3)
      await stage.settle()
      assert.deepEqual(member.bodies, ['a1', 'b1', 'c1'])
      consumer.acknowledge(tokenOf(member, 'b1'))
      await member.received(4)
      consumer.acknowledge(tokenOf(member, 'a1'))
      await member.received(5)
      await stage.settle()
      assert.deepEqual(member.bodies.slice(3), ['b2', 'a2'])
    },
  },
  {
    name: 'holds messages without a key back for nobody, and nobody for them',
    async run(stage) {
      const stream = await stage.createStream()
      for (const body of ['-1', 'a1', '-2', 'a2', '-3']) {
        await stage.store('orders.a', { body, ...(body[0] !== '-' && { key: body[0]! }) })
      }
      const member = stage.join(await stage.createConsumer(stream, { order: 'key' }))
      await member.received(4)
      await stage.settle()
      assert.deepEqual(member.bodies, ['-1', 'a1', '-2', '-3'])
    },
  },
  {
    name: 'keeps keys apart from topics: one key orders over all topics of the consumer',
    async run(stage) {
      const stream = await stage.createStream()
      for (const topic of ['orders.a', 'orders.b']) await stage.store(topic, { key: 'k' })
      const consumer = await stage.createConsumer(stream, { order: 'key' })
      const member = stage.join(consumer)
      await member.received(1)
      await stage.settle()
      assert.deepEqual(member.sequences, [1])
      consumer.acknowledge(member.tokens[0]!)
      await member.received(2)
    },
  },
  {
    name: 'holds back the key of a message that is retried, and no other key',
    async run(stage) {
      const consumer = await openKeyed(stage, ['a1', 'a2', 'b1', 'b2'])
      const member = stage.join(consumer, {
        during({ body, token, deliveryCount }) {
          if (body === 'a1' && deliveryCount === 1) consumer.retry(token, 1_500)
          else consumer.acknowledge(token)
        },
      })
      await member.received(3)
      await stage.settle()
      assert.deepEqual(member.bodies, ['a1', 'b1', 'b2'])
      await stage.advance(2_000)
      await member.received(5)
      assert.deepEqual(member.bodies.slice(3), ['a1', 'a2'])
    },
  },
  {
    name: 'holds back the key of a message that nobody answers, until it was answered',
    async run(stage) {
      const consumer = await openKeyed(stage, ['a1', 'a2'], { ackWaitMs: SHORT_MS })
      const member = stage.join(consumer, {
        during({ token, deliveryCount }) {
          if (deliveryCount === 2) consumer.acknowledge(token)
        },
      })
      await member.received(1)
      await stage.advance(2 * SHORT_MS)
      await member.received(3)
      assert.deepEqual(member.bodies.slice(0, 3), ['a1', 'a1', 'a2'])
    },
  },
  {
    name: 'holds back the key of a message that is released, and hands it out again first',
    async run(stage) {
      const consumer = await openKeyed(stage, ['a1', 'a2', 'a3'])
      const member = stage.join(consumer, { credit: 1 })
      await member.received(1)
      consumer.release(member.tokens[0]!)
      member.grant(1)
      await member.received(2)
      consumer.acknowledge(member.tokens[1]!)
      member.grant(1)
      await member.received(3)
      assert.deepEqual(member.bodies, ['a1', 'a1', 'a2'])
    },
  },
  {
    name: 'shares keys among members, each key with one of them at a time',
    async run(stage) {
      const consumer = await openKeyed(stage, ['a1', 'b1', 'a2', 'b2', 'a3', 'b3'])
      const members = [stage.join(consumer, { credit: 1 }), stage.join(consumer, { credit: 1 })]
      await stage.settle()
      assert.deepEqual(members.flatMap((member) => member.bodies).sort(), ['a1', 'b1'])
      members[0]!.grant(5)
      members[1]!.grant(5)
      await stage.settle()
      assert.deepEqual(members.flatMap((member) => member.bodies).sort(), ['a1', 'b1'])
    },
  },
  {
    name: 'gives the keys of a leaving member to another, from the message that was not settled',
    async run(stage) {
      const consumer = await openKeyed(stage, ['a1', 'a2', 'b1', 'b2'])
      const first = stage.join(consumer)
      await first.received(2)
      consumer.acknowledge(tokenOf(first, 'a1'))
      await first.received(3)
      first.leave()
      const second = stage.join(consumer, { during: acknowledging })
      await second.received(3)
      assert.deepEqual(
        second.bodies.filter((body) => body.startsWith('a')),
        ['a2'],
      )
      assert.deepEqual(
        second.bodies.filter((body) => body.startsWith('b')),
        ['b1', 'b2'],
      )
    },
  },
  {
    name: 'keeps 16 in flight, all of different keys',
    async run(stage) {
      const stream = await stage.createStream()
      for (let i = 0; i < 200; i++) {
        stage.publish('orders.a', { body: String(i), key: `key-${i % 20}` })
      }
      const consumer = await stage.createConsumer(stream, { order: 'key', maxInFlight: 16 })
      const open = new Map<string, Delivery>()
      const seen: number[] = []
      stage.join(consumer, {
        during(delivery) {
          const key = String(Number(delivery.body) % 20)
          assert.equal(open.has(key), false, `key ${key} is in flight twice`)
          open.set(key, delivery)
          seen.push(Number(delivery.body))
        },
      })
      while (seen.length < 200 || open.size > 0) {
        await stage.settle()
        assert.ok(open.size > 0 && open.size <= 16, `${open.size} in flight`)
        for (const [key, { token }] of [...open]) {
          open.delete(key)
          consumer.acknowledge(token)
        }
      }
      for (let key = 0; key < 20; key++) {
        const ofKey = seen.filter((body) => body % 20 === key)
        assert.deepEqual(
          ofKey,
          [...ofKey].sort((a, b) => a - b),
        )
      }
    },
  },
  {
    name: 'looks past so many held messages, and says which key it is stalled by',
    async run(stage) {
      const bodies = ['a1', ...Array.from({ length: 20 }, (_, i) => `a${i + 2}`), 'b1']
      const consumer = await openKeyed(stage, bodies, { lookAhead: 10 })
      const member = stage.join(consumer)
      await member.received(1)
      await stage.settle()
      assert.deepEqual(member.bodies, ['a1'])
      assert.equal((await consumer.info()).stalledBy, 'a')
      assert.ok(
        stage.events.items.some(({ type }) => (type as string) === 'consumer-stalled'),
        'no event says so',
      )
      for (let i = 0; i < 15; i++) {
        consumer.acknowledge(member.tokens.at(-1)!)
        await member.received(i + 2)
        if (member.bodies.includes('b1')) break
      }
      assert.ok(member.bodies.includes('b1'), 'b1 is still behind the stall')
      await stage.settle()
      assert.equal((await consumer.info()).stalledBy, undefined)
    },
  },
  {
    name: 'is not stalled while it may look further',
    async run(stage) {
      const consumer = await openKeyed(stage, ['a1', 'a2', 'a3', 'a4', 'b1'], { lookAhead: 4 })
      const member = stage.join(consumer)
      await member.received(2)
      assert.deepEqual(member.bodies, ['a1', 'b1'])
    },
  },
  ...SEEDS.map((seed) => ({
    name: `keeps each key in order over failures, silence, releases and changing members: seed ${seed}`,
    needs: hasMovableTime,
    async run(stage: DurableStage) {
      await keepsOrderUnderFailures(stage, new SeededRandom(seed))
    },
  })),
  {
    name: 'goes through one key in order though other keys never end',
    async run(stage) {
      const stream = await stage.createStream()
      const consumer = await stage.createConsumer(stream, { order: 'key', maxInFlight: 4 })
      const member = stage.join(consumer, { during: acknowledging })
      for (let i = 1; i <= 100; i++) {
        stage.publish('orders.a', { body: 'other', key: `key-${i}` })
        stage.publish('orders.a', { body: String(i), key: 'one' })
      }
      await member.received(200)
      assert.deepEqual(
        member.bodies.filter((body) => body !== 'other'),
        numberBodies(1, 100),
      )
    },
  },
])

/** Members do at random what members do; in the end each message was settled once, and each key in order. */
async function keepsOrderUnderFailures(stage: DurableStage, random: SeededRandom): Promise<void> {
  const upTo = (limit: number): number => random.nextUint32() % limit
  const stream = await stage.createStream()
  for (let i = 0; i < MESSAGES; i++) {
    const key = `key-${upTo(KEYS)}`
    stage.publish('orders.a', { body: `${key} ${i}`, key })
  }
  const terms = { order: 'key', maxInFlight: 16, ackWaitMs: 10_000 } as const
  const consumer = await stage.createConsumer(stream, terms)
  const settled: string[] = []
  const answer = ({ token, body }: Delivery): void => {
    const choice = upTo(10)
    if (choice === 0) return
    if (choice === 1) consumer.retry(token, upTo(20_000))
    else if (choice === 2) consumer.release(token)
    else if (consumer.acknowledge(token)) settled.push(body)
  }
  let members: MemberRecorder[] = []
  const join = (): void => {
    const waiting: Delivery[] = []
    const member = stage.join(consumer, {
      credit: 8,
      during(delivery, recorder) {
        waiting.push(delivery)
        if (upTo(2) === 0) for (const one of waiting.splice(0)) answer(one)
        recorder.grant(1)
      },
    })
    members.push(member)
  }
  for (let i = 0; i < 3; i++) join()
  for (let step = 0; step < 400 && settled.length < MESSAGES; step++) {
    await stage.advance(upTo(8_000))
    if (upTo(5) === 0) {
      const gone = members.splice(upTo(members.length), 1)
      for (const member of gone) member.leave()
      join()
    }
  }
  members.forEach((member) => member.leave())
  members = []
  assert.equal(settled.length, MESSAGES)
  assert.equal(new Set(settled).size, MESSAGES)
  for (let key = 0; key < KEYS; key++) {
    const order = settled
      .filter((body) => body.startsWith(`key-${key} `))
      .map((body) => Number(body.split(' ')[1]))
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
      `key ${key}`,
    )
  }
}
