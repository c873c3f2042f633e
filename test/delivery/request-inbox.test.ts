// Answers find those who asked, over an engine that does nothing by itself.
import { describe, expect, it } from 'vitest'
import { IdentifierSource, SeededRandom } from '../../src/base/index.js'
import { RequestInbox } from '../../src/delivery/index.js'
import { EmbeddedEngine } from '../../src/embedded/index.js'
import { BytesMessage, type ReplySink } from '../../src/engine/index.js'
import { encodeHeaderBlock } from '../../src/wire/index.js'

const encoder = new TextEncoder()
const nothing = new Uint8Array(0)

function makeInbox() {
  const engine = new EmbeddedEngine()
  const inbox = new RequestInbox(engine, new IdentifierSource(new SeededRandom(1)))
  return { engine, inbox }
}

function makeMessage(
  engine: EmbeddedEngine,
  topic: string,
  block: Uint8Array,
  body = '',
): BytesMessage {
  const message = new BytesMessage(engine.topic(topic))
  message.setParts(nothing, block, encoder.encode(body))
  return message
}

function makeSink(): ReplySink & { readonly log: string[] } {
  const log: string[] = []
  return {
    log,
    reply: (message) => void log.push(Buffer.from(message.toBytes().body).toString()),
    noResponders: () => void log.push('nobody'),
  }
}

describe('RequestInbox', () => {
  it('subscribes once for all requests, and not before the first', () => {
    const { engine, inbox } = makeInbox()
    engine.subscribe('a', { deliver: () => true })
    expect(engine.statistics.subscriptions).toBe(1)
    for (let i = 0; i < 3; i++) {
      const message = makeMessage(engine, 'a', nothing)
      inbox.request(message.handle, message, makeSink())
    }
    expect(engine.statistics.subscriptions).toBe(2)
  })

  it('takes status 503 without a body for "nobody", and with one for an answer', () => {
    const { engine, inbox } = makeInbox()
    const status = encoder.encode('NATS/1.0 503\r\n\r\n')
    const answers = [
      { block: status, body: '', expected: ['nobody'] },
      { block: status, body: 'text', expected: ['text'] },
      { block: encodeHeaderBlock([['Name', 'value']]), body: '', expected: [''] },
    ]
    for (const { block, body, expected } of answers) {
      const sink = makeSink()
      const responder = engine.subscribe('a', {
        deliver(message) {
          const answer = makeMessage(engine, message.replyTopic!, block, body)
          engine.publish(answer.handle, answer)
          return true
        },
      })
      const message = makeMessage(engine, 'a', nothing)
      inbox.request(message.handle, message, sink)
      responder.unsubscribe()
      expect(sink.log).toEqual(expected)
    }
  })

  it('passes over answers that nobody waits for', () => {
    const { engine, inbox } = makeInbox()
    const replies: string[] = []
    engine.subscribe('a', {
      deliver(message) {
        replies.push(message.replyTopic!)
        return true
      },
    })
    const sink = makeSink()
    const message = makeMessage(engine, 'a', nothing)
    const pending = inbox.request(message.handle, message, sink)
    pending.cancel()
    for (const topic of [replies[0]!, replies[0]!.replace(/[^.]+$/, 'foreign')]) {
      const answer = makeMessage(engine, topic, nothing, 'late')
      engine.publish(answer.handle, answer)
    }
    expect(sink.log).toEqual([])
  })
})
