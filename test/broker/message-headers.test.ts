// Headers keep their case and their repetitions; ours are found in any case.
import { describe, expect, it } from 'vitest'
import { MessageHeaders } from '../../src/broker/message-headers.js'

describe('MessageHeaders', () => {
  const headers = MessageHeaders.from({ 'Trace-Id': 'a', 'trace-id': 'b', Many: ['1', '2'] })

  it('tells names apart by case, and finds them in any', () => {
    expect([headers.get('Trace-Id'), headers.get('trace-id')]).toEqual(['a', 'b'])
    expect(headers.get('TRACE-ID')).toBeUndefined()
    expect(headers.find('TRACE-ID')).toBe('a')
    expect([headers.has('Many'), headers.has('many')]).toEqual([true, false])
  })

  it('gives every value in order', () => {
    expect(headers.getAll('Many')).toEqual(['1', '2'])
    expect(headers.getAll('None')).toEqual([])
    expect(headers.size).toBe(4)
    expect(MessageHeaders.from(headers).size).toBe(4)
    expect([...MessageHeaders.from([['a', 'b']])]).toEqual([['a', 'b']])
    expect(MessageHeaders.from(undefined).size).toBe(0)
  })
})
