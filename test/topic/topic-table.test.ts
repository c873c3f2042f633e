// The table of topics: handles stay right whatever is evicted, invalidated or held.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TopicTable, type TopicHandle } from '../../src/topic/index.js'
import { naivelyMatches, patterns, topics } from './patterns.js'

const encoder = new TextEncoder()

describe('TopicTable', () => {
  it('answers one handle for a topic, by name and by bytes anywhere in a buffer', () => {
    const table = new TopicTable<number>()
    const handle = table.atName('orders.grüße')
    const padded = encoder.encode('xxorders.grüßexx')
    expect(table.atBytes(padded, 2, padded.length - 2)).toBe(handle)
    expect(handle.name).toBe('orders.grüße')
    expect(table.atName('orders.other')).not.toBe(handle)
    expect(table.size).toBe(2)
  })

  it('keeps its own copy of the bytes', () => {
    const table = new TopicTable<number>()
    const buffer = encoder.encode('first')
    const handle = table.atBytes(buffer, 0, 5)
    buffer.set(encoder.encode('other'))
    expect(table.atBytes(buffer, 0, 5)).not.toBe(handle)
    expect(table.atName('first')).toBe(handle)
  })

  it('invalidates the matches of exactly the cached topics that a pattern matches', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(topics, { maxLength: 40, size: 'max' }),
        patterns,
        (names, pattern) => {
          const table = new TopicTable<string>()
          const handles = names.map((name) => table.atName(name))
          for (const handle of handles) handle.matches = handle.name
          const visited = table.invalidate(pattern)
          const forgotten = handles.filter(({ matches }) => matches === undefined)
          expect(forgotten.map(({ name }) => name)).toEqual(
            names.filter((name) => naivelyMatches(pattern, name)),
          )
          expect(visited).toBe(forgotten.length)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('tells topics apart whatever their bytes, invalid UTF-8 and byte order marks included', () => {
    const byte = fc.oneof(
      fc.constantFrom(0x61, 0xef, 0xbb, 0xbf, 0xc3, 0xa4, 0xff, 0xed, 0xa0, 0x80),
      fc.integer({ min: 1, max: 255 }),
    )
    const bytes = fc.array(byte, { minLength: 1, maxLength: 6 }).map((all) => Uint8Array.from(all))
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 30, size: 'max' }), (all) => {
        const table = new TopicTable<number>()
        const names = new Map<string, string>()
        for (const one of all) {
          const { name } = table.atBytes(one, 0, one.length)
          const text = one.join()
          expect(names.get(name) ?? text).toBe(text)
          names.set(name, text)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('never holds more than its capacity', () => {
    const table = new TopicTable<number>(8)
    for (let i = 0; i < 1_000; i++) table.atName(`a.${i}`)
    expect(table.size).toBe(8)
  })

  it('spares topics that are used: they are evicted less than half as often as in turn', () => {
    const table = new TopicTable<number>(8)
    const busy = new Set<TopicHandle>()
    for (let i = 0; i < 800; i++) {
      table.atName(`a.${i}`)
      busy.add(table.atName('busy'))
    }
    expect(busy.size).toBeLessThan(800 / 8 / 2)
  })

  it('keeps every handle that somebody holds right, through evictions and changes of subscriptions', () => {
    // The model: a handle's matches, once looked up, are right until a change that concerns it makes them undefined.
    const fewTopics = fc.constantFrom('a', 'b', 'c', 'a.a', 'a.b', 'b.a', 'a.a.a')
    const step = fc.oneof(
      fc.record({ type: fc.constant('find' as const), topic: fewTopics }),
      fc.record({ type: fc.constant('use held' as const), pick: fc.nat() }),
      fc.record({ type: fc.constant('change' as const), pattern: patterns }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (sequence) => {
        const table = new TopicTable<number>(4)
        const held: TopicHandle<number>[] = []
        const versions = new Map<string, number>()
        const use = (handle: TopicHandle<number>): void => {
          const version = versions.get(handle.name) ?? 0
          if (handle.matches === undefined) {
            table.refresh(handle)
            handle.matches = version
          }
          expect(handle.matches).toBe(version)
        }
        for (const one of sequence) {
          if (one.type === 'find') {
            const handle = table.atName(one.topic)
            held.push(handle)
            use(handle)
          } else if (one.type === 'use held') {
            const handle = held[one.pick % Math.max(1, held.length)]
            if (handle !== undefined) use(handle)
          } else {
            for (const name of new Set(held.map((handle) => handle.name))) {
              if (naivelyMatches(one.pattern, name)) {
                versions.set(name, (versions.get(name) ?? 0) + 1)
              }
            }
            table.invalidate(one.pattern)
          }
          expect(table.size).toBeLessThanOrEqual(4)
        }
      }),
      { numRuns: 500 },
    )
  })
})
