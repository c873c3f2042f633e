// Filters: what holds against a model, what is refused, and what nobody can do to them.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FanfareError } from '../../src/base/index.js'
import { Filter, toCanonical, type FilterPattern } from '../../src/filter/index.js'
import { fieldPatterns, values } from './arbitraries.js'
import { naivelyHolds } from './naive-filter.js'
import { viewOf } from './views.js'

const matches = (data: FilterPattern['data'], value: unknown): boolean =>
  new Filter({ data }).matches(viewOf({ data: value }))

function refusalOf(pattern: unknown): FanfareError {
  try {
    new Filter(pattern)
  } catch (error) {
    if (FanfareError.is(error) && error.code === 'FILTER_INVALID') return error
    throw error
  }
  throw new Error(`${JSON.stringify(pattern)} is taken`)
}

describe('a filter', () => {
  it('holds where the model holds, for values and for what JSON makes of them', () => {
    fc.assert(
      fc.property(fieldPatterns, values, (pattern, value) => {
        const wanted = naivelyHolds(pattern, value)
        expect(matches(pattern, value)).toBe(wanted)
        expect(matches(pattern, JSON.parse(JSON.stringify(value)))).toBe(wanted)
      }),
      { numRuns: 1_500 },
    )
  })

  it('means the same in its canonical form, which is the same in any order', () => {
    fc.assert(
      fc.property(fieldPatterns, fc.array(values, { maxLength: 5 }), (data, some) => {
        const canonical = toCanonical({ data })
        expect(toCanonical(canonical)).toEqual(canonical)
        expect(JSON.stringify(toCanonical(reversed({ data })))).toBe(JSON.stringify(canonical))
        for (const value of some) {
          const view = viewOf({ data: value })
          expect(new Filter(canonical).matches(view)).toBe(new Filter({ data }).matches(view))
        }
      }),
      { numRuns: 200 },
    )
  })

  it('looks at values as JSON would show them', () => {
    const total = (value: unknown, ...conditions: unknown[]): boolean =>
      matches({ total: conditions } as FilterPattern['data'], { total: value })
    expect(total(new Date(0), '1970-01-01T00:00:00.000Z')).toBe(true)
    expect(total(new Date(NaN), null)).toBe(true)
    expect(total(NaN, null)).toBe(true)
    expect(total(Infinity, { numeric: ['>', 0] })).toBe(false)
    expect(total(undefined, { exists: false })).toBe(true)
    expect(total(() => 1, { exists: false })).toBe(true)
    expect(total(Symbol('x'), { exists: false })).toBe(true)
    expect(total([undefined], null)).toBe(true)
    expect(total(new Map([['a', 1]]), { exists: true })).toBe(false)
    expect(total(Object(5), 5)).toBe(true)
    expect(total({ toJSON: (name: string) => `${name}!` }, 'total!')).toBe(true)
    expect(matches({ a: { b: [1] } }, { a: { toJSON: () => [{ b: 1 }] } })).toBe(true)
    class Order {
      id = 7
      get double(): number {
        return 14
      }
    }
    expect(matches({ id: [7], double: [{ exists: false }] }, new Order())).toBe(true)
  })

  it('sees nothing that is inherited, in values as in patterns', () => {
    const inherited = Object.create({ a: 1 }) as object
    expect(matches({ a: [1] }, inherited)).toBe(false)
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      const pattern = JSON.parse(`{ "${name}": [{ "exists": false }] }`) as FilterPattern['data']
      expect(matches(pattern, {})).toBe(true)
      expect(matches(pattern, JSON.parse(`{ "${name}": 1 }`))).toBe(false)
    }
    expect(refusalOf({ data: inherited }).details.path).toBe('data')
    expect(refusalOf({ data: { a: [{ constructor: 'x' }] } }).details.path).toBe('data.a[0]')
  })

  it('asks every part of a message, and the body last', () => {
    const view = viewOf({
      topic: 'order.placed',
      type: 'placed',
      key: 'customer-7',
      headers: Object.assign(Object.create(null), { region: ['eu', 'us'], 'ce-id': 'x' }),
      data: { total: 5 },
    })
    const holds = (pattern: FilterPattern): boolean => new Filter(pattern).matches(view)
    expect(holds({ topic: [{ prefix: 'order.' }], type: ['placed'], key: ['customer-7'] })).toBe(
      true,
    )
    expect(holds({ headers: { region: ['us'], 'CE-Id': ['x'] } })).toBe(true)
    expect(holds({ headers: { Region: ['us'] } })).toBe(false)
    expect(holds({ headers: { other: [{ exists: false }] }, data: { total: [5] } })).toBe(true)
    expect(holds({ $or: [{ key: ['other'] }, { data: { total: [5] } }] })).toBe(true)
    const unread = Object.defineProperty({ ...view }, 'data', {
      get: () => {
        throw new Error('the body was read')
      },
    })
    expect(new Filter({ key: ['other'], data: { total: [5] } }).matches(unread)).toBe(false)
  })

  it('takes a body that is no JSON only where it asks for none, and an absent one as absent', () => {
    const view = viewOf({ isJson: false, key: 'k' })
    expect(new Filter({ data: { a: [{ exists: false }] } }).matches(view)).toBe(false)
    expect(new Filter({ key: ['k'] }).matches(view)).toBe(true)
    expect(new Filter({ $or: [{ key: ['k'] }, { data: { a: [1] } }] }).matches(view)).toBe(true)
    expect(matches({ a: [{ exists: false }] }, undefined)).toBe(true)
    expect(matches({ a: [1] }, undefined)).toBe(false)
    expect(matches([{ numeric: ['>', 1] }], 2)).toBe(true)
  })

  it('does not follow what is deep or has no end', () => {
    let deep: unknown = 'x'
    for (let i = 0; i < 100_000; i++) deep = [deep]
    expect(matches({ a: ['x'] }, { a: deep })).toBe(false)
    expect(matches({ a: [{ exists: false }] }, { a: deep })).toBe(false)
    const endless: unknown[] = []
    endless.push(endless, endless)
    expect(matches({ a: [{ exists: false }] }, { a: endless })).toBe(false)
    let level64: unknown = 'x'
    for (let i = 0; i < 64; i++) level64 = [level64]
    expect(matches({ a: ['x'] }, { a: level64 })).toBe(true)
  })

  it('does not walk back for wildcards', () => {
    const text = 'a'.repeat(50_000)
    expect(matches({ a: [{ wildcard: '*a*a*a*a*a*a*ab' }] }, { a: text })).toBe(false)
    expect(matches({ a: [{ wildcard: 'aa*a' }] }, { a: 'aa' })).toBe(false)
  })
})

