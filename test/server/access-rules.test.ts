// What a user may do, by table.
import { describe, expect, it } from 'vitest'
import { AccessRules } from '../../src/server/access-rules.js'
import type { Permissions } from '../../src/server/index.js'

const publishTable: readonly (readonly [Permissions, topic: string, isAllowed: boolean])[] = [
  [{}, 'a', true],
  [{ publish: { allow: ['a.>'] } }, 'a.b', true],
  [{ publish: { allow: ['a.>'] } }, 'a', false],
  [{ publish: { allow: [] } }, 'a', false],
  [{ publish: { deny: ['a.*'] } }, 'a.b', false],
  [{ publish: { deny: ['a.*'] } }, 'a.b.c', true],
  [{ publish: { allow: ['>'], deny: ['secret.>'] } }, 'secret.x', false],
  [{ publish: { allow: ['>'], deny: ['secret.>'] } }, 'open.x', true],
  [{ subscribe: { allow: ['a'] } }, 'anything', true],
  [{ allowResponses: { max: 1, expiresMs: 1 } }, 'a', false],
  [{ allowResponses: { max: 1, expiresMs: 1 }, publish: { allow: ['a'] } }, 'a', true],
]

const subscribeTable: readonly (readonly [
  Permissions,
  pattern: string,
  queue: string | undefined,
  isAllowed: boolean,
])[] = [
  [{}, '>', undefined, true],
  [{ subscribe: { allow: ['a.*'] } }, 'a.b', undefined, true],
  [{ subscribe: { allow: ['a.*'] } }, 'a.*', undefined, true],
  [{ subscribe: { allow: ['a.*'] } }, 'a.>', undefined, false],
  [{ subscribe: { allow: ['a.*'] } }, '>', undefined, false],
  [{ subscribe: { deny: ['a.*'] } }, 'a.b', undefined, false],
  [{ subscribe: { deny: ['a.*'] } }, 'a.>', undefined, true],
  [{ subscribe: { allow: ['a'] } }, 'a', 'any', true],
  [{ subscribe: { allow: ['a workers'] } }, 'a', 'workers', true],
  [{ subscribe: { allow: ['a workers'] } }, 'a', 'others', false],
  [{ subscribe: { allow: ['a workers'] } }, 'a', undefined, false],
  [{ subscribe: { allow: ['a v1.*'] } }, 'a', 'v1.x', true],
  [{ subscribe: { deny: ['a workers'] } }, 'a', 'workers', false],
  [{ subscribe: { deny: ['a workers'] } }, 'a', undefined, true],
]

describe('AccessRules', () => {
  it.each(publishTable)('%j lets publish to %s: %s', (permissions, topic, isAllowed) => {
    const rules = new AccessRules(permissions)
    // The second answer is a remembered one.
    expect([rules.mayPublish(topic), rules.mayPublish(topic)]).toEqual([isAllowed, isAllowed])
  })

  it.each(subscribeTable)(
    '%j lets subscribe to %s in queue %s: %s',
    (permissions, pattern, queue, isAllowed) => {
      expect(new AccessRules(permissions).maySubscribe(pattern, queue)).toBe(isAllowed)
    },
  )

  it('hides denied topics from a pattern that reaches beyond them', () => {
    const rules = new AccessRules({ subscribe: { deny: ['a.secret', 'b.>', 'c workers'] } })
    const isHidden = rules.hiddenFrom('a.*')!
    expect(['a.secret', 'a.open'].map(isHidden)).toEqual([true, false])
    expect(rules.hiddenFrom('>')!('b.x')).toBe(true)
    expect(rules.hiddenFrom('c')).toBeUndefined()
    expect(new AccessRules({}).hiddenFrom('>')).toBeUndefined()
  })

  it('goes on deciding when more topics than it remembers were asked for', () => {
    const rules = new AccessRules({ publish: { allow: ['a.*'] } })
    for (let i = 0; i < 10_000; i++) expect(rules.mayPublish(`a.${i}`)).toBe(true)
    expect(rules.mayPublish('b')).toBe(false)
  })
})
