// The outbox against a naive encoder, on a connection that the test drains: lines that repeat, payloads over several slabs,
// the accounting of what is pending, and every slab given back.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteArena, VirtualClock, type Slab } from '../../src/base/index.js'
import { BytesMessage } from '../../src/engine/index.js'
import { FlushQueue } from '../../src/server/flush-queue.js'
import { LineMemo, Outbox, type OutboxLimits, type OutboxOwner } from '../../src/server/outbox.js'
import { TopicTable } from '../../src/topic/index.js'
import { readServerOutput } from '../wire/server-output.js'
import { FakeConnection } from './fake-connection.js'

const encoder = new TextEncoder()

/** Knows which slabs are out, those from outside the arena included. */
class CountingArena extends ByteArena {
  readonly lent = new Set<Slab>()

  override borrow(): Slab {
    const slab = super.borrow()
    this.lent.add(slab)
    return slab
  }

  override release(slab: Slab): void {
    if (!this.lent.delete(slab)) throw new Error('a slab was given back twice')
    super.release(slab)
  }
}

interface Setting extends Partial<OutboxLimits> {
  readonly slabBytes?: number
  readonly owner?: Partial<OutboxOwner>
}

function makeOutbox({ slabBytes = 256, owner = {}, ...limits }: Setting = {}) {
  const clock = new VirtualClock()
  const connection = new FakeConnection()
  const arena = new CountingArena({ slabBytes, slabCount: 2 })
  const flushQueue = new FlushQueue(clock)
  const told: string[] = []
  const outbox = new Outbox(
    connection,
    arena,
    flushQueue,
    { maxPendingBytes: 1_000_000, markBytes: 500_000, ...limits },
    {
      waiting: () => void told.push('waiting'),
      tooSlow: () => void told.push('too slow'),
      fellBehind: () => void told.push('fell behind'),
      caughtUp: () => void told.push('caught up'),
      ...owner,
    },
  )
  return { clock, connection, arena, flushQueue, outbox, told }
}

const topicTable = new TopicTable<never>()

interface Parts {
  readonly topic: string
  readonly reply: string
  readonly headers: string
  readonly body: string
}

function makeMessage({ topic, reply, headers, body }: Parts): BytesMessage {
  const message = new BytesMessage(topicTable.atName(topic))
  message.setParts(encoder.encode(reply), encoder.encode(headers), encoder.encode(body))
  return message
}

function naiveLine(
  sid: string,
  { topic, reply, headers, body }: Parts,
  wantsHeaders: boolean,
): string {
  const block = wantsHeaders ? headers : ''
  const words = [block === '' ? 'MSG' : 'HMSG', topic, sid]
  if (reply !== '') words.push(reply)
  if (block !== '') words.push(String(block.length))
  return `${[...words, block.length + body.length].join(' ')}\r\n${block}${body}\r\n`
}

const parts: fc.Arbitrary<Parts> = fc.record({
  topic: fc.constantFrom('a', 'b', 'orders.placed'),
  reply: fc.constantFrom('', '', '', 'r', '_INBOX.abc.1'),
  headers: fc.constantFrom('', '', 'NATS/1.0\r\n\r\n', 'NATS/1.0\r\nName: value\r\n\r\n'),
  body: fc.oneof(
    fc.constantFrom('', 'x', 'hello', 'hallo'),
    fc.nat(900).map((length) => 'payload '.repeat(length / 8 + 1).slice(0, length)),
  ),
})

