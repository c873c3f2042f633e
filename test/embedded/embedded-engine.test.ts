// What only the engine inside this process promises: synchrony, deferral, churn in the middle of a fan-out, and that its
// memory of topics never hides anything. The rest is in the conformance suite.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeededRandom, VirtualClock } from '../../src/base/index.js'
import { EmbeddedEngine } from '../../src/embedded/index.js'
import { BytesMessage, receiverCount, type Subscription } from '../../src/engine/index.js'
import { naivelyMatches, patterns, topics } from '../topic/patterns.js'

function publish(engine: EmbeddedEngine, topic: string): number {
  const handle = engine.topic(topic)
  return receiverCount(engine.publish(handle, new BytesMessage(handle)))!
}

function subscribe(
  engine: EmbeddedEngine,
  pattern: string,
  deliver: (topic: string, subscription: Subscription) => void = () => {},
): Subscription {
  return engine.subscribe(pattern, {
    deliver(message, subscription) {
      deliver(message.handle.name, subscription)
      return true
    },
  })
}

describe('EmbeddedEngine', () => {
  it('delivers to exactly those who are subscribed, through random churn and with few topics remembered', () => {
    const step = fc.oneof(
      fc.record({ type: fc.constant('subscribe' as const), pattern: patterns }),
      fc.record({ type: fc.constant('unsubscribe' as const), pick: fc.nat() }),
      { weight: 3, arbitrary: fc.record({ type: fc.constant('publish' as const), topic: topics }) },
      fc.record({ type: fc.constant('publish held' as const), pick: fc.nat() }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const engine = new EmbeddedEngine({ topicCacheSize: 4, random: new SeededRandom(1) })
        const open: Subscription[] = []
        const handles = [engine.topic('a'), engine.topic('b.a')]
        let delivered: string[] = []
        for (const one of steps) {
          if (one.type === 'subscribe') {
            open.push(subscribe(engine, one.pattern, (_, { pattern }) => delivered.push(pattern)))
          } else if (one.type === 'unsubscribe') {
            const [gone] = open.splice(one.pick % Math.max(1, open.length), 1)
            gone?.unsubscribe()
          } else {
            const handle =
              one.type === 'publish' ? engine.topic(one.topic) : handles[one.pick % handles.length]!
            if (handles.length < 6) handles.push(handle)
            delivered = []
            const count = receiverCount(engine.publish(handle, new BytesMessage(handle)))
            const expected = open
              .filter(({ pattern }) => naivelyMatches(pattern, handle.name))
              .map(({ pattern }) => pattern)
            expect(delivered.sort()).toEqual(expected.sort())
            expect(count).toBe(expected.length)
          }
          expect(engine.statistics.subscriptions).toBe(open.length)
          expect(engine.statistics.cachedTopics).toBeLessThanOrEqual(4)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('survives receivers that subscribe and unsubscribe at random while they are called', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), (seed) => {
        const random = new SeededRandom(seed)
        const engine = new EmbeddedEngine({ random })
        const open = new Set<Subscription>()
        const closed = new Set<Subscription>()
        const churn = (_: string, own: Subscription): void => {
          expect(closed.has(own)).toBe(false)
          if (random.nextUint32() % 2 === 0 && open.size < 50) {
            open.add(subscribe(engine, random.nextUint32() % 2 === 0 ? 'a' : '*', churn))
          } else {
            const victim = [...open][random.nextUint32() % open.size]!
            victim.unsubscribe()
            open.delete(victim)
            closed.add(victim)
          }
        }
        for (let i = 0; i < 10; i++) open.add(subscribe(engine, 'a', churn))
        for (let i = 0; i < 20 && open.size > 0; i++) publish(engine, 'a')
        expect(engine.statistics.subscriptions).toBe(open.size)
      }),
      { numRuns: 50 },
    )
  })

  it('finds its way among a thousand patterns', () => {
    const engine = new EmbeddedEngine()
    const counts = new Map<string, number>()
    const count = (_: string, { pattern }: Subscription): void => {
      counts.set(pattern, (counts.get(pattern) ?? 0) + 1)
    }
    for (let i = 0; i < 1_000; i++) {
      const pattern = [`t.${i}`, `t.${i}.*`, `t.*.${i}`, `t.${i}.>`][i % 4]!
      subscribe(engine, pattern, count)
    }
    expect(publish(engine, 't.4')).toBe(1)
    expect(publish(engine, 't.5.6')).toBe(2)
    expect(publish(engine, 't.7.x.y')).toBe(1)
    expect(publish(engine, 't.none')).toBe(0)
    expect(Object.fromEntries(counts)).toEqual({ 't.4': 1, 't.5.*': 1, 't.*.6': 1, 't.7.>': 1 })
  })

  it('delivers nested publishes breadth first', () => {
    const engine = new EmbeddedEngine()
    const seen: string[] = []
    subscribe(engine, '>', (topic) => {
      seen.push(topic)
      if (topic.length >= 5) return
      publish(engine, `${topic}.a`)
      publish(engine, `${topic}.b`)
    })
    publish(engine, 'x')
    expect(seen).toEqual(['x', 'x.a', 'x.b', 'x.a.a', 'x.a.b', 'x.b.a', 'x.b.b'])
  })

  it('keeps the content of a nested publish although its message is used again', () => {
    const engine = new EmbeddedEngine()
    const bodies: string[] = []
    engine.subscribe('second', {
      deliver(message) {
        bodies.push(Buffer.from(message.toBytes().body).toString())
        return true
      },
    })
    const handle = engine.topic('second')
    const reused = new BytesMessage(handle)
    const nothing = new Uint8Array(0)
    subscribe(engine, 'first', () => {
      for (const body of ['one', 'two']) {
        reused.setParts(nothing, nothing, Buffer.from(body))
        engine.publish(handle, reused)
      }
      reused.buffer.fill(0)
    })
    publish(engine, 'first')
    expect(bodies).toEqual(['one', 'two'])
  })

  it('lets handlers that publish to each other without end yield to the rest of the process', () => {
    const clock = new VirtualClock()
    const engine = new EmbeddedEngine({ clock })
    let bounces = 0
    let isOver = false
    subscribe(engine, 'ping', () => {
      bounces += 1
      if (!isOver) publish(engine, 'pong')
    })
    subscribe(engine, 'pong', () => {
      bounces += 1
      if (!isOver) publish(engine, 'ping')
    })
    publish(engine, 'ping')
    const afterFirstTurn = bounces
    expect(afterFirstTurn).toBeGreaterThan(1)
    expect(afterFirstTurn).toBeLessThan(10_000)
    isOver = true
    clock.runDeferred()
    expect(bounces).toBe(afterFirstTurn + 1)
  })

  it('delivers in order what is published while nested publishes wait for their turn', () => {
    const clock = new VirtualClock()
    const engine = new EmbeddedEngine({ clock })
    const seen: string[] = []
    subscribe(engine, '>', (topic) => seen.push(topic))
    subscribe(engine, 'start', () => {
      for (let i = 0; i < 2_500; i++) publish(engine, `nested.${i}`)
    })
    publish(engine, 'start')
    publish(engine, 'after')
    expect(seen).not.toContain('after')
    clock.runDeferred()
    expect(seen).toEqual([
      'start',
      ...Array.from({ length: 2_500 }, (_, i) => `nested.${i}`),
      'after',
    ])
    publish(engine, 'later')
    expect(seen.at(-1)).toBe('later')
  })

  it('tells that a receiver is over its mark', () => {
    const engine = new EmbeddedEngine()
    engine.subscribe('a', { deliver: () => false })
    engine.subscribe('a', { deliver: () => true })
    const handle = engine.topic('a')
    const outcome = engine.publish(handle, new BytesMessage(handle))
    expect(receiverCount(outcome)).toBe(2)
    expect(outcome & 1).toBe(1)
  })

  it('reaches a new subscriber through a handle that was held while its topic was forgotten', () => {
    const engine = new EmbeddedEngine({ topicCacheSize: 4 })
    const held = engine.topic('a')
    for (let i = 0; i < 20; i++) publish(engine, `other.${i}`)
    publish(engine, 'a')
    engine.publish(held, new BytesMessage(held))
    let count = 0
    subscribe(engine, 'a', () => (count += 1))
    publish(engine, 'a')
    engine.publish(held, new BytesMessage(held))
    expect(count).toBe(2)
  })
})
