// The window against a plain list of ids with their times, over restarts.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DuplicateWindow } from '../../src/delivery/ledger/index.js'

const WINDOW_MS = 50

/** The bytes of an id, in the middle of others. */
function bytesOf(id: number): Uint8Array {
  return new TextEncoder().encode(`<id-${id}>`)
}

const anyStep = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('publish' as const), id: fc.nat(60) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('advance' as const), ms: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('refuse' as const), last: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restart' as const) }) },
)

describe('DuplicateWindow', () => {
  it('remembers what a list of ids remembers', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 3, 20, 1000),
        fc.array(anyStep, { maxLength: 300, size: 'max' }),
        (capacity, steps) => {
          let window = new DuplicateWindow(WINDOW_MS, capacity)
          let known: { id: number; sequence: number; atMs: number }[] = []
          let nowMs = 1000
          let sequence = 0
          let forgottenEarly = 0
          for (const step of steps) {
            if (step.type === 'advance') nowMs += step.ms
            known = known.filter(({ atMs }) => atMs > nowMs - WINDOW_MS)
            if (step.type === 'publish') {
              const bytes = bytesOf(step.id)
              const found = window.find(bytes, 1, bytes.length - 1, nowMs)
              expect(found).toBe(known.find(({ id }) => id === step.id)?.sequence)
              expect(window.size).toBe(known.length)
              sequence += 1
              window.add(bytes, 1, bytes.length - 1, sequence, nowMs)
              if (found !== undefined) continue
              known.push({ id: step.id, sequence, atMs: nowMs })
              if (known.length > capacity) {
                known.shift()
                forgottenEarly += 1
              }
            } else if (step.type === 'refuse') {
              sequence = Math.max(0, sequence - step.last)
              window.removeFrom(sequence + 1)
              known = known.filter((one) => one.sequence <= sequence)
            } else if (step.type === 'restart') {
              window = DuplicateWindow.restore(WINDOW_MS, capacity, window.snapshot())
            }
            expect(window.forgottenEarly).toBe(forgottenEarly)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  it('grows, and gives room back when its ids have aged', () => {
    const window = new DuplicateWindow(1000, 100_000)
    const ids = Array.from({ length: 5000 }, (_, id) => bytesOf(id))
    ids.forEach((bytes, i) => window.add(bytes, 0, bytes.length, i + 1, i))
    const last = ids.at(-1)!
    for (let atMs = 5000; atMs <= 5998; atMs++) {
      expect(window.find(last, 0, last.length, atMs)).toBe(5000)
      expect(window.size).toBe(5999 - atMs)
    }
    expect(window.find(last, 0, last.length, 5999)).toBeUndefined()
    expect(window.forgottenEarly).toBe(0)
  })

  it('keeps nothing when its bounds allow nothing', () => {
    for (const window of [new DuplicateWindow(0, 10), new DuplicateWindow(10, 0)]) {
      window.add(bytesOf(1), 0, 4, 1, 0)
      expect(window.find(bytesOf(1), 0, 4, 0)).toBeUndefined()
    }
  })

  it('refuses a snapshot that a newer version wrote, or that ends too early', () => {
    const window = new DuplicateWindow(1000, 10)
    window.add(bytesOf(1), 0, 4, 1, 0)
    const snapshot = window.snapshot()
    const tooShort = snapshot.subarray(0, snapshot.length - 1)
    const restore = (bytes: Uint8Array) => () => DuplicateWindow.restore(1000, 10, bytes)
    expect(restore(tooShort)).toThrow(expect.objectContaining({ code: 'LOG_DAMAGED' }))
    snapshot[0] = 99
    expect(restore(snapshot)).toThrow(expect.objectContaining({ code: 'FORMAT_TOO_NEW' }))
  })
})
