// Client operations as bytes: a corpus of frames, a generator of valid sequences, and a sink that writes down what a parser
// finds, so that two ways of feeding the same bytes can be compared.
import fc from 'fast-check'
import {
  ClientOperationParser,
  type ClientOperationSink,
  type ParserLimits,
  type ProtocolError,
  type PublishFrame,
} from '../../src/wire/operations/index.js'

export const limits: ParserLimits = { maxControlLineBytes: 128, maxPayloadBytes: 600 }

/** The most that one unfinished frame may hold: a line with its CR and one byte over, a payload, a line end. */
export const mostPendingBytes = limits.maxControlLineBytes + 2 + limits.maxPayloadBytes + 2

const headers = 'NATS/1.0\r\nName: value\r\n\r\n'

export const goodFrames: readonly string[] = [
  'PUB a 5\r\nhello\r\n',
  'PUB a.b.c reply.to 5\r\nhello\r\n',
  'PUB a 0\r\n\r\n',
  'PUB a 00005\r\nhello\r\n',
  'PUB a 4\r\n\r\n\r\n\r\n',
  'PUB a 13\r\nPUB b 2\r\nxx\r\n\r\n',
  'pub a 2\r\nhi\r\n',
  'PuB   a \t reply   2  \r\nhi\r\n',
  'PUB\ta\t2\r\nhi\r\n',
  'PUB a 2\nhi\r\n',
  'PUB gr\u00c3\u00bc\u00c3\u009fe 2\r\nhi\r\n',
  'PUB \u00ff\u00fe 2\r\nhi\r\n',
  `PUB ${'t'.repeat(100)} 3\r\nabc\r\n`,
  `PUB a ${limits.maxPayloadBytes}\r\n${'x'.repeat(limits.maxPayloadBytes)}\r\n`,
  `HPUB a ${headers.length} ${headers.length + 5}\r\n${headers}hello\r\n`,
  `HPUB a reply ${headers.length} ${headers.length}\r\n${headers}\r\n`,
  'HPUB a 0 5\r\nhello\r\n',
  `hpub  a\treply ${headers.length}  ${headers.length + 1}\r\n${headers}x\r\n`,
  'SUB a 1\r\n',
  'SUB a.* workers 22\r\n',
  'sub\t>  7\n',
  'UNSUB 1\r\n',
  'UNSUB 1 5\r\n',
  'UNSUB 1 nonsense\r\n',
  'CONNECT {"verbose":false}\r\n',
  'CONNECT{}\r\n',
  'PING\r\n',
  'ping\n',
  'PING and more\r\n',
  'PONG\r\n',
  '+OK\r\n',
  "-ERR 'trouble'\r\n",
  'INFO {"a":1}\r\n',
]

/** Each breaks the protocol; what follows is never read. */
export const badFrames: readonly string[] = [
  'NONSENSE\r\n',
  '\r\n',
  'PUBX a 5\r\nhello\r\n',
  'PUB a\r\n',
  'PUB a b c 5\r\nhello\r\n',
  'PUB a -1\r\n',
  'PUB a five\r\n',
  'PUB a 5.0\r\n',
  'PUB a 9999999999\r\n',
  'PUB a 5\r\nhelloXX',
  'PUB a 5\r\nhello\rX',
  'PUB a 5\r\nhello world\r\n',
  'HPUB a 5\r\n',
  'HPUB a 9 5\r\nhello\r\n',
  'HPUB a x 5\r\nhello\r\n',
  'HPUB a b c 1 5\r\nhello\r\n',
  'SUB a\r\n',
  'SUB a b c d\r\n',
  'SUB\r\n',
  'UNSUB\r\n',
  'UNSUB 1 2 3\r\n',
  `PUB a ${limits.maxPayloadBytes + 1}\r\n`,
  `SUB ${'x'.repeat(limits.maxControlLineBytes)} 1\r\n`,
  `PUB ${'x'.repeat(limits.maxControlLineBytes)} 1\r\nx\r\n`,
  `CONNECT ${'x'.repeat(limits.maxControlLineBytes + 1)}\r\n`,
]

const token = fc.stringMatching(/^[A-Za-z0-9$_-]{1,8}$/)
const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'))
const payload = fc.string({
  unit: fc.constantFrom('a', '\r', '\n', ' ', 'P', '\u00ff'),
  maxLength: 200,
})
const gap = fc.constantFrom(' ', ' ', ' ', '  ', '\t', ' \t ')
const end = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n')