describe('Outbox', () => {
  it('writes what a naive encoder writes, through turns, small slabs and slow taking, and gives all slabs back', () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.tuple(fc.constant('message' as const), parts, fc.nat(2)) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('flush' as const)) },
      { weight: 1, arbitrary: fc.tuple(fc.constant('take' as const), fc.nat(3)) },
      {
        weight: 1,
        arbitrary: fc.tuple(fc.constant('bytes' as const), fc.constantFrom('PONG\r\n', '+OK\r\n')),
      },
    )
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60, size: 'max' }),
        fc.boolean(),
        (steps, wantsHeaders) => {
          const { clock, connection, arena, outbox } = makeOutbox()
          const memos = ['1', '22', '333'].map((sid) => ({
            sid,
            memo: new LineMemo(encoder.encode(sid)),
          }))
          let expected = ''
          for (const one of steps) {
            if (one[0] === 'message') {
              const { sid, memo } = memos[one[2]]!
              outbox.writeMessage(memo, makeMessage(one[1]), wantsHeaders)
              expected += naiveLine(sid, one[1], wantsHeaders)
            } else if (one[0] === 'bytes') {
              outbox.writeBytes(encoder.encode(one[1]))
              expected += one[1]
            } else if (one[0] === 'flush') clock.runDeferred()
            else connection.take(one[1])
            expect(connection.sent.length + outbox.pendingBytes).toBe(expected.length)
          }
          clock.runDeferred()
          connection.take()
          expect(Buffer.from(connection.sent).toString()).toBe(expected)
          expect(outbox.pendingBytes).toBe(0)
          expect(arena.lent.size).toBe(0)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('repeats the line of the message before wherever only the body differs', () => {
    const { clock, connection, outbox } = makeOutbox({ slabBytes: 4_096 })
    const memo = new LineMemo(encoder.encode('1'))
    for (const body of ['aaa', 'bbb', 'ccc']) {
      outbox.writeMessage(memo, makeMessage({ topic: 'a', reply: '', headers: '', body }), true)
    }
    clock.runDeferred()
    expect(connection.waitingWrites).toBe(1)
    connection.take()
    expect(readServerOutput(connection.sent)).toEqual(
      ['aaa', 'bbb', 'ccc'].map((body) => ({
        type: 'MSG',
        subject: 'a',
        sid: '1',
        reply: undefined,
        headers: '',
        body,
      })),
    )
  })

  it('writes a payload that is larger than many slabs', () => {
    const { clock, connection, arena, outbox } = makeOutbox()
    const body = Array.from({ length: 10_000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join(
      '',
    )
    const headers = `NATS/1.0\r\nLong: ${'h'.repeat(600)}\r\n\r\n`
    const content = { topic: 'a', reply: 'r', headers, body }
    outbox.writeMessage(new LineMemo(encoder.encode('1')), makeMessage(content), true)
    clock.runDeferred()
    connection.take()
    expect(Buffer.from(connection.sent).toString()).toBe(naiveLine('1', content, true))
    expect(arena.lent.size).toBe(0)
  })

  it('sends once per turn, and holds no slab while nothing waits', () => {
    const { connection, arena, flushQueue, outbox } = makeOutbox({ slabBytes: 4_096 })
    const memo = new LineMemo(encoder.encode('1'))
    const message = makeMessage({ topic: 'a', reply: '', headers: '', body: 'x' })
    flushQueue.turn(() => {
      for (let i = 0; i < 10; i++) outbox.writeMessage(memo, message, false)
      expect(connection.waitingWrites).toBe(0)
    })
    expect(connection.waitingWrites).toBe(1)
    connection.take()
    expect(arena.lent.size).toBe(0)
    expect(outbox.pendingBytes).toBe(0)
  })

  it('does not keep a whole slab for the little that a slow client waits for', () => {
    const { clock, connection, arena, outbox } = makeOutbox({ slabBytes: 4_096 })
    for (let i = 0; i < 5; i++) {
      outbox.writeBytes(encoder.encode('PING\r\n'))
      clock.runDeferred()
    }
    expect(connection.waitingWrites).toBe(5)
    expect(arena.lent.size).toBe(1)
    connection.take()
    expect(Buffer.from(connection.sent).toString()).toBe('PING\r\n'.repeat(5))
    expect(arena.lent.size).toBe(0)
  })

  it('tells when it is over its mark and when it has caught up, once each', () => {
    const { clock, connection, outbox, told } = makeOutbox({ markBytes: 1_000 })
    const write = (bytes: number): void => {
      outbox.writeBytes(new Uint8Array(bytes))
      clock.runDeferred()
    }
    write(900)
    expect(outbox.isOverMark).toBe(false)
    write(200)
    expect(outbox.isOverMark).toBe(true)
    expect(outbox.fullness).toBeCloseTo(1_100 / 1_000_000)
    connection.take(1)
    expect(outbox.isOverMark).toBe(true)
    connection.take()
    expect(outbox.isOverMark).toBe(false)
    expect(told.filter((text) => text === 'fell behind')).toHaveLength(1)
    expect(told.filter((text) => text === 'caught up')).toHaveLength(1)
  })

  it('counts the pieces that were taken', () => {
    const { clock, connection, outbox, told } = makeOutbox()
    outbox.writeBytes(encoder.encode('PING\r\n'))
    clock.runDeferred()
    expect(told).toEqual(['waiting'])
    expect(outbox.takenCount).toBe(0)
    connection.take()
    expect(outbox.takenCount).toBe(1)
  })

  it('tells that the client is too slow when more than the limit waits', () => {
    const { clock, outbox, told } = makeOutbox({ maxPendingBytes: 2_000, markBytes: 1_000 })
    outbox.writeBytes(new Uint8Array(1_900))
    clock.runDeferred()
    expect(told).not.toContain('too slow')
    outbox.writeBytes(new Uint8Array(200))
    clock.runDeferred()
    expect(told).toContain('too slow')
  })

  it('takes nothing more once closed, and gives back its slabs, those in flight when they are taken', () => {
    const { clock, connection, arena, outbox } = makeOutbox()
    outbox.writeBytes(encoder.encode('PING\r\n'))
    clock.runDeferred()
    outbox.writeBytes(encoder.encode('never sent'))
    outbox.close()
    outbox.writeBytes(encoder.encode('never written'))
    outbox.writeMessage(
      new LineMemo(encoder.encode('1')),
      makeMessage({ topic: 'a', reply: '', headers: '', body: 'x' }),
      false,
    )
    clock.runDeferred()
    connection.take()
    expect(Buffer.from(connection.sent).toString()).toBe('PING\r\n')
    expect(arena.lent.size).toBe(0)
  })

  it('gives back every slab when its owner says goodbye and closes it in the middle of a message', () => {
    let isClosing = false
    const setting = makeOutbox({
      maxPendingBytes: 1_000,
      markBytes: 500,
      owner: {
        tooSlow() {
          if (isClosing) return
          isClosing = true
          setting.outbox.writeBytes(encoder.encode(`-ERR 'Slow Consumer'\r\n`))
          setting.outbox.flush()
          setting.outbox.close()
        },
      },
    })
    const { clock, connection, arena, outbox } = setting
    const memo = new LineMemo(encoder.encode('1'))
    const content = { topic: 'a', reply: '', headers: '', body: 'x'.repeat(3_000) }
    outbox.writeMessage(memo, makeMessage(content), false)
    outbox.writeMessage(memo, makeMessage(content), false)
    clock.runDeferred()
    connection.take()
    expect(arena.lent.size).toBe(0)
  })
})
