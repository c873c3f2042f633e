// Publishing to streams: what is captured, what the receipts say, and that bytes stay as they were.
import assert from 'node:assert/strict'
import { isOverMark } from '../../src/engine/index.js'
import { encodeHeaderBlock } from '../../src/wire/index.js'
import { durableChapter } from './durable-chapter.js'
import { bodiesOf, numberBodies, numbers, sequencesOf } from './kept-message.js'
import { describeOutcome, Receipts } from './receipts.js'
import { codeOf } from './stage.js'

const BACKLOG_BODY_BYTES = 64 * 1_024
/** An engine that holds more than 128 MiB without a word has no mark. */
const BACKLOG_MESSAGES = 2_048

/** Around where buffers, blocks and lengths have their borders. */
const bodySizes = [1, 127, 128, 4_095, 4_096, 65_534, 65_535, 65_536, 65_537, 300_000, 900_000]

export const durablePublishingChapter = durableChapter('durable: publishing', [
  {
    name: 'captures what is published to its topics, by either call, and nothing else',
    async run(stage) {
      const stream = await stage.createStream({ topics: ['orders.*', 'refunds'] })
      stage.stage.publish('orders.placed', { body: 'plain' })
      stage.stage.publish('orders.placed.eu', { body: 'too deep' })
      stage.stage.publish('order.placed', { body: 'elsewhere' })
      await stage.store('refunds', { body: 'with a receipt' })
      await stage.settle()
      const messages = await stage.read(stream)
      assert.deepEqual(bodiesOf(messages), ['plain', 'with a receipt'])
      assert.deepEqual(
        messages.map(({ topic }) => topic),
        ['orders.placed', 'refunds'],
      )
    },
  },
  {
    name: 'captures by the address, not by the topic that receivers are shown',
    async run(stage) {
      const stream = await stage.createStream()
      const { engine } = stage
      const sink = new Receipts()
      const shown = stage.stage.makeMessage('shown', { body: 'x' })
      stage.durable.publish(engine.topic('orders.placed'), shown, sink, 1)
      await sink.of(1)
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['x'])
    },
  },
  {
    name: 'shows a repetition of an id to live receivers no more than to the stream',
    async run(stage) {
      const stream = await stage.createStream()
      const live = stage.stage.record('orders.*')
      await stage.stage.ready()
      await stage.store('orders.placed', { body: 'first', id: 'same' })
      await stage.store('orders.placed', { body: 'again', id: 'same' })
      await stage.store('orders.placed', { body: 'last' })
      await live.received(2)
      await stage.settle()
      assert.equal(live.items.length, 2)
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['first', 'last'])
    },
  },
  {
    name: 'captures from the moment that the stream is made, also on a topic that was in use before',
    async run(stage) {
      stage.stage.publish('orders.placed', { body: 'before' })
      assert.equal(await codeOf(() => stage.store('orders.placed')), 'NO_STREAM')
      const stream = await stage.createStream()
      await stage.store('orders.placed', { body: 'after' })
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['after'])
    },
  },
  {
    name: 'delivers to live receivers what a stream captures, once, by either call',
    async run(stage) {
      await stage.createStream()
      const live = stage.stage.record('orders.*')
      await stage.stage.ready()
      await stage.store('orders.placed', { body: 'with a receipt' })
      stage.stage.publish('orders.paid', { body: 'plain' })
      await live.received(2)
      await stage.settle()
      assert.deepEqual(live.bodies, ['with a receipt', 'plain'])
    },
  },
  {
    name: 'refuses a topic that no stream captures with NO_STREAM, and shows it to nobody',
    async run(stage) {
      await stage.createStream()
      const live = stage.stage.record('>')
      await stage.stage.ready()
      const outcome = await stage.outcomeOf('refunds.asked', { body: 'x' })
      assert.equal(describeOutcome(outcome), 'NO_STREAM')
      await stage.stage.settled()
      assert.deepEqual(
        live.topics.filter((topic) => topic.startsWith('refunds')),
        [],
      )
    },
  },
  {
    name: 'names the topic in a NO_STREAM',
    async run(stage) {
      const outcome = await stage.outcomeOf('refunds.asked')
      assert.ok(outcome.kind === 'refused')
      assert.equal(outcome.error.details.topic, 'refunds.asked')
      assert.match(outcome.error.message, /refunds\.asked/)
    },
  },
  {
    name: 'numbers messages 1, 2, 3 … in each stream',
    async run(stage) {
      await stage.createStream({ name: 'a' })
      await stage.createStream({ name: 'b' })
      assert.deepEqual(await stage.storeAll('a.x', ['', '', '']), [1, 2, 3])
      assert.deepEqual(await stage.storeAll('b.x', ['', '']), [1, 2])
      assert.equal(await stage.store('a.y'), 4)
    },
  },
  {
    name: 'gives each message one receipt, in the order of the calls',
    async run(stage) {
      await stage.createStream()
      for (let i = 0; i < 2_000; i++) stage.publish(`orders.${i % 7}`)
      await stage.receipts.received(2_000)
      await stage.settle()
      assert.deepEqual(stage.receipts.tokens, numbers(1, 2_000))
      assert.deepEqual(stage.receipts.sequences, numbers(1, 2_000))
    },
  },
  {
    name: 'gives receipts in order also when turns pass between the calls',
    async run(stage) {
      await stage.createStream()
      for (let i = 0; i < 50; i++) {
        stage.publish('orders.placed')
        if (i % 3 === 0) await Promise.resolve()
        if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      await stage.receipts.received(50)
      assert.deepEqual(stage.receipts.tokens, numbers(1, 50))
      assert.deepEqual(stage.receipts.sequences, numbers(1, 50))
    },
  },
  {
    name: 'tells each of several sinks of its own messages only',
    async run(stage) {
      await stage.createStream()
      const sinks = [new Receipts(), new Receipts(), new Receipts()]
      for (let i = 0; i < 90; i++) {
        stage.publish('orders.placed', { sink: sinks[i % 3]!, token: 100 + i })
      }
      await Promise.all(sinks.map((sink) => sink.received(30)))
      sinks.forEach((sink, s) => {
        assert.deepEqual(
          sink.tokens,
          numbers(0, 29).map((n) => 100 + 3 * n + s),
        )
        assert.deepEqual(
          sink.sequences,
          numbers(0, 29).map((n) => 1 + 3 * n + s),
        )
      })
    },
  },
  {
    name: 'gives back the very numbers of the caller, in whatever order they are',
    async run(stage) {
      await stage.createStream()
      const sink = new Receipts()
      const tokens = [7, 8, 3, 4, 4, 1_000_000, 0, 1]
      for (const token of tokens) stage.publish('orders.placed', { sink, token })
      await sink.received(tokens.length)
      assert.deepEqual(sink.tokens, tokens)
      assert.deepEqual(sink.sequences, numbers(1, tokens.length))
    },
  },
  {
    name: 'gives one sink the receipts of several streams, each with its stream',
    async run(stage) {
      await stage.createStream({ name: 'a' })
      await stage.createStream({ name: 'b' })
      for (let i = 0; i < 20; i++) stage.publish(i % 2 === 0 ? 'a.x' : 'b.x')
      const receipts = await stage.receipts.received(20)
      for (const { token, outcome } of receipts) {
        const stream = token % 2 === 1 ? 'a' : 'b'
        assert.deepEqual(outcome, { kind: 'committed', stream, sequence: Math.ceil(token / 2) })
      }
    },
  },
  {
    name: 'gives no receipt within the call',
    async run(stage) {
      await stage.createStream()
      stage.publish('orders.placed')
      assert.deepEqual(stage.receipts.verdicts, [])
      await stage.receipts.received(1)
    },
  },
  {
    name: 'shows a message to readers when its receipt is given',
    async run(stage) {
      const stream = await stage.createStream()
      const found: Promise<boolean>[] = []
      const sink = new Receipts(({ outcome }) => {
        assert.ok(outcome.kind === 'committed')
        found.push(stream.get(outcome.sequence).then((message) => message !== undefined))
      })
      for (let i = 0; i < 20; i++) stage.publish('orders.placed', { sink, token: i })
      await sink.received(20)
      assert.deepEqual(await Promise.all(found), Array(20).fill(true))
    },
  },
  {
    name: 'takes what a sink publishes while it is told',
    async run(stage) {
      const stream = await stage.createStream()
      const chain = new Receipts(({ token }) => {
        if (token < 10)
          stage.publish('orders.placed', { body: String(token + 1), sink: chain, token: token + 1 })
      })
      stage.publish('orders.placed', { body: '1', sink: chain, token: 1 })
      await chain.received(10)
      assert.deepEqual(bodiesOf(await stage.read(stream)), numberBodies(1, 10))
    },
  },
  {
    name: 'lets a throwing sink harm no other',
    async run(stage) {
      await stage.createStream()
      const thrower = new Receipts(() => {
        throw new Error('a sink fails on purpose')
      })
      for (let i = 1; i <= 3; i++) {
        stage.publish('orders.placed', { sink: thrower, token: i })
        stage.publish('orders.placed')
      }
      await stage.receipts.received(3)
      assert.deepEqual(stage.receipts.sequences, [2, 4, 6])
      assert.equal(await stage.store('orders.placed'), 7)
    },
  },
  {
    name: 'keeps order in a stream over both calls and several topics',
    async run(stage) {
      const stream = await stage.createStream()
      for (let i = 1; i <= 60; i++) {
        const body = String(i)
        if (i % 3 === 0) stage.stage.publish('orders.plain', { body })
        else stage.publish(`orders.${i % 5}`, { body })
      }
      await stage.receipts.received(40)
      await stage.settle()
      assert.deepEqual(bodiesOf(await stage.read(stream)), numberBodies(1, 60))
    },
  },
  {
    name: 'keeps headers to the byte, whatever their case, order and number',
    async run(stage) {
      const stream = await stage.createStream()
      const headers = [
        ['X-Odd-CASE', 'Value'],
        ['x-odd-case', 'second'],
        ['Empty', ''],
        ['Text', 'grüße, 世界'],
        ['X-Odd-CASE', 'third'],
      ] as const
      await stage.store('orders.placed', { headers, body: 'x' })
      const message = await stage.get(stream, 1)
      assert.deepEqual(message!.headerBlock, encodeHeaderBlock(headers))
      assert.equal(message!.body, 'x')
    },
  },
  {
    name: 'adds no header to a message that has none',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.placed', { body: 'x' })
      assert.equal((await stage.get(stream, 1))!.headerBlock.length, 0)
    },
  },
  {
    name: 'keeps a message without a body, and one without anything',
    async run(stage) {
      const stream = await stage.createStream()
      await stage.store('orders.placed', { headers: [['A', 'b']] })
      await stage.store('orders.placed')
      const messages = await stage.read(stream)
      assert.deepEqual(bodiesOf(messages), ['', ''])
      assert.deepEqual(messages[0]!.headerBlock, encodeHeaderBlock([['A', 'b']]))
    },
  },
  {
    name: 'keeps every byte of a body',
    async run(stage) {
      const stream = await stage.createStream()
      const body = Uint8Array.from({ length: 256 }, (_, i) => i)
      await stage.store('orders.placed', { body })
      assert.deepEqual((await stage.get(stream, 1))!.bodyBytes, body)
    },
  },
  {
    name: 'keeps bodies of every size, small and large beside each other',
    async run(stage) {
      const stream = await stage.createStream()
      const limit = stage.engine.capabilities.maxPayloadBytes
      const bodies = bodySizes.filter((size) => size < limit).map(makeBody)
      await Promise.all(bodies.map((body) => stage.store('orders.placed', { body })))
      const messages = await stage.read(stream)
      assert.equal(messages.length, bodies.length)
      messages.forEach(({ bodyBytes }, i) => {
        assert.ok(Buffer.compare(bodyBytes, bodies[i]!) === 0, `body of ${bodies[i]!.length} bytes`)
      })
    },
  },
  {
    name: 'copies a message before the call returns, from wherever its parts lie',
    async run(stage) {
      const stream = await stage.createStream()
      const message = stage.stage.makeMessage('orders.placed', { reply: 'r', body: 'right' })
      const shared = new Uint8Array(1_000)
      const start = 500
      shared.set(message.buffer, start)
      message.buffer = shared
      message.replyStart += start
      message.replyEnd += start
      message.headersStart += start
      message.headersEnd += start
      message.bodyStart += start
      message.bodyEnd += start
      const sink = new Receipts()
      stage.durable.publish(message.handle, message, sink, 1)
      shared.fill('?'.charCodeAt(0))
      await sink.of(1)
      assert.deepEqual(bodiesOf(await stage.read(stream)), ['right'])
    },
  },
  {
    name: 'takes topics in any script, and long ones',
    async run(stage) {
      const stream = await stage.createStream()
      const topics = ['orders.grüße.世界', `orders.${'long'.repeat(50)}`]
      for (const topic of topics) await stage.store(topic, { body: topic })
      assert.deepEqual(
        (await stage.read(stream)).map(({ topic }) => topic),
        topics,
      )
    },
  },
  {
    name: 'dates messages, and never backwards',
    async run(stage) {
      const stream = await stage.createStream()
      const earliestMs = stage.nowMs
      for (let i = 0; i < 5; i++) {
        await stage.store('orders.placed')
        await stage.advance(3)
      }
      const times = (await stage.read(stream)).map(({ timeMs }) => timeMs)
      assert.ok(times[0]! >= earliestMs && times.at(-1)! <= stage.nowMs, String(times))
      assert.deepEqual(
        times,
        [...times].sort((a, b) => a - b),
      )
      assert.ok(times.at(-1)! > times[0]!)
    },
  },
  {
    name: "refuses a message over the stream's size with PAYLOAD_TOO_LARGE, headers counted, and takes one at it",
    async run(stage) {
      const stream = await stage.createStream({ maxMessageBytes: 100 })
      const headers = [['A', 'b']] as const
      const headerBytes = encodeHeaderBlock(headers).length
      assert.equal(
        await codeOf(() => stage.store('orders.placed', { body: new Uint8Array(101) })),
        'PAYLOAD_TOO_LARGE',
      )
      const body = new Uint8Array(100 - headerBytes + 1)
      assert.equal(
        await codeOf(() => stage.store('orders.placed', { headers, body })),
        'PAYLOAD_TOO_LARGE',
      )
      assert.equal(await stage.store('orders.placed', { body: new Uint8Array(100) }), 1)
      await stage.store('orders.placed', { headers, body: body.subarray(1) })
      assert.deepEqual(sequencesOf(await stage.read(stream)), [1, 2])
    },
  },
  {
    name: 'says by the outcome that too much waits for its commit, and gives every receipt all the same',
    async run(stage) {
      await stage.createStream({ maxMessages: 100 })
      const body = new Uint8Array(BACKLOG_BODY_BYTES)
      let sent = 0
      let wasOverMark = false
      while (!wasOverMark && sent < BACKLOG_MESSAGES) {
        wasOverMark = isOverMark(stage.publish('orders.placed', { body }))
        sent += 1
      }
      assert.ok(wasOverMark, `${sent} messages of ${BACKLOG_BODY_BYTES} bytes were no backlog`)
      for (let i = 0; i < 10; i++) stage.publish('orders.placed', { body })
      await stage.receipts.received(sent + 10)
      assert.deepEqual(stage.receipts.tokens, numbers(1, sent + 10))
      assert.deepEqual(stage.receipts.sequences, numbers(1, sent + 10))
      assert.equal(isOverMark(stage.publish('orders.placed')), false)
    },
  },
  {
    name: 'gives the receipts of everything that it accepted before it is closed',
    async run(stage) {
      await stage.createStream()
      for (let i = 0; i < 200; i++) stage.publish('orders.placed')
      await stage.engine.close()
      assert.deepEqual(stage.receipts.sequences, numbers(1, 200))
    },
  },
])

function makeBody(length: number): Uint8Array {
  const body = new Uint8Array(length)
  for (let i = 0; i < length; i++) body[i] = (i * 31 + length) % 251
  return body
}
