// What the server writes, read by an independent reader.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteArena } from '../../src/base/index.js'
import {
  encodeError,
  encodeInfo,
  encodeNoResponders,
  MESSAGE_LINE_OVERHEAD,
  okLine,
  pingLine,
  pongLine,
  writeCounts,
  writeMessageStart,
  writeReply,
} from '../../src/wire/operations/index.js'
import { readServerOutput } from './server-output.js'

const word = fc.stringMatching(/^[A-Za-z0-9.$_-]{1,30}$/)

describe('server operations', () => {
  it('are read back as they were meant', () => {
    const information = { server_id: 'N1', max_payload: 1_048_576, text: 'grüße', nested: [1] }
    expect(readServerOutput(encodeInfo({ ...information, text: 'ascii' }))).toEqual([
      { type: 'INFO', information: { ...information, text: 'ascii' } },
    ])
    expect(readServerOutput(encodeError('Unknown Protocol Operation'))).toEqual([
      { type: '-ERR', text: 'Unknown Protocol Operation' },
    ])
    expect([okLine, pingLine, pongLine].flatMap(readServerOutput)).toEqual([
      { type: '+OK' },
      { type: 'PING' },
      { type: 'PONG' },
    ])
  })

  it('say that nobody responds with status 503, the subject asked and no body', () => {
    expect(readServerOutput(encodeNoResponders('_INBOX.1', '9', 'asked.here'))).toEqual([
      {
        type: 'HMSG',
        subject: '_INBOX.1',
        sid: '9',
        reply: undefined,
        headers: 'NATS/1.0 503\r\nNats-Subject: asked.here\r\n\r\n',
        body: '',
      },
    ])
  })

  it('write message lines of any parts and counts within the stated overhead', () => {
    const arena = new ByteArena({ slabBytes: 4_096, slabCount: 1 })
    const slab = arena.borrow()
    const encoder = new TextEncoder()
    const counts = fc.oneof(fc.nat(999_999_999), fc.constantFrom(0, 9, 10, 99, 100, 99_999_999))
    fc.assert(
      fc.property(
        word,
        word,
        fc.option(word, { nil: undefined }),
        fc.option(counts, { nil: undefined }),
        counts,
        (subject, sid, reply, headerBytes, totalBytes) => {
          const [subjectBytes, sidBytes] = [encoder.encode(subject), encoder.encode(sid)]
          const replyBytes = encoder.encode(reply ?? '')
          const hasHeaders = headerBytes !== undefined
          const startTo = writeMessageStart(slab, 7, hasHeaders, subjectBytes, sidBytes)
          const replyTo =
            reply === undefined
              ? startTo
              : writeReply(slab, startTo, replyBytes, 0, replyBytes.length)
          const to = writeCounts(slab, replyTo, headerBytes ?? -1, totalBytes)
          const words = [hasHeaders ? 'HMSG' : 'MSG', subject, sid, reply, headerBytes, totalBytes]
          const expected = words.filter((each) => each !== undefined).join(' ')
          expect(Buffer.from(slab.bytes.subarray(7, to)).toString()).toBe(`${expected}\r\n`)
          const partBytes = subject.length + sid.length + replyBytes.length
          expect(to - 7).toBeLessThanOrEqual(partBytes + MESSAGE_LINE_OVERHEAD)
        },
      ),
    )
  })
})
