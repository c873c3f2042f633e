// The index against a scan of all patterns, while patterns come and go.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PatternIndex, patternsOverlap } from '../../src/topic/index.js'
import { naivelyMatches, patterns, topics } from './patterns.js'

type Step =
  | { readonly type: 'insert'; readonly pattern: string; readonly value: number }
  | { readonly type: 'remove'; readonly pick: number }
  | { readonly type: 'match'; readonly topic: string }

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('insert' as const), pattern: patterns, value: fc.nat(3) }),
  fc.record({ type: fc.constant('remove' as const), pick: fc.nat() }),
  fc.record({ type: fc.constant('match' as const), topic: topics }),
)

describe('PatternIndex', () => {
  it('finds what a scan finds, through random inserts and removals', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 80, size: 'max' }), (sequence) => {
        const index = new PatternIndex<number>()
        const held = new Map<string, readonly [pattern: string, value: number]>()
        for (const step of sequence) {
          if (step.type === 'insert') {
            const key = `${step.pattern} ${step.value}`
            expect(index.insert(step.pattern, step.value)).toBe(!held.has(key))
            held.set(key, [step.pattern, step.value])
          } else if (step.type === 'remove') {
            const key = [...held.keys()][step.pick % Math.max(1, held.size)]
            if (key === undefined) continue
            expect(index.remove(...held.get(key)!)).toBe(true)
            expect(index.remove(...held.get(key)!)).toBe(false)
            held.delete(key)
          } else {
            const scanned = [...held.values()]
              .filter(([pattern]) => naivelyMatches(pattern, step.topic))
              .map(([, value]) => value)
            expect(matchesOf(index, step.topic)).toEqual(scanned.sort())
            expect(index.hasMatch(step.topic)).toBe(scanned.length > 0)
          }
          expect(index.size).toBe(held.size)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('finds the patterns that overlap with one, as a comparison of each pair does', () => {
    const token = fc.constantFrom('a', 'b', '*')
    const pattern = fc
      .tuple(fc.array(token, { maxLength: 3 }), fc.constantFrom('a', 'b', '*', '>'))
      .map(([tokens, last]) => [...tokens, last].join('.'))
    fc.assert(
      fc.property(fc.uniqueArray(pattern, { maxLength: 12 }), pattern, (patterns, asked) => {
        const index = new PatternIndex<string>()
        for (const each of patterns) index.insert(each, each)
        const found: string[] = []
        index.forEachOverlap(asked, (value) => found.push(value))
        const wanted = patterns.filter((each) => patternsOverlap(each, asked))
        expect(found.sort()).toEqual(wanted.sort())
      }),
    )
  })

  it('keeps no node of patterns that are gone', () => {
    const index = new PatternIndex<number>()
    const gone = ['a.b.c', 'a.*.c', 'a.>', '>', '*', 'a']
    for (const pattern of gone) index.insert(pattern, 1)
    for (const pattern of gone) index.remove(pattern, 1)
    expect(index.size).toBe(0)
    expect(matchesOf(index, 'a.b.c')).toEqual([])
    expect(index.remove('never.there', 1)).toBe(false)
  })

  it('takes a published wildcard token for an ordinary one', () => {
    const index = new PatternIndex<string>()
    index.insert('a.*', 'any')
    index.insert('a.b', 'b')
    index.insert('a.>', 'tail')
    expect(matchesOf(index, 'a.*')).toEqual(['any', 'tail'])
    expect(matchesOf(index, 'a.>')).toEqual(['any', 'tail'])
  })

  it('matches nothing to a topic with an empty token', () => {
    const index = new PatternIndex<string>()
    for (const pattern of ['>', '*', '*.*', 'a.*']) index.insert(pattern, pattern)
    for (const topic of ['', 'a.', '.a', 'a..b']) expect(matchesOf(index, topic)).toEqual([])
  })
})

function matchesOf<T>(index: PatternIndex<T>, topic: string): T[] {
  const found: T[] = []
  index.forEachMatch(topic, (value) => found.push(value))
  return found.sort()
}