describe('a pattern that is refused', () => {
  it.each<[pattern: unknown, path: string]>([
    [undefined, ''],
    [null, ''],
    ['x', ''],
    [[], ''],
    [new Map(), ''],
    [{}, ''],
    [{ data: {} }, 'data'],
    [{ data: 5 }, 'data'],
    [{ data: { total: 5 } }, 'data.total'],
    [{ data: { total: undefined } }, 'data.total'],
    [{ data: { 'a b': { c: [] } } }, 'data."a b".c'],
    [{ data: { a: [undefined] } }, 'data.a[0]'],
    [{ data: { a: new Array(1) } }, 'data.a[0]'],
    [{ data: { a: [1, NaN] } }, 'data.a[1]'],
    [{ data: { a: [2 ** 53] } }, 'data.a[0]'],
    [{ data: { a: [10n] } }, 'data.a[0]'],
    [{ data: { a: [{ numeric: ['>', 1], prefix: 'x' }] } }, 'data.a[0]'],
    [{ data: { a: [{ 'anything-but': [1, 'x'] }] } }, 'data.a[0].anything-but[1]'],
    [{ data: { a: [{ 'anything-but': { prefix: '' } }] } }, 'data.a[0].anything-but.prefix'],
    [{ data: { a: [{ wildcard: '*a*b*c*d*e*f*g*h*' }] } }, 'data.a[0].wildcard'],
    [{ data: { a: ['\ud83d'] } }, 'data.a[0]'],
    [{ data: { $or: [{ a: [1] }] } }, 'data.$or'],
    [{ key: 'x' }, 'key'],
    [{ key: [5] }, 'key[0]'],
    [{ key: [{ numeric: ['>', 5] }] }, 'key[0].numeric'],
    [{ key: [{ 'anything-but': 5 }] }, 'key[0].anything-but'],
    [{ topic: { a: ['x'] } }, 'topic'],
    [{ headers: ['x'] }, 'headers'],
    [{ headers: { a: [null] } }, 'headers.a[0]'],
    [{ headers: { a: { b: ['x'] } } }, 'headers.a'],
    [{ datum: { a: [1] } }, ''],
  ])('says where: pattern %#', (pattern, path) => {
    expect(refusalOf(pattern).details.path).toBe(path)
  })

  it('is told what it may mean', () => {
    expect(refusalOf({ data: { a: [{ numerc: ['>', 1] }] } }).details.meant).toBe('numeric')
    expect(refusalOf({ data: { a: [{ 'anything-but': { prefx: 'x' } }] } }).details.meant).toBe(
      'prefix',
    )
    expect(refusalOf({ dta: { a: [1] } }).details.meant).toBe('data')
    expect(() => new Filter({ data: { a: 5 } }, { data: 'where' })).toThrow(/^where\.a: /)
  })

  it('is too large, too deep or too many', () => {
    const nested = (depth: number): unknown => {
      let pattern: unknown = [1]
      for (let i = 0; i < depth; i++) pattern = { a: pattern }
      return { data: pattern }
    }
    expect(() => new Filter(nested(15))).not.toThrow()
    refusalOf(nested(16))
    refusalOf(nested(100_000))
    const endless: Record<string, unknown> = {}
    endless.a = endless
    refusalOf({ data: endless })
    refusalOf({ data: { a: ['x'.repeat(4_096)] } })
    refusalOf({ data: { a: new Array(257).fill(1) } })
    const wide = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`f${i}`, [1]]))
    refusalOf({ data: wide })
    refusalOf({ $or: [{ data: { a: wide } }, { data: { b: [1] } }] })
    const either = [{ a: [1] }, { b: [1] }]
    const multiplied = (times: number): unknown =>
      times === 0 ? [1] : { $or: either, deeper: multiplied(times - 1) }
    expect(() => new Filter({ data: multiplied(6) })).not.toThrow()
    refusalOf({ data: multiplied(7) })
    refusalOf({ data: { $or: new Array(1e6).fill({ a: [1] }) } })
  })
})

/** The same said in another order. */
function reversed(pattern: unknown): FilterPattern {
  const turn = (value: unknown, name = ''): unknown => {
    if (Array.isArray(value)) {
      const turned = value.map((each) => turn(each))
      return name === 'numeric' && typeof value[0] === 'string' && typeof value[1] === 'number'
        ? turned
        : turned.reverse()
    }
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([key, each]) => [key, turn(each, key)] as const)
    return Object.fromEntries(entries.reverse())
  }
  return turn(pattern) as FilterPattern
}
