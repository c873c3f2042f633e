// Logs in memory against the obvious model: numbers, limits, removals, cursors, keys.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../src/base/index.js'
import { MemoryLogStore, type LogLimits, type LogSettings } from '../../src/log/index.js'
import { append, describeRecord, keysOf, readAll, sorted } from './log-access.js'
import { NaiveLog } from './naive-log.js'

async function makeLog(settings: Partial<LogSettings> = {}) {
  const clock = new VirtualClock()
  const store = new MemoryLogStore({ clock })
  const log = await store.create('log', { durability: 'memory', ...settings })
  return { clock, store, log }
}

const limits: fc.Arbitrary<LogLimits> = fc.record(
  {
    maxRecords: fc.integer({ min: 1, max: 40 }),
    maxBytes: fc.integer({ min: 30, max: 3_000 }),
    maxAgeMs: fc.integer({ min: 1, max: 400 }),
    maxRecordsPerKey: fc.integer({ min: 1, max: 5 }),
  },
  { requiredKeys: [] },
)

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      head: fc.string({ unit: 'grapheme-ascii', maxLength: 8 }),
      body: fc.string({ unit: 'grapheme-ascii', maxLength: 90 }),
      count: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), at: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('trim' as const), at: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('limits' as const), limits }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(90) }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'settle' as const }) },
)

describe('MemoryLogStore', () => {
  it('does what the model does', async () => {
    await fc.assert(
      fc.asyncProperty(limits, fc.array(step, { maxLength: 80, size: 'max' }), async (l, steps) => {
        const { clock, log } = await makeLog({ limits: l, segmentBytes: 600 })
        const model = new NaiveLog(l)
        const follower = log.cursor(1)
        let followed = 0
        for (const step of steps) {
          switch (step.kind) {
            case 'append':
              for (let i = 0; i < step.count; i++) {
                append(log, clock.nowMs(), i, step.key, step.head, step.body)
                model.append(clock.nowMs(), i, step.key, step.head, step.body)
              }
              break
            case 'remove': {
              const sequence = Math.floor((step.at / 100) * (model.last + 2))
              expect(log.remove(sequence, false)).toBe(model.remove(sequence))
              break
            }
            case 'trim': {
              const sequence = Math.floor((step.at / 100) * (model.last + 1))
              log.trim(sequence, false)
              model.trim(sequence)
              break
            }
            case 'limits':
              log.setLimits(step.limits)
              model.setLimits(step.limits)
              break
            case 'advance':
              clock.advance(step.ms)
              break
            case 'settle': {
              const settled = log.settled()
              clock.runDeferred()
              await settled
              expect(keysOf(log)).toEqual(sorted(model.keys))
              break
            }
          }
          clock.runDeferred()
          log.enforceLimits(clock.nowMs())
          model.enforce(clock.nowMs())
          expect(log.state).toEqual(model.state)
          while (follower.next() === 'record') {
            const expected = model.records.find((record) => record.sequence > followed)
            expect(describeRecord(follower)).toEqual(expected)
            followed = follower.sequence
          }
        }
        expect(await readAll(log)).toEqual(model.records)
        const settled = log.settled()
        clock.runDeferred()
        await settled
        expect(keysOf(log)).toEqual(sorted(model.keys))
        for (const record of model.records) {
          expect(describeRecord((await log.read(record.sequence))!)).toEqual(record)
          const sequence = model.records.find(({ timeMs }) => timeMs >= record.timeMs)!.sequence
          expect(await log.sequenceAt(record.timeMs)).toBe(sequence)
        }
      }),
      { numRuns: 300, interruptAfterTimeLimit: 15_000 },
    )
  })

  it('shows nothing before the end of the turn, and tells of it once', async () => {
    const { clock, log } = await makeLog()
    const committed: number[] = []
    log.listen({ committed: (through) => committed.push(through), failed: () => undefined })
    const cursor = log.cursor(1)
    append(log, 1, 0, 'k', '', 'one')
    append(log, 1, 0, 'k', '', 'two')
    expect(cursor.next()).toBe('end')
    expect(log.backlogBytes).toBeGreaterThan(0)
    clock.runDeferred()
    expect(committed).toEqual([2])
    expect(log.backlogBytes).toBe(0)
    expect(cursor.next()).toBe('record')
    append(log, 1, 0, 'k', '', 'three')
    expect(cursor.next()).toBe('record')
    expect(cursor.next()).toBe('end')
    clock.runDeferred()
    expect(cursor.next()).toBe('record')
    expect(describeRecord(cursor).body).toBe('three')
  })

  it('commits all logs of a unit before it tells of any', async () => {
    const { clock, store, log } = await makeLog()
    const other = await store.create('other', { durability: 'memory' })
    const seen: number[] = []
    log.listen({
      committed: () => seen.push(other.state.lastSequence),
      failed: () => undefined,
    })
    store.beginUnit()
    append(log, 1, 0, 'k', '', 'here')
    append(other, 1, 0, 'k', '', 'there')
    store.endUnit((error) => seen.push(error === undefined ? 0 : -1))
    clock.runDeferred()
    expect(seen).toEqual([1, 0])
  })

  it('never runs stored time backwards', async () => {
    const { clock, log } = await makeLog()
    append(log, 50, 0, 'k', '', '')
    append(log, 40, 0, 'k', '', '')
    clock.runDeferred()
    expect((await readAll(log)).map(({ timeMs }) => timeMs)).toEqual([50, 50])
  })

  it('keeps a record that is larger than a block', async () => {
    const { clock, log } = await makeLog()
    const body = 'x'.repeat(300_000)
    append(log, 1, 0, 'k', 'head', body)
    append(log, 1, 0, 'k', '', 'small')
    clock.runDeferred()
    expect((await readAll(log)).map((record) => record.body.length)).toEqual([300_000, 5])
  })

  it('refuses to append to a dropped log and after close', async () => {
    const { store, log } = await makeLog()
    await store.drop(log)
    expect(store.logs.size).toBe(0)
    expect(() => append(log, 1, 0, 'k', '', '')).toThrow(
      expect.objectContaining({ code: 'CLOSED' }),
    )
    await store.close()
    await expect(store.create('log', { durability: 'memory' })).rejects.toMatchObject({
      code: 'CLOSED',
    })
  })

  it('removes the oldest of a key in time that does not grow with the distance between them', async () => {
    const { clock, log } = await makeLog({ limits: { maxRecordsPerKey: 2 } })
    const keys = 20_000
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < keys; i++) append(log, 1, 0, `key-${i}`, '', 'body')
      clock.runDeferred()
    }
    expect(log.state).toMatchObject({ records: 2 * keys, firstSequence: 2 * keys + 1, keys })
  })
})
