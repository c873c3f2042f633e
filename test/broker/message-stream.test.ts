// Messages for loops: held until asked for, ended by leaving, by the signal, or by the broker.
import { describe, expect, it } from 'vitest'
import type { Message } from '../../src/broker/index.js'
import { MessageStream } from '../../src/broker/message-stream.js'

function makeStream(signal?: AbortSignal) {
  let give!: (message: Message) => Promise<void>
  let closed = 0
  const stream = new MessageStream<Message>((handler) => {
    give = handler
    return async () => void (closed += 1)
  }, signal)
  return { stream, give: (id: string) => give({ id } as Message), closedCount: () => closed }
}

describe('MessageStream', () => {
  it('gives a waiting loop its message at once', async () => {
    const { stream, give } = makeStream()
    const next = stream.next()
    await give('1')
    expect((await next).value.id).toBe('1')
  })

  it('keeps the handler call open until the loop has taken the message', async () => {
    const { stream, give } = makeStream()
    let isTaken = false
    const call = give('1').then(() => (isTaken = true))
    await Promise.resolve()
    expect(isTaken).toBe(false)
    expect((await stream.next()).value.id).toBe('1')
    await call
  })

  it('answers several calls of next in their order', async () => {
    const { stream, give } = makeStream()
    const asked = [stream.next(), stream.next(), stream.next()]
    for (const id of ['1', '2']) await give(id)
    stream.end()
    const results = await Promise.all(asked)
    expect(results.map(({ done, value }) => (done ? 'done' : (value as Message).id))).toEqual([
      '1',
      '2',
      'done',
    ])
  })

  it('closes the subscription when a loop is left', async () => {
    const { stream, give, closedCount } = makeStream()
    void give('1')
    for await (const message of stream) {
      expect(message.id).toBe('1')
      break
    }
    expect(closedCount()).toBe(1)
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  it('rejects with the reason of its signal, waiting or asked later, and closes', async () => {
    const controller = new AbortController()
    const { stream, closedCount } = makeStream(controller.signal)
    const asked = [stream.next(), stream.next()]
    controller.abort(new Error('enough'))
    for (const next of [...asked, stream.next()]) await expect(next).rejects.toThrow('enough')
    expect(closedCount()).toBe(1)
    expect(() => makeStream(controller.signal)).toThrow('enough')
  })
})
