// Answers that a request allows: so many, so long, to that address only.
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../src/base/index.js'
import { BytesMessage } from '../../src/engine/index.js'
import { ReplyAllowance } from '../../src/server/reply-allowance.js'
import { TopicTable } from '../../src/topic/index.js'

const nothing = new Uint8Array(0)

function requestWith(reply: string): BytesMessage {
  const message = new BytesMessage(new TopicTable().atName('q'))
  message.setParts(Buffer.from(reply), nothing, nothing)
  return message
}

describe('ReplyAllowance', () => {
  it('allows as many answers as it says, to the address of a request only', () => {
    const allowance = new ReplyAllowance({ max: 2, expiresMs: 1_000 }, new VirtualClock())
    expect(allowance.use('r.1')).toBe(false)
    allowance.grant(requestWith('r.1'))
    expect(['r.1', 'r.2', 'r.1', 'r.1'].map((reply) => allowance.use(reply))).toEqual([
      true,
      false,
      true,
      false,
    ])
  })

  it('ends with its time', () => {
    const clock = new VirtualClock()
    const allowance = new ReplyAllowance({ max: 10, expiresMs: 1_000 }, clock)
    allowance.grant(requestWith('r'))
    clock.advance(999)
    expect(allowance.use('r')).toBe(true)
    clock.advance(1)
    expect(allowance.use('r')).toBe(false)
  })

  it('takes negative numbers for no limit, and keeps live grants while it sweeps', () => {
    const clock = new VirtualClock()
    const allowance = new ReplyAllowance({ max: -1, expiresMs: -1 }, clock)
    for (let i = 0; i < 5_000; i++) allowance.grant(requestWith(`r.${i}`))
    clock.advance(1e9)
    for (let i = 0; i < 5; i++) expect(allowance.use('r.0')).toBe(true)
  })
})
