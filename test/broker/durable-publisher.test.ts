// Promises of publishes, settled by ranges of tokens in any order; held back while the engine is over its mark.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FanfareError, VirtualClock } from '../../src/base/index.js'
import { DurablePublisher, type Receipt } from '../../src/broker/durable-publisher.js'
import {
  BytesMessage,
  outcomeOf,
  type AppendOptions,
  type Durable,
  type ReceiptSink,
  type Stream,
} from '../../src/engine/index.js'
import { TopicTable } from '../../src/topic/index.js'

const topic = new TopicTable().atName('order.placed')
const stream = { name: 'orders', settings: { durability: 'fsync' } } as Stream

/** Takes what is published and tells of it when it is told to. */
class FakeDurable {
  isOverMark = false
  fails: Error | undefined
  refusal: FanfareError | undefined
  readonly accepted: number[] = []
  readonly asked: (AppendOptions | undefined)[] = []

  publish(_: unknown, __: unknown, sink: ReceiptSink, token: number, options?: AppendOptions) {
    if (this.fails !== undefined) throw this.fails
    this.accepted.push(token)
    this.asked.push(options)
    if (this.refusal !== undefined) sink.refused(token, 1, this.refusal)
    return outcomeOf(0, this.isOverMark)
  }
}

function makePublisher() {
  const durable = new FakeDurable()
  const clock = new VirtualClock()
  const publisher = new DurablePublisher(durable as unknown as Durable, clock)
  const publish = (terms?: Parameters<DurablePublisher['publish']>[3]): Promise<Receipt> =>
    publisher.publish(topic, new BytesMessage(topic), undefined, terms)
  return { durable, clock, publisher, publish }
}

