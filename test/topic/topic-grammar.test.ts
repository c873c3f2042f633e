// The grammar by table, and the relations between patterns against brute force over every short topic.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FanfareError } from '../../src/base/index.js'
import {
  assertPattern,
  assertTopic,
  findPatternFault,
  findTopicFault,
  hasWildcard,
  isSubsetPattern,
  matchesPattern,
  patternsOverlap,
} from '../../src/topic/index.js'
import { everyTopic, naivelyMatches, patterns, topics } from './patterns.js'

const table: readonly (readonly [text: string, isTopic: boolean, isPattern: boolean])[] = [
  ['a', true, true],
  ['a.b.c', true, true],
  ['grüße.世界', true, true],
  ['a-b_c$.{x}', true, true],
  ['foo*', true, true],
  ['foo*.b>r', true, true],
  ['a.**', true, true],
  ['$SYS.x', true, true],
  ['*', false, true],
  ['>', false, true],
  ['a.*', false, true],
  ['a.*.b', false, true],
  ['a.>', false, true],
  ['*.>', false, true],
  ['a.>.b', false, false],
  ['>.a', false, false],
  ['', false, false],
  ['.', false, false],
  ['.a', false, false],
  ['a.', false, false],
  ['a..b', false, false],
  ['a b', false, false],
  ['a\tb', false, false],
  ['a\r\nb', false, false],
  ['a\fb', false, false],
  ['a\u00a0b', true, true],
]

/** One token more than the longest pattern that is generated, so that '>' has something to swallow. */
const everyShortTopic = everyTopic(5)

describe('the grammar', () => {
  it.each(table)('says of %j: topic %j, pattern %j', (text, isTopic, isPattern) => {
    expect(findTopicFault(text) === undefined).toBe(isTopic)
    expect(findPatternFault(text) === undefined).toBe(isPattern)
  })

  it('throws coded errors that name the offender', () => {
    expect(() => assertTopic('a')).not.toThrow()
    expect(() => assertPattern('a.>')).not.toThrow()
    expect(() => assertTopic('a..b')).toThrow(
      expect.objectContaining({ code: 'TOPIC_INVALID', details: { topic: 'a..b' } }),
    )
    expect(() => assertPattern('>.a')).toThrow(FanfareError)
    expect(() => assertPattern('>.a')).toThrow(
      expect.objectContaining({ code: 'PATTERN_INVALID', details: { pattern: '>.a' } }),
    )
  })

  it('takes wildcards for such only as whole tokens', () => {
    expect(['a.*', '>', '*.a'].map(hasWildcard)).toEqual([true, true, true])
    expect(['a', 'a*', 'a.>b'].map(hasWildcard)).toEqual([false, false, false])
  })
})

describe('relations between patterns', () => {
  it('matches as a regular expression would', () => {
    fc.assert(
      fc.property(patterns, topics, (pattern, topic) => {
        expect(matchesPattern(pattern, topic)).toBe(naivelyMatches(pattern, topic))
      }),
      { numRuns: 1_000 },
    )
  })

  it('finds an overlap exactly where some topic is matched by both', () => {
    fc.assert(
      fc.property(patterns, patterns, (left, right) => {
        const isShared = everyShortTopic.some(
          (topic) => matchesPattern(left, topic) && matchesPattern(right, topic),
        )
        expect(patternsOverlap(left, right)).toBe(isShared)
        expect(patternsOverlap(right, left)).toBe(isShared)
      }),
      { numRuns: 500 },
    )
  })

  it('finds a subset exactly where every topic of one is matched by the other', () => {
    // A topic outside the alphabet stands for all the tokens that neither pattern names.
    const universe = [
      ...everyShortTopic,
      ...everyShortTopic.map((topic) => topic.replaceAll('c', 'z')),
    ]
    fc.assert(
      fc.property(patterns, patterns, (inner, outer) => {
        const isContained = universe.every(
          (topic) => !matchesPattern(inner, topic) || matchesPattern(outer, topic),
        )
        expect(isSubsetPattern(inner, outer)).toBe(isContained)
      }),
      { numRuns: 500 },
    )
  })
})