const publishFrame = fc
  .tuple(subject, fc.option(subject, { nil: undefined }), payload, payload, fc.boolean(), gap, end)
  .map(([topic, reply, block, body, hasHeaders, space, lineEnd]) => {
    const words = ['PUB', topic, ...(reply === undefined ? [] : [reply])]
    if (!hasHeaders) return `${[...words, body.length].join(space)}${lineEnd}${body}\r\n`
    const counts = [block.length, block.length + body.length]
    return `H${[...words, ...counts].join(space)}${lineEnd}${block}${body}\r\n`
  })

/** One valid frame, written in one of the ways that are allowed. */
export const validFrame: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: publishFrame },
  {
    weight: 1,
    arbitrary: fc
      .tuple(subject, fc.option(token, { nil: undefined }), token, gap, end)
      .map(([topic, queue, sid, space, lineEnd]) =>
        ['SUB', topic, ...(queue === undefined ? [] : [queue]), sid].join(space).concat(lineEnd),
      ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(token, fc.nat(99)).map(([sid, max]) => `UNSUB ${sid} ${max}\r\n`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('PING\r\n', 'PONG\r\n', 'CONNECT {"a":1}\r\n', '+OK\r\n'),
  },
)

/** One character a byte. */
export function toBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

function toText(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.subarray(from, to)).toString('latin1')
}

/** Writes operations down as lines. */
export class OperationLog implements ClientOperationSink {
  readonly lines: string[] = []
  hasFailed = false

  publish(frame: PublishFrame): void {
    const { buffer } = frame
    const parts = [
      toText(buffer, frame.subjectStart, frame.subjectEnd),
      toText(buffer, frame.replyStart, frame.replyEnd),
      toText(buffer, frame.headersStart, frame.headersEnd),
      toText(buffer, frame.bodyStart, frame.bodyEnd),
    ]
    this.#add(`publish ${JSON.stringify(parts)}`)
  }

  connect(json: string): void {
    this.#add(`connect ${json}`)
  }

  subscribe(topic: string, queue: string, sid: string): void {
    this.#add(`subscribe ${JSON.stringify([topic, queue, sid])}`)
  }

  unsubscribe(sid: string, max: number | undefined): void {
    this.#add(`unsubscribe ${sid} ${max}`)
  }

  ping(): void {
    this.#add('ping')
  }

  pong(): void {
    this.#add('pong')
  }

  peerInfo(): void {
    this.#add('peer info')
  }

  peerError(text: string): void {
    this.#add(`peer error ${text}`)
  }

  protocolError(error: ProtocolError): void {
    this.#add(`protocol error ${error.reason}`)
    this.hasFailed = true
  }

  #add(line: string): void {
    if (this.hasFailed) throw new Error(`after a protocol error: ${line}`)
    this.lines.push(line)
  }
}

export function makeFrame(): PublishFrame {
  return {
    buffer: new Uint8Array(0),
    subjectStart: 0,
    subjectEnd: 0,
    replyStart: 0,
    replyEnd: 0,
    headersStart: 0,
    headersEnd: 0,
    bodyStart: 0,
    bodyEnd: 0,
  }
}

export interface Reading {
  readonly lines: readonly string[]
  readonly hasFailed: boolean
  readonly pendingBytes: number
}

/**
 * What a parser finds in `bytes` cut at the given places. As sockets do, every chunk lies in one buffer that the next one
 * overwrites, at an offset of its own.
 */
export function read(bytes: Uint8Array, cuts: readonly number[] = []): Reading {
  const log = new OperationLog()
  const parser = new ClientOperationParser(log, makeFrame(), limits)
  const shared = new Uint8Array(bytes.length + 3)
  const places = [0, ...cuts, bytes.length].sort((left, right) => left - right)
  for (let i = 1; i < places.length; i++) {
    const chunk = bytes.subarray(places[i - 1], places[i])
    shared.fill(0x2a)
    shared.set(chunk, 3)
    const taken = parser.feed(shared, 3, 3 + chunk.length)
    if (taken !== 3 + chunk.length) throw new Error(`took ${taken - 3} of ${chunk.length} bytes`)
    if (parser.pendingBytes > mostPendingBytes)
      throw new Error(`holds ${parser.pendingBytes} bytes`)
  }
  return { lines: log.lines, hasFailed: log.hasFailed, pendingBytes: parser.pendingBytes }
}
