// Live fan-out: who gets what, in which order, and unchanged.
import assert from 'node:assert/strict'
import { receiverCount, type EngineMessage, type Subscription } from '../../src/engine/index.js'
import { decodeHeaderBlock } from '../../src/wire/index.js'
import type { Chapter } from './case.js'
import type { Recorder, Stage } from './stage.js'

const LARGE_BODY_BYTES = 256 * 1_024

const wildcardTable: readonly (readonly [pattern: string, topic: string, isMatched: boolean])[] = [
  ['orders.*', 'orders.placed', true],
  ['orders.*', 'orders', false],
  ['orders.*', 'orders.placed.eu', false],
  ['*.placed', 'orders.placed', true],
  ['*.placed', 'placed', false],
  ['*', 'orders', true],
  ['*', 'orders.placed', false],
  ['orders.*.eu', 'orders.placed.eu', true],
  ['orders.*.eu', 'orders.placed.us', false],
  ['orders.>', 'orders.placed', true],
  ['orders.>', 'orders.placed.eu.north', true],
  ['orders.>', 'orders', false],
  ['*.*.>', 'orders.placed.eu', true],
  ['*.*.>', 'orders.placed', false],
  ['orders*', 'orders1', false],
  ['orders*', 'orders*', true],
]

export const publishChapter: Chapter = {
  title: 'publish',
  cases: [
    {
      name: 'delivers a message to a subscriber of exactly its topic and of no other',
      async run(stage) {
        const exact = stage.record('orders.placed')
        const other = stage.record('orders.paid')
        await stage.ready()
        stage.publish('orders.placed', { body: 'one' })
        await exact.received(1)
        await stage.settled()
        assert.deepEqual(exact.bodies, ['one'])
        assert.deepEqual(exact.topics, ['orders.placed'])
        assert.deepEqual(other.bodies, [])
      },
    },
    {
      name: 'matches patterns as the grammar says',
      async run(stage) {
        const recorders = wildcardTable.map(([pattern]) => stage.record(pattern))
        await stage.ready()
        for (const topic of new Set(wildcardTable.map((row) => row[1]))) stage.publish(topic)
        await stage.settled()
        wildcardTable.forEach(([pattern, topic, isMatched], row) => {
          const topics = recorders[row]!.topics
          assert.equal(topics.includes(topic), isMatched, `${pattern} over ${topic}`)
          assert.equal(new Set(topics).size, topics.length, `${pattern} got a message twice`)
        })
      },
    },
    {
      name: 'delivers to each of several subscriptions that match, once each',
      async run(stage) {
        const recorders = ['a.b', 'a.*', 'a.>', '>', '*.b', 'a.b'].map((pattern) =>
          stage.record(pattern),
        )
        await stage.ready()
        stage.publish('a.b', { body: 'x' })
        await stage.settled()
        for (const recorder of recorders) {
          assert.equal(recorder.topics.filter((topic) => topic === 'a.b').length, 1)
        }
      },
    },
    {
      name: 'takes topics in any script',
      async run(stage) {
        const recorder = stage.record('grüße.*')
        await stage.ready()
        stage.publish('grüße.世界', { body: 'hej' })
        await recorder.received(1)
        assert.deepEqual(recorder.topics, ['grüße.世界'])
      },
    },
    {
      name: 'keeps the order of one publisher on one topic',
      async run(stage) {
        const recorder = stage.record('ticks')
        const wild = stage.record('*')
        await stage.ready()
        const sent = Array.from({ length: 500 }, (_, i) => String(i))
        for (const body of sent) stage.publish('ticks', { body })
        await recorder.received(sent.length)
        await wild.received(sent.length)
        assert.deepEqual(recorder.bodies, sent)
        assert.deepEqual(wild.bodies, sent)
      },
    },
    {
      name: 'keeps the order of each of two publishers on one topic',
      async run(stage) {
        const second = await stage.place.another()
        const recorder = stage.record('ticks')
        await stage.ready(second)
        for (let i = 0; i < 200; i++) {
          stage.publish('ticks', { body: `first ${i}` })
          stage.publish('ticks', { body: `second ${i}`, engine: second })
        }
        await recorder.received(400)
        for (const name of ['first', 'second']) {
          assert.deepEqual(
            recorder.bodies.filter((body) => body.startsWith(name)),
            Array.from({ length: 200 }, (_, i) => `${name} ${i}`),
          )
        }
      },
    },
    {
      name: 'delivers what a receiver publishes during delivery after the fan-out at hand',
      async run(stage) {
        const answer = (message: EngineMessage): void => {
          if (message.handle.name === 'first') {
            stage.publish('second', { engine: stage.subscriber })
          }
        }
        const talker = stage.record('*', { during: answer })
        const listener = stage.record('*')
        await stage.ready()
        stage.publish('first')
        await talker.received(2)
        await listener.received(2)
        assert.deepEqual(talker.topics, ['first', 'second'])
        assert.deepEqual(listener.topics, ['first', 'second'])
      },
    },
    {
      name: 'has called every receiver when publish returns',
      needs: (capabilities) => capabilities.inProcess,
      async run(stage) {
        const recorders = [stage.record('a'), stage.record('*'), stage.record('a', { group: 'g' })]
        stage.publish('a')
        assert.deepEqual(
          recorders.map((recorder) => recorder.items.length),
          [1, 1, 1],
        )
      },
    },
    {
      name: 'lets a throwing receiver harm nobody, and reports it',
      async run(stage) {
        const failures: string[] = []
        stage.subscriber.onEvent((event) => {
          if (event.type === 'receiver-failed') failures.push(event.pattern)
        })
        const before = stage.record('a')
        const thrower = stage.record('*', {
          during() {
            throw new Error('a receiver fails on purpose')
          },
        })
        const after = stage.record('a')
        await stage.ready()
        stage.publish('a', { body: '1' })
        stage.publish('a', { body: '2' })
        for (const recorder of [before, thrower, after]) {
          await recorder.received(2)
          assert.deepEqual(recorder.bodies, ['1', '2'])
        }
        assert.deepEqual(failures, ['*', '*'])
      },
    },
    {
      name: 'survives a listener of events that throws',
      async run(stage) {
        const heard: string[] = []
        stage.subscriber.onEvent(() => {
          throw new Error('a listener fails on purpose')
        })
        stage.subscriber.onEvent((event) => void heard.push(event.type))
        stage.record('a', {
          during() {
            throw new Error('a receiver fails on purpose')
          },
        })
        const witness = stage.record('a')
        await stage.ready()
        stage.publish('a', { body: '1' })
        stage.publish('a', { body: '2' })
        await witness.received(2)
        assert.deepEqual(witness.bodies, ['1', '2'])
        assert.deepEqual(heard, ['receiver-failed', 'receiver-failed'])
      },
    },
    {
      name: 'shows the topic of the message where the address is another',
      needs: (capabilities) => capabilities.inProcess,
      async run(stage) {
        const addressed = stage.record('deliver.here')
        const shown = stage.record('orders.placed')
        const message = stage.makeMessage('orders.placed', { body: 'x' })
        stage.publisher.publish(stage.publisher.topic('deliver.here'), message)
        assert.deepEqual(addressed.topics, ['orders.placed'])
        assert.deepEqual(shown.topics, [])
      },
    },
    {
      name: 'delivers headers, reply and body bytes unchanged',
      async run(stage) {
        const headers = [
          ['Trace-Id', 'abc'],
          ['trace-id', 'lower case is another name'],
          ['Many', 'one'],
          ['Many', 'two'],
          ['Unicode', 'grüße'],
          ['Empty', ''],
        ] as const
        const body = Uint8Array.from({ length: 256 }, (_, i) => i)
        const recorder = stage.record('a')
        await stage.ready()
        stage.publish('a', { headers, reply: 'answers.here', body })
        await recorder.received(1)
        const message = recorder.items[0]!
        assert.equal(message.replyTopic, 'answers.here')
        assert.deepEqual(new Uint8Array(message.body), body)
        const { status, fields } = decodeHeaderBlock(message.headerBlock)
        assert.equal(status, 0)
        assert.deepEqual(byName(fields), byName(headers))
      },
    },
    {
      name: 'delivers a message without headers, reply and body as such',
      async run(stage) {
        const recorder = stage.record('a')
        await stage.ready()
        stage.publish('a')
        await recorder.received(1)
        const message = recorder.items[0]!
        assert.equal(message.replyTopic, undefined)
        assert.equal(message.hasReply, false)
        assert.equal(message.headerBytes, 0)
        assert.equal(message.bodyBytes, 0)
      },
    },
    {
      name: 'delivers a body of 256 KiB, with and without headers',
      async run(stage) {
        const body = Uint8Array.from(
          { length: LARGE_BODY_BYTES },
          (_, i) => (i * 31 + (i >> 8)) & 255,
        )
        const recorder = stage.record('a')
        await stage.ready()
        stage.publish('a', { body })
        stage.publish('a', { body, headers: [['Name', 'value']] })
        await recorder.received(2)
        for (const message of recorder.items) {
          assert.equal(Buffer.compare(message.body, body), 0)
        }
      },
    },
    {
      name: 'gives receivers a message that stays intact once retained',
      async run(stage) {
        const recorder = stage.record('a.*')
        await stage.ready()
        for (let i = 0; i < 50; i++) {
          stage.publish(`a.${i}`, { body: `body ${i}`, reply: `reply.${i}` })
        }
        await recorder.received(50)
        recorder.items.forEach((message, i) => {
          assert.equal(message.handle.name, `a.${i}`)
          assert.equal(message.replyTopic, `reply.${i}`)
          assert.equal(Buffer.from(message.body).toString(), `body ${i}`)
        })
      },
    },
    {
      name: 'ends a subscription by itself after maxMessages',
      async run(stage) {
        const limited = stage.record('a', { maxMessages: 3 })
        const unlimited = stage.record('a')
        await stage.ready()
        for (let i = 0; i < 10; i++) stage.publish('a', { body: String(i) })
        await unlimited.received(10)
        await stage.settled()
        assert.deepEqual(limited.bodies, ['0', '1', '2'])
        assert.equal(limited.subscription.isClosed, true)
      },
    },
    {
      name: 'delivers nothing after unsubscribe, which may be called twice',
      async run(stage) {
        const recorder = stage.record('a')
        const witness = stage.record('a')
        await stage.ready()
        stage.publish('a', { body: '1' })
        await recorder.received(1)
        assert.equal(recorder.subscription.isClosed, false)
        recorder.subscription.unsubscribe()
        recorder.subscription.unsubscribe()
        assert.equal(recorder.subscription.isClosed, true)
        stage.publish('a', { body: '2' })
        await witness.received(2)
        await stage.settled()
        assert.deepEqual(recorder.bodies, ['1'])
      },
    },
    {
      name: 'lets a receiver end its own subscription during delivery',
      async run(stage) {
        const once = stage.record('a', { during: (_, subscription) => subscription.unsubscribe() })
        const witness = stage.record('a')
        await stage.ready()
        for (let i = 0; i < 3; i++) stage.publish('a')
        await witness.received(3)
        await stage.settled()
        assert.equal(once.items.length, 1)
      },
    },
    {
      name: 'delivers nothing to a subscription that another receiver ended during the fan-out',
      async run(stage) {
        const rivals: Recorder[] = []
        const endOthers = (_: EngineMessage, winner: Subscription): void => {
          for (const { subscription } of rivals) {
            if (subscription !== winner) subscription.unsubscribe()
          }
        }
        for (let i = 0; i < 4; i++) rivals.push(stage.record('a', { during: endOthers }))
        await stage.ready()
        stage.publish('a')
        await stage.settled()
        const counts = rivals.map((rival) => rival.items.length)
        assert.equal(
          counts.reduce((sum, count) => sum + count, 0),
          1,
        )
      },
    },
    {
      name: 'delivers to a subscription made during delivery from the next message on',
      async run(stage) {
        const late: Recorder[] = []
        const first = stage.record('a', {
          during() {
            if (late.length === 0) late.push(stage.record('a'))
          },
        })
        await stage.ready()
        stage.publish('a', { body: '1' })
        await first.received(1)
        await stage.ready()
        stage.publish('a', { body: '2' })
        await late[0]!.received(1)
        await stage.settled()
        assert.deepEqual(late[0]!.bodies, ['2'])
      },
    },
    {
      name: 'delivers to the publishing engine itself when it is subscribed',
      async run(stage) {
        const own = stage.record('a', { engine: stage.publisher })
        await stage.ready()
        stage.publish('a', { body: 'mine' })
        await own.received(1)
        assert.deepEqual(own.bodies, ['mine'])
      },
    },
    {
      name: 'keeps nothing for those who subscribe later',
      async run(stage) {
        stage.publish('a', { body: 'early' })
        await stage.ready()
        const late = stage.record('a')
        await stage.ready()
        stage.publish('a', { body: 'now' })
        await late.received(1)
        assert.deepEqual(late.bodies, ['now'])
      },
    },
    {
      name: 'counts the receivers that a publish reached',
      needs: (capabilities) => capabilities.countsReceivers,
      async run(stage) {
        assert.equal(receiverCount(stage.publish('a')), 0)
        const recorders = [
          stage.record('a'),
          stage.record('*'),
          stage.record('a', { group: 'g' }),
          stage.record('*', { group: 'g' }),
          stage.record('b'),
        ]
        await stage.ready()
        assert.equal(receiverCount(stage.publish('a')), 3)
        recorders[0]!.subscription.unsubscribe()
        assert.equal(receiverCount(stage.publish('a')), 2)
      },
    },
    {
      name: 'knows whether a topic has interest',
      needs: (capabilities) => capabilities.knowsInterest,
      async run(stage) {
        const hasInterest = (topic: string) =>
          stage.subscriber.hasInterest(stage.subscriber.topic(topic))
        assert.equal(hasInterest('a.b'), false)
        const recorders = [stage.record('a.*'), stage.record('a.*', { group: 'g' })]
        await stage.ready()
        assert.equal(hasInterest('a.b'), true)
        assert.equal(hasInterest('a'), false)
        for (const { subscription } of recorders) subscription.unsubscribe()
        assert.equal(hasInterest('a.b'), false)
      },
    },
    {
      name: 'answers the same handle for a topic by name and by bytes',
      async run(stage) {
        await expectOneHandle(stage, 'orders.placed')
        await expectOneHandle(stage, 'grüße.世界')
      },
    },
  ],
}

async function expectOneHandle(stage: Stage, name: string): Promise<void> {
  const padded = new TextEncoder().encode(`..${name}..`)
  const byBytes = stage.publisher.topicAt(padded, 2, padded.length - 2)
  assert.equal(byBytes, stage.publisher.topic(name))
  assert.equal(byBytes.name, name)
}

/** Values in order under each name; the order of different names is nobody's promise. */
function byName(fields: Iterable<readonly [string, string]>): Record<string, string[]> {
  const names: Record<string, string[]> = {}
  for (const [name, value] of fields) (names[name] ??= []).push(value)
  return names
}
