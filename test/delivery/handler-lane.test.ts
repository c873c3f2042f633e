// One subscription's lane against a model: what is admitted, in which order handlers start, and how many run at once.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HandlerLane, type Admission, type OverflowPolicy } from '../../src/delivery/index.js'

/** A handler whose calls end when the test says so. */
class ManualHandler {
  readonly started: number[] = []
  readonly failed: [error: unknown, item: number][] = []
  readonly #running = new Map<number, { end: () => void; fail: (reason: unknown) => void }>()

  readonly call = (item: number): Promise<void> => {
    this.started.push(item)
    return new Promise<void>((resolve, reject) => {
      this.#running.set(item, { end: resolve, fail: reject })
    })
  }

  readonly tellFailure = (error: unknown, item: number): void => {
    this.failed.push([error, item])
  }

  get running(): number[] {
    return [...this.#running.keys()]
  }

  async end(item: number): Promise<void> {
    this.#running.get(item)!.end()
    this.#running.delete(item)
    await Promise.resolve()
  }

  async fail(item: number, reason: unknown): Promise<void> {
    this.#running.get(item)!.fail(reason)
    this.#running.delete(item)
    await Promise.resolve()
  }
}

function makeLane(overflow: OverflowPolicy, capacity: number, concurrency = 1) {
  const handler = new ManualHandler()
  const lane = new HandlerLane<number>(
    { overflow, capacity, concurrency },
    handler.call,
    handler.tellFailure,
  )
  return { handler, lane }
}

const table: readonly (readonly [OverflowPolicy, readonly Admission[], readonly number[]])[] = [
  ['drop-oldest', ['running', 'queued', 'queued', 'dropped-oldest', 'dropped-oldest'], [0, 3, 4]],
  ['drop-newest', ['running', 'queued', 'queued', 'dropped-newest', 'dropped-newest'], [0, 1, 2]],
  ['reject', ['running', 'queued', 'queued', 'rejected', 'rejected'], [0, 1, 2]],
  [
    'wait',
    ['running', 'queued', 'queued-over-mark', 'queued-over-mark', 'queued-over-mark', 'rejected'],
    [0, 1, 2, 3, 4],
  ],
]

describe('HandlerLane', () => {
  it.each(table)('%s: admits %j and handles %j', async (overflow, admissions, handled) => {
    const { handler, lane } = makeLane(overflow, 2)
    expect(admissions.map((_, item) => lane.offer(item))).toEqual(admissions)
    while (handler.running.length > 0) await handler.end(handler.running[0]!)
    expect(handler.started).toEqual(handled)
    expect(lane.isIdle).toBe(true)
  })

  it('does what the model does: order, concurrency, queue and policy', async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant('offer' as const) },
      { weight: 2, arbitrary: fc.nat() },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<OverflowPolicy>('wait', 'reject', 'drop-oldest', 'drop-newest'),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(step, { maxLength: 60, size: 'max' }),
        async (overflow, capacity, concurrency, steps) => {
          const { handler, lane } = makeLane(overflow, capacity, concurrency)
          const started: number[] = []
          const queue: number[] = []
          let running = 0
          const limit = overflow === 'wait' ? capacity * 2 : capacity
          const startNext = (): void => {
            while (running < concurrency && queue.length > 0) {
              running += 1
              started.push(queue.shift()!)
            }
          }
          for (const [item, one] of steps.entries()) {
            if (one === 'offer') {
              lane.offer(item)
              if (queue.length < limit || running < concurrency) queue.push(item)
              else if (overflow === 'drop-oldest') {
                queue.shift()
                queue.push(item)
              }
              startNext()
            } else if (handler.running.length > 0) {
              await handler.end(handler.running[one % handler.running.length]!)
              running -= 1
              startNext()
            }
            expect(handler.started).toEqual(started)
            expect(handler.running.length).toBe(running)
            expect(lane.queued).toBe(queue.length)
            expect(lane.isFull).toBe(queue.length >= capacity)
            expect(lane.isIdle).toBe(running === 0 && queue.length === 0)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  it('calls a synchronous handler within the offer, again and again', () => {
    const seen: number[] = []
    const lane = new HandlerLane<number>(
      { overflow: 'reject', capacity: 1, concurrency: 1 },
      (item) => seen.push(item),
      () => {},
    )
    for (let i = 0; i < 5; i++) expect(lane.offer(i)).toBe('running')
    expect(seen).toEqual([0, 1, 2, 3, 4])
  })

  it('handles what a synchronous handler offers to its own lane after the call at hand', () => {
    const seen: string[] = []
    const lane: HandlerLane<number> = new HandlerLane<number>(
      { overflow: 'reject', capacity: 5, concurrency: 1 },
      (item) => {
        seen.push(`start ${item}`)
        if (item < 3) lane.offer(item + 1)
        seen.push(`end ${item}`)
      },
      () => {},
    )
    lane.offer(1)
    expect(seen).toEqual(['start 1', 'end 1', 'start 2', 'end 2', 'start 3', 'end 3'])
    expect(lane.isIdle).toBe(true)
    expect(lane.offer(9)).toBe('running')
  })

  it('works through a long queue of synchronous calls without growing the stack', async () => {
    let release!: () => void
    const first = new Promise<void>((resolve) => (release = resolve))
    let count = 0
    const lane = new HandlerLane<number>(
      { overflow: 'reject', capacity: 50_000, concurrency: 1 },
      (item) => {
        count += 1
        return item === 0 ? first : undefined
      },
      () => {},
    )
    for (let i = 0; i <= 50_000; i++) lane.offer(i)
    release()
    await lane.whenIdle()
    expect(count).toBe(50_001)
  })

  it('tells failures, thrown and rejected, and goes on', async () => {
    const { handler, lane } = makeLane('reject', 5)
    lane.offer(1)
    lane.offer(2)
    await handler.fail(1, 'rejected')
    await Promise.resolve()
    expect(handler.failed).toEqual([['rejected', 1]])
    expect(handler.started).toEqual([1, 2])

    const failures: unknown[] = []
    const throwing = new HandlerLane<number>(
      { overflow: 'reject', capacity: 1, concurrency: 1 },
      () => {
        throw new Error('thrown')
      },
      (error) => failures.push(error),
    )
    expect(throwing.offer(1)).toBe('running')
    expect(throwing.offer(2)).toBe('running')
    expect(failures).toHaveLength(2)
    expect(throwing.isIdle).toBe(true)
  })

  it('lets publishers wait for room and for idleness', async () => {
    const { handler, lane } = makeLane('wait', 1)
    const log: string[] = []
    await lane.whenRoom()
    await lane.whenIdle()
    lane.offer(1)
    lane.offer(2)
    const room = lane.whenRoom().then(() => log.push('room'))
    const idle = lane.whenIdle().then(() => log.push('idle'))
    await Promise.resolve()
    expect(log).toEqual([])
    await handler.end(1)
    await room
    expect(log).toEqual(['room'])
    await handler.end(2)
    await idle
    expect(log).toEqual(['room', 'idle'])
  })

  it('forgets what waits when stopped, wakes those who wait for room, and lets calls end', async () => {
    const { handler, lane } = makeLane('wait', 1)
    for (let i = 0; i < 3; i++) lane.offer(i)
    const room = lane.whenRoom()
    lane.stop()
    await room
    await lane.whenRoom()
    expect(lane.queued).toBe(0)
    const idle = lane.whenIdle()
    await handler.end(0)
    await idle
    expect(handler.started).toEqual([0])
  })
})
