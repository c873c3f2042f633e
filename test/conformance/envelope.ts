// What a message says of itself and of the one it followed from, whoever wrote it: another codec, compression, CloudEvents of
// either mode, or a publisher that knows nothing of any of them.
import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { event, query, type Message } from '../../src/broker/index.js'
import { openCompressor, textCodec, type Codec } from '../../src/codec/index.js'
import type { Case, Chapter } from './case.js'
import { isNumberSchema, shapeOf } from './schemas.js'
import { Arrivals, codeOf, type Content, type Stage } from './stage.js'

const shout: Codec = {
  contentType: 'application/x-shout',
  encode: (value) => new TextEncoder().encode(`${JSON.stringify(value)}!`),
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes).slice(0, -1)) as unknown,
}
const Placed = event('order.placed', shapeOf({ id: 'number' }))
const Shouted = event('order.shouted', shapeOf({ id: 'number' }), { codec: shout })
const Ask = query('shout.ask', isNumberSchema, { reply: isNumberSchema, codec: shout })
const long = 'all work and no play '.repeat(200)
const STRUCTURED = [['Content-Type', 'application/cloudevents+json; charset=UTF-8']] as const

export const envelopeChapter: Chapter = {
  title: 'envelope',
  cases: [
    foreign('a message with nothing but a body', {
      content: { body: '{"id":1}' },
      check(message) {
        assert.deepEqual(message.data, { id: 1 })
        assert.equal(message.type, 'order.placed')
        assert.equal(message.kind, undefined)
        assert.equal(message.key, undefined)
        assert.equal(message.id, message.id)
        assert.deepEqual(message.attributes, {})
        assert.ok(Math.abs(message.time.getTime() - Date.now()) < 60_000)
      },
    }),
    foreign("a message with the protocol's own id and content type", {
      content: {
        body: 'plain',
        headers: [
          ['nats-msg-id', 'n-1'],
          ['content-type', 'text/plain; charset=utf-8'],
        ],
      },
      check(message) {
        assert.equal(message.id, 'n-1')
        assert.equal(message.data, 'plain')
      },
    }),
    foreign('a CloudEvent in binary mode, names in any case, values quoted or encoded', {
      content: {
        body: '"x"',
        headers: [
          ['CE-SpecVersion', '1.0'],
          ['Ce-Id', '"quoted \\"id\\""'],
          ['ce-Type', 'a%20b'],
          ['ce-source', '/shop'],
          ['ce-time', '2026-01-02T03:04:05Z'],
          ['CE-PARTITIONKEY', 'Euro%20%E2%82%AC'],
          ['ce-tenant', 'acme'],
          ['ce-correlationid', 'flow'],
        ],
      },
      check(message) {
        assert.equal(message.id, 'quoted "id"')
        assert.equal(message.type, 'a b')
        assert.equal(message.key, 'Euro €')
        assert.equal(message.time.toISOString(), '2026-01-02T03:04:05.000Z')
        assert.deepEqual(message.attributes, { source: '/shop', tenant: 'acme' })
        assert.equal(message.correlationId, 'flow')
        assert.equal(message.causationId, undefined)
      },
    }),
    foreign('a CloudEvent in structured mode', {
      content: {
        headers: STRUCTURED,
        body: JSON.stringify({
          specversion: '1.0',
          id: 's-1',
          type: 'com.example.placed',
          source: '/shop',
          time: '2026-01-02T03:04:05Z',
          partitionkey: 'k',
          rank: 5,
          causationid: 'c-1',
          data: { id: 7 },
        }),
      },
      check(message) {
        assert.equal(message.id, 's-1')
        assert.equal(message.type, 'com.example.placed')
        assert.equal(message.key, 'k')
        assert.equal(message.time.toISOString(), '2026-01-02T03:04:05.000Z')
        assert.deepEqual(message.attributes, { source: '/shop', rank: '5' })
        assert.equal(message.causationId, 'c-1')
        assert.deepEqual(message.data, { id: 7 })
      },
    }),
    foreign('a body that says it is a CloudEvent and is none', {
      content: { headers: STRUCTURED, body: 'no JSON' },
      check(message) {
        assert.equal(message.type, 'order.placed')
        assertCode(() => message.data, 'DECODE_FAILED')
        assert.equal(Buffer.from(message.bytes).toString(), 'no JSON')
      },
    }),
    foreign('a content type that nobody reads, which the error names', {
      content: { headers: [['ce-datacontenttype', 'application/xml']], body: '<a/>' },
      check(message) {
        assertCode(() => message.data, 'DECODE_FAILED', /application\/xml/)
        assert.equal(Buffer.from(message.bytes).toString(), '<a/>')
      },
    }),
    foreign('a compressed body', {
      content: {
        headers: [['content-encoding', 'GZIP']],
        body: gzipSync(JSON.stringify({ long })),
      },
      check(message) {
        assert.deepEqual(message.data, { long })
        assert.ok(message.bytes.length < 500)
      },
    }),
    foreign('a compression that nobody undoes, which the error names', {
      content: { headers: [['Content-Encoding', 'snappy']], body: '1' },
      check: (message) => assertCode(() => message.data, 'DECODE_FAILED', /snappy/),
    }),
    foreign('a bomb, which is not inflated beyond the bound', {
      content: {
        headers: [['Content-Encoding', 'gzip']],
        body: gzipSync(Buffer.alloc(32 * 1024 * 1024)),
      },
      check: (message) => assertCode(() => message.data, 'PAYLOAD_TOO_LARGE'),
    }),
    {
      name: 'reads each message by the codec that its content type names',
      async run(stage) {
        const writer = stage.openBroker(stage.publisher, { codec: shout })
        const reader = stage.openBroker(stage.subscriber, { codecs: [shout] })
        const stranger = stage.openBroker(stage.subscriber)
        const [read, failed] = [new Arrivals<unknown>(), new Arrivals<Message>()]
        reader.subscribe('order.placed', ({ data }) => read.add(data))
        reader.subscribe('order.texted', ({ data }) => read.add(data))
        stranger.subscribe('order.placed', failed.add)
        await stage.ready()
        writer.emit(Placed, { id: 1 })
        await read.received(1)
        writer.emit(event('order.texted', undefined, { codec: textCodec }), 'as it is')
        assert.deepEqual(await read.received(2), [{ id: 1 }, 'as it is'])
        const [message] = await failed.received(1)
        if (stage.publisher.capabilities.inProcess) assert.deepEqual(message!.data, { id: 1 })
        else assertCode(() => message!.data, 'DECODE_FAILED', /x-shout/)
      },
    },
    {
      name: "writes and answers by a definition's codec",
      async run(stage) {
        const { here, there } = stage.openBrokers()
        const raw = stage.record('order.shouted')
        const seen = new Arrivals<unknown>()
        there.subscribe(Shouted, ({ data }) => seen.add(data))
        there.respond(Ask, ({ data }) => data + 1)
        await there.flush()
        here.emit(Shouted, { id: 1 })
        assert.deepEqual(await seen.received(1), [{ id: 1 }])
        await raw.received(1)
        assert.deepEqual(raw.bodies, ['{"id":1}!'])
        assert.equal(await here.request(Ask, 41), 42)
      },
    },
    {
      name: 'compresses bodies over the threshold only, and decodes them whatever the reader is set to',
      async run(stage) {
        const compressor = await openCompressor({ algorithm: 'gzip', threshold: 100 }, 1e6)
        const writer = stage.openBroker(stage.publisher, { compressor })
        const reader = stage.openBroker(stage.subscriber)
        const raw = stage.record('a')
        const seen = new Arrivals<unknown>()
        reader.subscribe('a', ({ data }) => seen.add(data))
        await stage.ready()
        writer.emit('a', 'short')
        writer.emit('a', long)
        assert.deepEqual(await seen.received(2), ['short', long])
        await raw.received(2)
        assert.equal(raw.bodies[0], '"short"')
        assert.ok(raw.items[1]!.bodyBytes < 300)
        assert.match(
          Buffer.from(raw.items[1]!.headerBlock).toString(),
          /Content-Encoding: gzip\r\n/,
        )
      },
    },
    {
      name: 'compresses an answer only for those who say that they take it',
      async run(stage) {
        const compressor = await openCompressor({ algorithm: 'gzip', threshold: 100 }, 1e6)
        const responder = stage.openBroker(stage.subscriber, { compressor })
        const modern = stage.openBroker(stage.publisher, { compressor })
        const plain = stage.openBroker(stage.publisher)
        responder.respond('text', () => long)
        await stage.ready()
        assert.equal(await modern.request('text', 1), long)
        assert.equal(await plain.request('text', 1), long)
        const answers = new Arrivals<string>()
        for (const headers of [[], [['Accept-Encoding', 'br, gzip']]] as [string, string][][]) {
          const request = stage.makeMessage('text', { headers })
          stage.publisher.request(request.handle, request, {
            reply: (answer) => answers.add(Buffer.from(answer.toBytes().headerBlock).toString()),
            noResponders: () => assert.fail('nobody'),
          })
          await answers.received(answers.items.length + 1)
        }
        assert.doesNotMatch(answers.items[0]!, /Content-Encoding/)
        assert.match(answers.items[1]!, /Content-Encoding: gzip/)
      },
    },
    {
      name: 'carries correlation, cause, trace context and attributes from message to message',
      async run(stage) {
        const { here, there } = stage.openBrokers({ source: '/shop' })
        const first = new Arrivals<Message>()
        const last = new Arrivals<Message>()
        there.subscribe('a', (message) => {
          first.add(message)
          there.emit('b', 2, { cause: message, attributes: { tenant: 'acme', rank: 5 } })
        })
        here.subscribe('b', (message) => {
          here.emit('c', 3, { cause: message, headers: { traceparent: 'own' } })
        })
        there.subscribe('c', last.add)
        await stage.ready()
        here.emit('a', 1, { id: 'one', headers: { traceparent: '00-abc-def-01', tracestate: 't' } })
        const [a, c] = [(await first.received(1))[0]!, (await last.received(1))[0]!]
        assert.deepEqual([a.correlationId, a.causationId], [undefined, undefined])
        assert.equal(c.correlationId, 'one')
        assert.notEqual(c.causationId, 'one')
        assert.deepEqual(c.headers.getAll('traceparent'), ['own'])
        assert.equal(c.headers.get('tracestate'), 't')
        assert.deepEqual(c.attributes, { source: '/shop' })
      },
    },
    {
      name: 'answers within the flow of the request',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        there.respond('q', () => 1)
        await there.flush()
        for await (const { message } of here.requestMany('q', 1, {
          id: 'r-1',
          correlationId: 'flow',
          max: 1,
        })) {
          assert.equal(message.correlationId, 'flow')
          assert.equal(message.causationId, 'r-1')
        }
      },
    },
    {
      name: 'refuses attributes that are named as none may be, or have an option',
      async run(stage) {
        const { here } = stage.openBrokers()
        for (const name of ['Tenant', 'a-b', '', 'id', 'source', 'partitionkey']) {
          const ask = () => here.request('a', 1, { attributes: { [name]: 'x' } })
          assert.equal(await codeOf(ask), 'OPTION_INVALID', name)
        }
      },
    },
  ],
}

/** A case in which a raw message arrives, and is checked. */
function foreign(
  what: string,
  { content, check }: { content: Content; check: (message: Message) => void },
): Case {
  return {
    name: `reads ${what}`,
    async run(stage: Stage) {
      const seen = new Arrivals<Message>()
      stage.openBroker(stage.subscriber).subscribe('order.placed', seen.add)
      await stage.ready()
      stage.publish('order.placed', content)
      check((await seen.received(1))[0]!)
    },
  }
}

function assertCode(work: () => unknown, code: string, text = /(?:)/): void {
  assert.throws(work, (error: { code?: string; message: string }) => {
    assert.equal(error.code, code)
    assert.match(error.message, text)
    return true
  })
}
