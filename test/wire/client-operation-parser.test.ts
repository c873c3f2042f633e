// The parser gives the same operations however its input is cut, and survives anything.
//
// Generators: valid sequences in every allowed spelling; the same with bytes changed, inserted and removed; random bytes.
// Invariants: nothing is thrown; cutting changes nothing; what is held is bounded; after a protocol error nothing comes.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClientOperationParser } from '../../src/wire/operations/index.js'
import {
  badFrames,
  goodFrames,
  limits,
  makeFrame,
  OperationLog,
  read,
  toBytes,
  validFrame,
} from './client-frames.js'

const cuts = fc.array(fc.nat(2_000), { maxLength: 12, size: 'max' })

describe('ClientOperationParser', () => {
  it('finds one operation in each good frame that has one', () => {
    for (const frame of goodFrames) {
      const { lines, hasFailed, pendingBytes } = read(toBytes(frame))
      expect({ frame, hasFailed, pendingBytes }).toEqual({
        frame,
        hasFailed: false,
        pendingBytes: 0,
      })
      expect(lines.length, frame).toBe(/^\+OK/.test(frame) ? 0 : 1)
    }
  })

  it('reads the parts of a frame', () => {
    const linesOf = (text: string) => read(toBytes(text)).lines
    expect(linesOf('PUB a.b reply 5\r\nhello\r\n')).toEqual(['publish ["a.b","reply","","hello"]'])
    expect(linesOf('PUB a 0\r\n\r\n')).toEqual(['publish ["a","","",""]'])
    expect(linesOf('HPUB a r 3 5\r\nabcde\r\n')).toEqual(['publish ["a","r","abc","de"]'])
    expect(linesOf('SUB a 1\r\n')).toEqual(['subscribe ["a","","1"]'])
    expect(linesOf('SUB a q 1\r\n')).toEqual(['subscribe ["a","q","1"]'])
    expect(linesOf('UNSUB 1 5\r\n')).toEqual(['unsubscribe 1 5'])
    expect(linesOf('UNSUB 1\r\n')).toEqual(['unsubscribe 1 undefined'])
    expect(linesOf('UNSUB 1 x\r\n')).toEqual(['unsubscribe 1 undefined'])
    expect(linesOf('CONNECT  {"a":1}\r\n')).toEqual(['connect {"a":1}'])
    expect(linesOf("-ERR 'x'\r\n")).toEqual([`peer error 'x'`])
  })

  it('refuses each bad frame and everything behind it', () => {
    for (const frame of badFrames) {
      const { lines, hasFailed, pendingBytes } = read(toBytes(`PING\r\n${frame}PING\r\nPING\r\n`))
      expect(hasFailed, frame).toBe(true)
      expect(lines[0]).toBe('ping')
      expect(lines.length, frame).toBe(2)
      expect(pendingBytes).toBe(0)
    }
  })

  it('gives the same operations of every frame split at every byte', () => {
    for (const frame of [...goodFrames, ...badFrames]) {
      const bytes = toBytes(`${frame}PING\r\n`)
      const whole = read(bytes)
      for (let at = 0; at <= bytes.length; at++) {
        const split = read(bytes, [at])
        if (!sameLines(split.lines, whole.lines)) expect({ frame, at, ...split }).toEqual(whole)
      }
    }
  })

  it('gives the same operations of every short frame split at every pair of bytes, and byte by byte', () => {
    for (const frame of [...goodFrames, ...badFrames]) {
      const bytes = toBytes(`${frame}PING\r\n`)
      const whole = read(bytes)
      expect(read(bytes, [...bytes.keys()]), frame).toEqual(whole)
      if (bytes.length > 40) continue
      for (let first = 0; first < bytes.length; first++) {
        for (let second = first; second < bytes.length; second++) {
          const split = read(bytes, [first, second])
          if (!sameLines(split.lines, whole.lines)) expect({ frame, first, second }).toEqual(whole)
        }
      }
    }
  })

  it('gives the same operations of random valid sequences in random chunks', () => {
    const sequences = fc.array(validFrame, { maxLength: 20, size: 'max' })
    fc.assert(
      fc.property(sequences, cuts, (frames, places) => {
        const bytes = toBytes(frames.join(''))
        const whole = read(bytes)
        expect(whole.hasFailed).toBe(false)
        expect(whole.lines.length).toBe(frames.filter((frame) => frame !== '+OK\r\n').length)
        expect(read(bytes, within(places, bytes))).toEqual(whole)
      }),
      { numRuns: 300 },
    )
  })

  it('survives mutated sequences, cut anywhere, with the same outcome', () => {
    const mutation = fc.record({
      at: fc.nat(500),
      removed: fc.nat(3),
      inserted: fc.string({ unit: 'binary-ascii', maxLength: 3 }),
    })
    const frames = fc.array(fc.oneof(validFrame, fc.constantFrom(...goodFrames)), { maxLength: 8 })
    fc.assert(
      fc.property(
        frames,
        fc.array(mutation, { maxLength: 4 }),
        cuts,
        (sequence, mutations, places) => {
          let text = sequence.join('')
          for (const { at, removed, inserted } of mutations) {
            const place = at % (text.length + 1)
            text = text.slice(0, place) + inserted + text.slice(place + removed)
          }
          const bytes = toBytes(text)
          expect(read(bytes, within(places, bytes))).toEqual(read(bytes))
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('survives random bytes, cut anywhere, with the same outcome', () => {
    const start = fc.constantFrom(
      '',
      'PUB ',
      'HPUB a 1 2',
      'SUB ',
      'CONNECT ',
      'UNSUB 1',
      'PUB a 3\r\n',
    )
    fc.assert(
      fc.property(
        start,
        fc.uint8Array({ maxLength: 300, size: 'max' }),
        cuts,
        (verb, rest, places) => {
          const bytes = new Uint8Array([...toBytes(verb), ...rest])
          expect(read(bytes, within(places, bytes))).toEqual(read(bytes))
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('takes lines and payloads up to the limits and not beyond', () => {
    const line = (bytes: number) => `SUB ${'x'.repeat(bytes - 2)} 1\r\n`
    const body = (bytes: number) => `PUB a ${bytes}\r\n${'x'.repeat(bytes)}\r\n`
    const { maxControlLineBytes, maxPayloadBytes } = limits
    expect(read(toBytes(line(maxControlLineBytes))).hasFailed).toBe(false)
    expect(read(toBytes(line(maxControlLineBytes + 1))).lines).toEqual([
      'protocol error maximum control line exceeded',
    ])
    expect(read(toBytes(body(maxPayloadBytes))).hasFailed).toBe(false)
    expect(read(toBytes(body(maxPayloadBytes + 1))).lines).toEqual([
      'protocol error Maximum Payload Violation',
    ])
  })

  it('fails a line that is too long before its end comes', () => {
    expect(read(toBytes(`CONNECT ${'x'.repeat(limits.maxControlLineBytes + 3)}`)).hasFailed).toBe(
      true,
    )
  })

  it('stops after the operation at hand while held, and goes on where it stopped', () => {
    const log = new OperationLog()
    const parser = new ClientOperationParser(log, makeFrame(), limits)
    const bytes = toBytes('CONNECT {}\r\nPING\r\nPUB a 1\r\nx\r\n')
    log.connect = (json) => {
      log.lines.push(`connect ${json}`)
      parser.hold()
    }
    const taken = parser.feed(bytes, 0, bytes.length)
    expect(taken).toBe('CONNECT {}\r\n'.length)
    expect(parser.feed(bytes, taken, bytes.length)).toBe(taken)
    parser.resume()
    expect(parser.feed(bytes, taken, bytes.length)).toBe(bytes.length)
    expect(log.lines).toEqual(['connect {}', 'ping', 'publish ["a","","","x"]'])
  })

  it('ignores everything after stop', () => {
    const log = new OperationLog()
    const parser = new ClientOperationParser(log, makeFrame(), limits)
    const bytes = toBytes('PUB a 5\r\nhel')
    parser.feed(bytes, 0, bytes.length)
    expect(parser.pendingBytes).toBeGreaterThan(0)
    parser.stop()
    expect(parser.pendingBytes).toBe(0)
    expect(parser.feed(bytes, 0, bytes.length)).toBe(bytes.length)
    expect(log.lines).toEqual([])
  })
})

function within(places: readonly number[], bytes: Uint8Array): number[] {
  return places.map((place) => place % (bytes.length + 1))
}

/** Far cheaper than the runner's comparison, for loops over every cut. */
function sameLines(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((line, i) => line === right[i])
}
