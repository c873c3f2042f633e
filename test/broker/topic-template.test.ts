// Topics with parameters, filled and read back.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TopicTemplate } from '../../src/broker/topic-template.js'

describe('TopicTemplate', () => {
  it('reads back the parameters that it was filled with', () => {
    const value = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/)
    fc.assert(
      fc.property(value, value, (symbol, venue) => {
        const template = new TopicTemplate('price.{symbol}.at.{venue}')
        expect(template.pattern).toBe('price.*.at.*')
        const topic = template.fill({ symbol, venue })
        expect(topic).toBe(`price.${symbol}.at.${venue}`)
        expect(template.read(topic)).toEqual({ symbol, venue })
      }),
    )
  })

  it('takes numbers, and needs nothing where it has no parameters', () => {
    expect(new TopicTemplate('a.{id}').fill({ id: 7 })).toBe('a.7')
    expect(new TopicTemplate('a.b').fill()).toBe('a.b')
    expect(new TopicTemplate('a.b').read('a.b')).toEqual({})
  })

  it.each([undefined, '', 'a.b', 'a b', '*', '>'])('refuses %j as a parameter', (symbol) => {
    const parameters = (symbol === undefined ? {} : { symbol }) as Record<string, string>
    expect(() => new TopicTemplate('price.{symbol}').fill(parameters)).toThrow(
      expect.objectContaining({ code: 'TOPIC_INVALID' }),
    )
  })

  it.each(['a.{}', 'a.{b', 'a.b}', 'a.x{b}', 'a.{1b}', '{a}.{a}', 'a.*', 'a.>'])(
    'refuses the template %j',
    (text) => {
      expect(() => new TopicTemplate(text)).toThrow(
        expect.objectContaining({ code: 'DEFINITION_INVALID' }),
      )
    },
  )
})