describe('DurablePublisher', () => {
  it('settles each promise with its own sequence, a range at a time', async () => {
    const { publisher, publish } = makePublisher()
    const receipts = [publish(), publish(), publish()]
    publisher.committed(stream, 0, 7, 2)
    publisher.duplicate(stream, 2, 5)
    expect(await Promise.all(receipts)).toEqual([
      { stream: 'orders', sequence: 7, isDuplicate: false, durability: 'fsync' },
      { stream: 'orders', sequence: 8, isDuplicate: false, durability: 'fsync' },
      { stream: 'orders', sequence: 5, isDuplicate: true, durability: 'fsync' },
    ])
    expect(publisher.waiting).toBe(0)
  })

  it('settles every promise once, whatever the order of the receipts and however many wait', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            { weight: 3, arbitrary: fc.record({ publish: fc.integer({ min: 1, max: 90 }) }) },
            {
              weight: 2,
              arbitrary: fc.record({
                settle: fc.nat(),
                count: fc.integer({ min: 1, max: 40 }),
                isRefused: fc.boolean(),
              }),
            },
          ),
          { maxLength: 40 },
        ),
        async (steps) => {
          const { publisher, publish } = makePublisher()
          const outcomes: (string | undefined)[] = []
          const wanted: (string | undefined)[] = []
          for (const step of steps) {
            if ('publish' in step) {
              for (let i = 0; i < step.publish; i++) {
                const token = outcomes.push(undefined) - 1
                publish().then(
                  ({ sequence }) => (outcomes[token] = `stored ${sequence}`),
                  (error: FanfareError) => (outcomes[token] = error.code),
                )
              }
            } else if (outcomes.length > 0) {
              const from = step.settle % outcomes.length
              const count = Math.min(step.count, outcomes.length - from)
              for (let token = from; token < from + count; token++) {
                wanted[token] ??= step.isRefused ? 'STREAM_FULL' : `stored ${token + 1_000}`
              }
              if (step.isRefused) {
                publisher.refused(from, count, new FanfareError('STREAM_FULL', 'full'))
              } else publisher.committed(stream, from, from + 1_000, count)
            }
          }
          await Promise.resolve()
          await Promise.resolve()
          expect(outcomes).toEqual(outcomes.map((_, token) => wanted[token]))
          expect(publisher.waiting).toBe(outcomes.filter((each) => each === undefined).length)
          publisher.abandon()
          await Promise.resolve()
        },
      ),
      { numRuns: 60 },
    )
  })

  it('rejects what the engine throws at', async () => {
    const { durable, publisher, publish } = makePublisher()
    durable.fails = new FanfareError('CLOSED', 'closed')
    await expect(publish()).rejects.toMatchObject({ code: 'CLOSED' })
    expect(publisher.waiting).toBe(0)
  })

  it('holds publishes back over the mark, and lets them go in order after a receipt', async () => {
    const { durable, publisher, publish } = makePublisher()
    durable.isOverMark = true
    const receipts = [publish(), publish(), publish()]
    expect(durable.accepted).toEqual([0])
    publisher.committed(stream, 0, 1, 1)
    await receipts[0]
    await Promise.resolve()
    expect(durable.accepted).toEqual([0, 1])
    durable.isOverMark = false
    publisher.committed(stream, 1, 2, 1)
    await receipts[1]
    await Promise.resolve()
    expect(durable.accepted).toEqual([0, 1, 2])
    publisher.committed(stream, 2, 3, 1)
    expect((await receipts[2])?.sequence).toBe(3)
  })

  it('does not wait for a receipt that cannot come, when all it sent was refused over the mark', async () => {
    const { durable, publisher, publish } = makePublisher()
    durable.isOverMark = true
    const receipts = [publish(), publish(), publish()]
    // From now on the backlog is another publisher's.
    durable.refusal = new FanfareError('STREAM_FULL', 'no room')
    const refused = receipts.slice(1).map((receipt) => receipt.catch((error: unknown) => error))
    publisher.committed(stream, 0, 1, 1)
    await Promise.resolve()
    await Promise.resolve()
    expect(durable.accepted).toEqual([0, 1, 2])
    for (const error of await Promise.all(refused)) {
      expect(error).toMatchObject({ code: 'STREAM_FULL' })
    }
  })

  it('refuses what would let memory grow without end', async () => {
    const { durable, publisher, publish } = makePublisher()
    durable.isOverMark = true
    const receipts = Array.from({ length: 100_001 }, () => publish().catch(() => undefined))
    expect(() => publish()).toThrowError(
      expect.objectContaining({ code: 'QUEUE_OVERFLOW', retryable: true }),
    )
    publisher.close()
    publisher.abandon()
    await Promise.all(receipts)
  })

  it('does not send what timed out while it was held back', async () => {
    const { durable, clock, publisher, publish } = makePublisher()
    durable.isOverMark = true
    const first = publish()
    const second = publish({ timeout: 100 })
    clock.advance(101)
    await expect(second).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true })
    publisher.committed(stream, 0, 1, 1)
    await first
    await Promise.resolve()
    expect(durable.accepted).toEqual([0])
  })

  it('times out by itself after 30 s at least and 38 s at most, those with a time-out of their own excepted', async () => {
    const { clock, publisher, publish } = makePublisher()
    const outcomes: string[] = []
    const watch = (name: string, receipt: Promise<Receipt>): void =>
      void receipt.then(
        () => outcomes.push(`${name} stored`),
        (error: FanfareError) => outcomes.push(`${name} ${error.code}`),
      )
    watch('early', publish())
    clock.advance(1_000)
    watch('late', publish())
    watch('patient', publish({ timeout: '5m' }))
    clock.advance(28_900)
    await Promise.resolve()
    expect(outcomes).toEqual([])
    clock.advance(9_100)
    await Promise.resolve()
    expect(outcomes).toEqual(['early TIMEOUT', 'late TIMEOUT'])
    publisher.committed(stream, 0, 1, 3)
    await Promise.resolve()
    expect(outcomes.at(-1)).toBe('patient stored')
  })

  it('rejects with the reason of a signal, and takes none that is aborted', async () => {
    const { durable, publish } = makePublisher()
    const controller = new AbortController()
    const receipt = publish({ signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(receipt).rejects.toThrow('enough')
    expect(() => publish({ signal: controller.signal })).toThrow('enough')
    expect(durable.accepted).toHaveLength(1)
  })

  it('ends with CLOSED what is held back or has no receipt', async () => {
    const { durable, publisher, publish } = makePublisher()
    durable.isOverMark = true
    const receipts = [publish(), publish()]
    publisher.close()
    await expect(receipts[1]).rejects.toMatchObject({ code: 'CLOSED' })
    publisher.abandon()
    await expect(receipts[0]).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
