// Filters against what EventBridge's own matcher was observed to answer. Every difference is listed with its reason, and one that
// no longer differs fails.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { FanfareError } from '../../src/base/index.js'
import { Filter } from '../../src/filter/index.js'
import { viewOfBody } from './views.js'

type Verdict = 'match' | 'no' | 'reject'

interface Vector {
  readonly group: string
  readonly pattern: string
  readonly event?: string
  readonly expect: Verdict
}

const file = new URL('event-ruler-vectors.json', import.meta.url)
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { readonly vectors: Vector[] }

/** Patterns and events, `pattern` or `pattern <- event`, that Fanfare answers otherwise, by the reason. */
const differences: Readonly<Record<string, readonly string[]>> = {
  'numbers are doubles, and what is no exact double is refused as a value': [
    '{"a":[123456789012345678901]}',
    '{"a":[9007199254740993]}',
    '{"a":[9007199254740992]}',
    '{"a":[9007199254740993,{"numeric":[">",0]}]}',
    '{"a":[1234567890123456789]}',
    '{"a":[1e400]}',
  ],
  'numbers are doubles, as JSON.parse reads them': [
    '{"a":[0.1]} <- {"a":0.1000000000000000055511151231257827}',
    '{"a":[{"numeric":[">",0]}]} <- {"a":9007199254740993}',
    '{"a":[{"numeric":[">",0]}]} <- {"a":12345678901234567890123}',
    '{"a":[{"numeric":[">",9007199254740993]}]}',
    '{"a":[{"numeric":["=",1e-400]}]}',
  ],
  'a range of one number holds for it': ['{"a":[{"numeric":[">=",5,"<=",5]}]}'],
  'a text that looks like an address is a text': [
    '{"a":["10.0.0.1"]} <- {"a":"10.0.0.01"}',
    '{"a":["2001:db8::1"]} <- {"a":"2001:0db8:0:0:0:0:0:1"}',
  ],
  'a block may be one address': ['{"a":[{"cidr":"10.0.0.1/32"}]}'],
  'a block of IPv4 has no address of IPv6': ['{"a":[{"cidr":"0.0.0.0/0"}]} <- {"a":"::1"}'],
  'case is folded by one rule, in which every sigma is one': [
    '{"a":[{"equals-ignore-case":"ς"}]} <- {"a":"σ"}',
  ],
  'a dot in a name is a dot, and an empty name a name': [
    '{"a":{"b":[1]},"a.b":[2]} <- {"a":{"b":2}}',
    '{"a":{"b":[1]},"a.b":[2]} <- {"a.b":2}',
    '{"a":{"b":["x"]}} <- {"a.b":"x"}',
    '{"a":{"":["x"]}} <- {"a":{"":"x"}}',
    '{"a":{"":["x"]}} <- {"a.":"x"}',
  ],
  '$or is always the operator': [
    '{"$or":["x"]}',
    '{"$or":{"a":[1]}}',
    '{"$or":[{"prefix":[1]},{"b":[2]}]}',
  ],
  'what stands beside $or holds too, in whatever order': [
    '{"a":[1],"$or":[{"a":[2]},{"b":[2]}]} <- {"a":2}',
    '{"a":[1],"$or":[{"a":[2]},{"b":[2]}]} <- {"a":2,"b":2}',
    '{"$or":[{"a":[2]},{"b":[2]}],"a":[1]} <- {"a":1}',
  ],
  'of a name that JSON has twice the last is taken': [
    '{"$or":[{"a":[1]},{"b":[2]}],"$or":[{"c":[1]},{"d":[2]}]} <- {"c":1}',
    '{"a":{"b":[1]},"a":{"c":[2]}} <- {"a":{"c":2}}',
    '{"a":[1]} <- {"a":1,"a":2}',
    '{"a":{"x":[1],"y":[2]}} <- {"a":{"x":1},"a":{"y":2}}',
  ],
  'absence is said of the element that the other fields chose, whatever the names': [
    '{"a":{"b":[{"exists":false}],"c":[1]}} <- {"a":[{"c":1},{"b":1}]}',
    '{"a":{"b":[{"exists":false}],"c":[1]}} <- {"a":[{"c":1,"b":2},{"c":1}]}',
    '{"a":{"b":[{"exists":false}],"c":[{"exists":true}]}} <- {"a":[{"b":1},{"c":1}]}',
    '{"a":{"b":[{"exists":false}],"c":[{"exists":true}]}} <- {"a":[{"c":1,"b":1},{"c":2}]}',
    '{"a":{"b":[{"exists":false}],"z":[1]}} <- {"a":[{"b":1},{"z":1}]}',
    '{"a":{"b":[{"exists":false}],"z":[1]}} <- {"a":[{"z":1},{"b":1}]}',
    '{"a":{"b":[{"exists":false}],"z":[1]}} <- {"a":[{"z":1,"b":1},{"z":1}]}',
  ],
  'what follows the value is no JSON': ['{"a":["x"]} <- {"a":"x"} trailing'],
}

const reasons = new Map(
  Object.entries(differences).flatMap(([reason, keys]) => keys.map((key) => [key, reason])),
)

describe('filters and event-ruler', () => {
  const used = new Set<string>()

  it.each(vectors)('$group: $pattern <- $event', ({ pattern, event, expect: observed }) => {
    const keys = [pattern, `${pattern} <- ${event}`].filter((key) => reasons.has(key))
    for (const key of keys) used.add(key)
    const verdict = verdictOf(pattern, event)
    if (keys.length === 0) expect(verdict).toBe(observed)
    else expect(verdict, `agrees; take it off the differences: ${keys.join()}`).not.toBe(observed)
  })

  it('differ where it is listed, and nowhere else', () => {
    expect([...reasons.keys()].filter((key) => !used.has(key))).toEqual([])
  })
})

/** A pattern that is refused by one and taken by the other has no event: it counts as a match. */
function verdictOf(pattern: string, event: string | undefined): Verdict {
  let filter: Filter
  try {
    filter = new Filter({ data: JSON.parse(pattern) as unknown })
  } catch (error) {
    if (FanfareError.is(error) && error.code === 'FILTER_INVALID') return 'reject'
    throw error
  }
  if (event === undefined) return 'match'
  return filter.matches(viewOfBody(event)) ? 'match' : 'no'
}
