// Receipts come in the order of the publishes, as runs, whatever commits and failures fall between.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FanfareError } from '../../src/base/index.js'
import { Receipts } from '../../src/embedded/receipts.js'
import type { ReceiptSink, Stream } from '../../src/engine/index.js'

const stream = { name: 'orders' } as Stream
const lost = new FanfareError('DISK_FULL', 'full')

function makeReceipts(): Receipts {
  return new Receipts(stream, (error) => {
    throw error
  })
}

class Recorder implements ReceiptSink {
  readonly seen: string[] = []
  readonly calls: string[] = []

  committed(_stream: Stream, token: number, sequence: number, count: number): void {
    this.calls.push(`committed ${token} ${sequence} ${count}`)
    for (let i = 0; i < count; i++) this.seen.push(`committed ${token + i} ${sequence + i}`)
  }

  duplicate(_stream: Stream, token: number, sequence: number): void {
    this.calls.push(`duplicate ${token} ${sequence}`)
    this.seen.push(`duplicate ${token} ${sequence}`)
  }

  refused(token: number, count: number, error: FanfareError): void {
    this.calls.push(`refused ${token} ${count} ${error.code}`)
    for (let i = 0; i < count; i++) this.seen.push(`refused ${token + i}`)
  }
}

describe('receipts', () => {
  it('tells of neighbours in one call, and splits a run where the commit ends', () => {
    const receipts = makeReceipts()
    const sink = new Recorder()
    for (let i = 0; i < 5; i++) receipts.accepted(sink, 10 + i, 1 + i)
    receipts.committed(3)
    receipts.committed(5)
    expect(sink.calls).toEqual(['committed 10 1 3', 'committed 13 4 2'])
    expect(receipts.isEmpty).toBe(true)
  })

  it('keeps a duplicate behind what was published before it', () => {
    const receipts = makeReceipts()
    const sink = new Recorder()
    receipts.accepted(sink, 0, 1)
    receipts.duplicated(sink, 1, 1)
    receipts.accepted(sink, 2, 2)
    receipts.committed(2)
    expect(sink.calls).toEqual(['committed 0 1 1', 'duplicate 1 1', 'committed 2 2 1'])
  })

  it('refuses what is lost and keeps what is not', () => {
    const receipts = makeReceipts()
    const sink = new Recorder()
    for (let i = 0; i < 4; i++) receipts.accepted(sink, i, 1 + i)
    receipts.failed(3, lost)
    receipts.committed(2)
    expect(sink.calls).toEqual(['refused 2 2 DISK_FULL', 'committed 0 1 2'])
  })

  it('agrees with one receipt for each message', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('accept' as const), sink: fc.nat(2) }),
      fc.record({ kind: fc.constant('duplicate' as const), sink: fc.nat(2) }),
      fc.record({ kind: fc.constant('commit' as const), upTo: fc.nat(100) }),
      fc.record({ kind: fc.constant('fail' as const) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const receipts = makeReceipts()
        const sinks = [new Recorder(), new Recorder(), new Recorder()]
        const wanted: string[][] = [[], [], []]
        let waiting: { sink: number; text: string; token: number; sequence: number }[] = []
        const tokens = [0, 0, 0]
        let accepted = 0
        let committed = 0
        const settle = (): void => {
          while (waiting.length > 0 && waiting[0]!.sequence <= committed) {
            const next = waiting.shift()!
            wanted[next.sink]!.push(next.text)
          }
        }
        for (const step of steps) {
          if (step.kind === 'commit') {
            committed = Math.min(accepted, committed + (step.upTo % 5))
            receipts.committed(committed)
            settle()
          } else if (step.kind === 'fail') {
            receipts.failed(committed + 1, lost)
            for (const { sink, token, sequence } of waiting) {
              if (sequence > committed) wanted[sink]!.push(`refused ${token}`)
            }
            waiting = waiting.filter(({ sequence }) => sequence <= committed)
            accepted = committed
          } else {
            const token = tokens[step.sink]!++
            const isNew = step.kind === 'accept' || accepted === 0
            const sequence = isNew ? ++accepted : accepted
            const text = `${isNew ? 'committed' : 'duplicate'} ${token} ${sequence}`
            waiting.push({ sink: step.sink, text, token, sequence })
            if (isNew) receipts.accepted(sinks[step.sink]!, token, sequence)
            else receipts.duplicated(sinks[step.sink]!, token, sequence)
          }
        }
        sinks.forEach((sink, i) => expect(sink.seen).toEqual(wanted[i]))
      }),
    )
  })
})
