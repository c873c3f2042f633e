// Several outboxes of one server, whose clients often have the same sid: whatever is shared, each connection gets exactly
// what a naive encoder would have written for it alone, and every slab comes back.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteArena, VirtualClock, type Slab } from '../../src/base/index.js'
import { BytesMessage } from '../../src/engine/index.js'
import { FlushQueue } from '../../src/server/flush-queue.js'
import { LineMemo, Outbox } from '../../src/server/outbox.js'
import { TopicTable } from '../../src/topic/index.js'
import { FakeConnection } from './fake-connection.js'

const encoder = new TextEncoder()
const topics = new TopicTable<never>()
const CLIENTS = 5
const OWNER = { waiting: () => {}, tooSlow: () => {}, fellBehind: () => {}, caughtUp: () => {} }

class CountingArena extends ByteArena {
  lent = 0

  override borrow(): Slab {
    this.lent += 1
    return super.borrow()
  }

  override retain(slab: Slab): void {
    this.lent += 1
    super.retain(slab)
  }

  override release(slab: Slab): void {
    this.lent -= 1
    if (slab.holders < 1) throw new Error('a slab was given back twice')
    super.release(slab)
  }
}

function makeServer(slabBytes: number) {
  const arena = new CountingArena({ slabBytes, slabCount: 3 })
  const clock = new VirtualClock()
  const flushQueue = new FlushQueue(clock)
  const clients = Array.from({ length: CLIENTS }, (_, index) => {
    const connection = new FakeConnection()
    const limits = { maxPendingBytes: 10_000_000, markBytes: 5_000_000 }
    return {
      connection,
      outbox: new Outbox(connection, arena, flushQueue, limits, OWNER),
      memo: new LineMemo(encoder.encode(index === 4 ? '22' : '1')),
      sid: index === 4 ? '22' : '1',
      expected: '',
    }
  })
  return { arena, clock, flushQueue, clients }
}

const publish = fc.record({
  kind: fc.constant('publish' as const),
  topic: fc.constantFrom('a', 'b'),
  body: fc.nat(60_000).map((length) => 'payload '.repeat(length / 8 + 1).slice(0, length)),
  receivers: fc.subarray([0, 1, 2, 3, 4], { minLength: 1 }),
})
const shortPublish = publish.map((one) => ({ ...one, body: one.body.slice(0, 20) }))
const control = fc.record({ kind: fc.constant('control' as const), client: fc.nat(CLIENTS - 1) })
const take = fc.record({
  kind: fc.constant('take' as const),
  client: fc.nat(CLIENTS - 1),
  count: fc.nat(4),
})
const close = fc.record({ kind: fc.constant('close' as const), client: fc.nat(CLIENTS - 1) })

describe('a frame shared by outboxes', () => {
  it('reaches each connection as if it had been written for it alone', () => {
    const step = fc.oneof(
      { weight: 12, arbitrary: shortPublish },
      { weight: 6, arbitrary: publish },
      { weight: 2, arbitrary: control },
      { weight: 3, arbitrary: take },
    )
    const turn = fc.array(step, { maxLength: 20 })
    fc.assert(
      fc.property(
        fc.array(turn, { maxLength: 6 }),
        fc.constantFrom(512, 40_000, 131_072),
        (turns, slabBytes) => {
          const { arena, flushQueue, clients } = makeServer(slabBytes)
          for (const steps of turns)
            flushQueue.turn(() => steps.forEach((one) => run(clients, one)))
          for (const { connection, outbox, expected } of clients) {
            connection.take()
            expect(Buffer.from(connection.sent).toString()).toBe(expected)
            expect(outbox.pendingBytes).toBe(0)
          }
          expect(arena.lent).toBe(0)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('is not touched by the end of the connection that wrote it', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof({ weight: 6, arbitrary: shortPublish }, { weight: 1, arbitrary: close }),
          {
            maxLength: 30,
          },
        ),
        (steps) => {
          const { arena, flushQueue, clients } = makeServer(512)
          const closed = new Set<number>()
          flushQueue.turn(() => {
            for (const one of steps) {
              if (one.kind === 'close') {
                clients[one.client]!.outbox.close()
                closed.add(one.client)
              } else {
                run(clients, {
                  ...one,
                  receivers: one.receivers.filter((index) => !closed.has(index)),
                })
              }
            }
          })
          clients.forEach(({ connection, expected }, index) => {
            connection.take()
            if (!closed.has(index)) expect(Buffer.from(connection.sent).toString()).toBe(expected)
          })
          expect(arena.lent).toBe(0)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('is sent from one slab to all connections of the same sid', () => {
    const { arena, flushQueue, clients } = makeServer(4_096)
    flushQueue.turn(() => {
      for (let i = 0; i < 10; i++) {
        run(clients, { kind: 'publish', topic: 'a', body: `body ${i}`, receivers: [0, 1, 2, 3] })
      }
      expect(arena.lent).toBe(4)
      expect(clients.slice(1, 4).every(({ memo }) => memo.borrowing === -1)).toBe(true)
    })
  })
})

type Step =
  | { kind: 'publish'; topic: string; body: string; receivers: number[] }
  | { kind: 'control'; client: number }
  | { kind: 'take'; client: number; count: number }

function run(clients: ReturnType<typeof makeServer>['clients'], one: Step): void {
  if (one.kind === 'take') clients[one.client]!.connection.take(one.count)
  else if (one.kind === 'control') {
    const client = clients[one.client]!
    client.outbox.writeBytes(encoder.encode('PONG\r\n'))
    client.expected += 'PONG\r\n'
  } else {
    const message = new BytesMessage(topics.atName(one.topic))
    message.setParts(new Uint8Array(0), new Uint8Array(0), encoder.encode(one.body))
    for (const index of one.receivers) {
      const client = clients[index]!
      client.outbox.writeMessage(client.memo, message, true)
      client.expected += `MSG ${one.topic} ${client.sid} ${one.body.length}\r\n${one.body}\r\n`
    }
  }
}
