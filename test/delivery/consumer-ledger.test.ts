// The ledger against its naive model, under random calls and restarts from what was kept, whose end may be lost; and the
// promises that hold whatever the model says: nothing is lost, keys keep their order, stale tokens are refused.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConsumerLedger, type LedgerOptions } from '../../src/delivery/ledger/index.js'
import { NaiveLedger, type KeptLedger } from './naive-ledger.js'

const STREAM_LENGTH = 60

const plain: LedgerOptions = {
  acknowledge: 'explicit',
  ackWaitMs: 100,
  maxDeliveries: undefined,
  backoffMs: [],
  maxInFlight: 1000,
  order: 'stream',
  lookAhead: 1000,
  followers: 'continue',
}

const anyOptions = fc.record({
  acknowledge: fc.constantFrom('explicit', 'explicit', 'all', 'none'),
  ackWaitMs: fc.constantFrom(5, 20),
  maxDeliveries: fc.constantFrom(undefined, 1, 2, 3),
  backoffMs: fc.constantFrom([], [], [7], [3, 30, 10]),
  maxInFlight: fc.constantFrom(1, 3, 8, 1000),
  order: fc.constantFrom('stream', 'key'),
  lookAhead: fc.constantFrom(2, 5, 1000),
  followers: fc.constantFrom('park', 'continue'),
}) satisfies fc.Arbitrary<LedgerOptions>

/** A stream: which sequences match, and under which keys. */
const anyStream = fc.array(
  fc.constantFrom<string | false | undefined>(false, undefined, 'a', 'a', 'b', 'c'),
  {
    minLength: STREAM_LENGTH,
    maxLength: STREAM_LENGTH,
  },
)

const CALLS = {
  feed: 4,
  take: 8,
  settle: 5,
  settleThrough: 1,
  release: 1,
  giveBack: 1,
  retry: 3,
  fail: 1,
  giveUp: 1,
  extend: 1,
  advance: 3,
  bury: 2,
  unpark: 1,
  redrive: 1,
  forget: 1,
  stale: 1,
  note: 4,
  snapshot: 1,
  restart: 1,
} as const
type Call = keyof typeof CALLS

const anyCall = fc.record({
  name: fc.oneof(
    ...Object.entries(CALLS).map(([name, weight]) => ({
      weight,
      arbitrary: fc.constant(name as Call),
    })),
  ),
  pick: fc.nat(1000),
  amount: fc.nat(12),
})

/** A ledger, its model, and the disk between their lives. */
class Trial {
  readonly #options: LedgerOptions
  readonly #stream: readonly (string | false | undefined)[]
  #ledger: ConsumerLedger
  #model: NaiveLedger
  #nowMs = 1000
  #lastToken = 0
  #lastDead = 0
  readonly #redriven = new Map<number, string | undefined>()
  readonly #given: number[] = []
  readonly settledOnce = new Set<number>()
  /** Snapshot and notes as kept, each with what the model kept then. */
  #kept: { bytes: Uint8Array; model: KeptLedger }[]

  constructor(options: LedgerOptions, stream: readonly (string | false | undefined)[]) {
    this.#options = options
    this.#stream = stream
    this.#ledger = new ConsumerLedger(options, 1)
    this.#model = new NaiveLedger(options, {
      seenThrough: 0,
      attempts: new Map(),
      parkedKeys: new Set(),
      dueMs: new Map(),
      failures: new Map(),
    })
    this.#kept = [{ bytes: this.#ledger.snapshot(), model: this.#model.keep() }]
  }

  call(name: Call, pick: number, amount: number): void {
    const flying = this.#model.inFlight
    const message = flying[pick % Math.max(1, flying.length)]
    switch (name) {
      case 'feed':
        return this.#feed(amount)
      case 'take':
        this.#take()
        return
      case 'redrive':
        return this.#redrive(amount % 3 === 0 ? undefined : 'ab'[amount % 2])
      case 'bury':
        return this.#bury(pick)
      case 'unpark':
        this.#ledger.unpark('abc'[pick % 3]!)
        return this.#model.unpark('abc'[pick % 3]!)
      case 'giveUp':
      case 'forget':
        return this.#remove(name, pick)
      case 'advance':
        return this.#advance(amount)
      case 'stale':
        return this.#refuse(pick)
      case 'note':
        return this.#note()
      case 'snapshot':
        return this.#keepSnapshot()
      case 'restart':
        return this.#restart(pick, amount)
      default:
        if (message !== undefined) this.#judge(name, message, amount)
    }
  }

  /** Feeds, takes and settles or buries until nothing is left. */
  drain(): void {
    for (let round = 0; round < 10 * STREAM_LENGTH; round++) {
      this.#feed(STREAM_LENGTH)
      this.#advance(1000)
      while (this.#take());
      for (const one of this.#model.inFlight) this.#judge('settle', one, 0)
      while (this.#model.failures.length > 0) this.#bury(0)
      this.compare()
      if (this.#model.all.length === 0 && this.#ledger.position > STREAM_LENGTH) return
    }
    throw new Error('does not come to an end')
  }

  compare(): void {
    const ledger = this.#ledger
    const model = this.#model
    const unsettled = [...model.keep().attempts.keys()].filter((id) => id > 0)
    expect(ledger.inFlight).toBe(model.inFlight.length)
    expect(ledger.redelivering).toBe(model.redelivering)
    expect(ledger.wantsMore).toBe(model.wantsMore)
    expect(ledger.nextDeadlineMs).toBe(model.nextDeadlineMs)
    expect(ledger.parkedKeys).toEqual(model.parkedKeys)
    expect(ledger.floor).toBe(Math.min(ledger.position, ...unsettled) - 1)
    const failures = [...ledger.failures()]
    expect(ledger.failed).toBe(failures.length)
    expect(failures.map(({ id, reason, deliveryCount, key }) => [id, reason, deliveryCount, key]))
      .toEqual(model.failures.map(({ id, reason, attempts, key }) => [id, reason, attempts, key])) // prettier-ignore
    if (ledger.stalledBy !== undefined) expect(model.wantsMore).toBe(false)
  }

  #feed(amount: number): void {
    for (let i = 0; i < amount && this.#ledger.wantsMore; i++) {
      const sequence = this.#ledger.position
      if (sequence > STREAM_LENGTH) return
      const key = this.#stream[sequence - 1]
      if (key === false) {
        this.#ledger.skip(sequence)
        this.#model.skip(sequence)
      } else {
        this.#ledger.offer(sequence, key)
        // The ledger leaps over what is settled, of which the model has to be told.
        this.#model.skip(sequence - 1)
        this.#model.offer(sequence, key)
      }
      expect(this.#ledger.wantsMore).toBe(this.#model.wantsMore)
    }
  }

  #take(): boolean {
    const handOut = this.#ledger.take(this.#nowMs)
    const expected = this.#model.take(this.#nowMs, handOut?.token ?? 0)
    expect(handOut?.id).toBe(expected?.id)
    if (handOut === undefined || expected === undefined) return false
    expect(handOut.deliveryCount).toBe(expected.attempts)
    expect(handOut.isRedelivery).toBe(expected.wasHandedOut)
    expect(handOut.token).toBeGreaterThan(this.#lastToken)
    this.#lastToken = handOut.token
    this.#given.push(handOut.token)
    this.#checkKeyOrder(handOut.id)
    if (this.#options.acknowledge === 'none') this.settledOnce.add(handOut.id)
    return true
  }

  /** All before it of its key must have been settled, and none may be in flight. */
  #checkKeyOrder(id: number): void {
    const key = id > 0 ? this.#stream[id - 1] : this.#redriven.get(id)
    if (this.#options.order !== 'key' || typeof key !== 'string') return
    const flying = this.#model.inFlight.filter((one) => one.key === key && one.id !== id)
    expect(flying).toEqual([])
    for (let earlier = 1; earlier < id; earlier++) {
      if (this.#stream[earlier - 1] === key) expect(this.settledOnce).toContain(earlier)
    }
  }

  #judge(name: Call, message: NaiveLedger['inFlight'][number], amount: number): void {
    const { token } = message
    const ledger = this.#ledger
    const model = this.#model
    const delayMs = amount < 6 ? undefined : amount - 6
    if (name === 'settle') {
      expect(ledger.settle(token)).toBe(true)
      model.settle(message.id)
    } else if (name === 'settleThrough') {
      if (this.#options.order === 'key') return
      expect(ledger.settleThrough(token)).toBe(true)
      const before = model.all.map(({ id }) => id)
      model.settleThrough(message)
      const after = new Set(model.all.map(({ id }) => id))
      for (const id of before) if (!after.has(id)) this.settledOnce.add(id)
    } else if (name === 'release') {
      expect(ledger.release(token)).toBe(true)
      model.release(message)
    } else if (name === 'giveBack') {
      expect(ledger.giveBack(token)).toBe(true)
      model.retry(message, this.#nowMs, 0)
    } else if (name === 'retry') {
      expect(ledger.retry(token, this.#nowMs, delayMs)).toBe(true)
      model.retry(message, this.#nowMs, delayMs)
    } else if (name === 'fail') {
      expect(ledger.fail(token, 'rejected', 'no')).toBe(true)
      model.fail(message, 'rejected')
    } else if (name === 'extend') {
      expect(ledger.extend(token, this.#nowMs)).toBe(true)
      model.extend(message, this.#nowMs)
    }
    if (name === 'settle') this.settledOnce.add(message.id)
  }

  #redrive(key: string | undefined): void {
    const dead = ++this.#lastDead
    this.#redriven.set(-dead, key)
    this.#ledger.offerRedriven(dead, key)
    this.#model.offerRedriven(dead, key)
  }

  #bury(pick: number): void {
    const { failures } = this.#model
    const failure = failures[pick % 3 === 0 ? pick % Math.max(1, failures.length) : 0]
    if (failure === undefined) return
    expect(this.#ledger.isFailure(failure.id)).toBe(true)
    this.#ledger.bury(failure.id)
    this.#model.bury(failure.id)
    this.settledOnce.add(failure.id)
  }

  #remove(name: 'giveUp' | 'forget', pick: number): void {
    const { all } = this.#model
    const message = all[pick % Math.max(1, all.length)]
    if (message === undefined) return
    if (name === 'giveUp') {
      this.#ledger.giveUp(message.id, 'expired', 'too old')
      this.#model.giveUp(message.id, 'expired')
    } else {
      this.#ledger.forget(message.id)
      this.#model.settle(message.id)
      this.settledOnce.add(message.id)
    }
  }

  #advance(amount: number): void {
    this.#nowMs += amount
    const visited: number[] = []
    this.#ledger.expire(this.#nowMs, (_, id) => visited.push(id))
    const expected = this.#model.expire(this.#nowMs)
    expect(visited.sort()).toEqual(expected.sort())
  }

  #refuse(pick: number): void {
    const token = this.#given[pick % Math.max(1, this.#given.length)]
    if (token === undefined || this.#model.inFlight.some((one) => one.token === token)) return
    expect(this.#ledger.settle(token)).toBe(false)
    expect(this.#ledger.settleThrough(token)).toBe(false)
    expect(this.#ledger.retry(token, this.#nowMs)).toBe(false)
    expect(this.#ledger.extend(token, this.#nowMs)).toBe(false)
  }

  #note(): void {
    const bytes = this.#ledger.takeNote()
    if (bytes !== undefined) this.#kept.push({ bytes, model: this.#model.keep() })
    expect(this.#ledger.takeNote()).toBeUndefined()
  }

  #keepSnapshot(): void {
    this.#kept = [{ bytes: this.#ledger.snapshot(), model: this.#model.keep() }]
  }

  /** With `amount` 0 to 3 everything was noted, otherwise some of the last notes are lost. */
  #restart(pick: number, amount: number): void {
    const isClean = amount < 4
    if (isClean) this.#note()
    const lost = isClean ? 0 : pick % this.#kept.length
    this.#kept = this.#kept.slice(0, this.#kept.length - lost)
    const [first, ...notes] = this.#kept
    const bytes = notes.map((note) => note.bytes)
    this.#ledger = ConsumerLedger.restore(this.#options, first!.bytes, bytes, !isClean)
    const { model } = this.#kept.at(-1)!
    this.#model = new NaiveLedger(this.#options, model)
    this.#keepSnapshot()
    for (const id of this.#ledger.redrivenIds) {
      this.#ledger.offerRedriven(-id, this.#redriven.get(id))
      this.#model.offerRedriven(-id, this.#redriven.get(id))
    }
    for (const token of this.#given) expect(this.#ledger.settle(token)).toBe(false)
  }
}

describe('ConsumerLedger', () => {
  it(
    'does what the model does, over restarts that may lose the last notes, and loses nothing',
    { timeout: 60_000 },
    () => {
      fc.assert(
        fc.property(
          anyOptions,
          anyStream,
          fc.array(anyCall, { maxLength: 150, size: 'max' }),
          (options, stream, calls) => {
            const trial = new Trial(options, stream)
            trial.compare()
            for (const { name, pick, amount } of calls) {
              trial.call(name, pick, amount)
              trial.compare()
            }
            trial.drain()
            stream.forEach((key, i) => {
              if (key !== false) expect(trial.settledOnce).toContain(i + 1)
            })
          },
        ),
        { numRuns: 400 },
      )
    },
  )

  it('makes the ack wait of an attempt what the backoff says of it, and gives up after the last', () => {
    const ledger = filled({ backoffMs: [10, 30], maxDeliveries: 3 }, 1)
    const expired: number[] = []
    const waits: (number | undefined)[] = []
    for (let nowMs = 0; nowMs <= 100; nowMs++) {
      ledger.expire(nowMs, (token) => expired.push(token))
      if (ledger.take(nowMs) !== undefined) waits.push(ledger.nextDeadlineMs! - nowMs)
    }
    expect(waits).toEqual([10, 30, 30])
    expect(expired).toEqual([1, 2, 3])
    expect([...ledger.failures()]).toMatchObject([
      { id: 1, deliveryCount: 3, reason: 'attempts-exhausted' },
    ])
    expect(ledger.nextDeadlineMs).toBeUndefined()
  })

  it('hands out other keys while one waits for its retry, and says which one stalls it', () => {
    const ledger = new ConsumerLedger({ ...plain, order: 'key', lookAhead: 4 }, 1)
    for (const [i, key] of ['a', 'a', 'b', 'a', 'b'].entries()) ledger.offer(i + 1, key)
    expect(takeAll(ledger, 0)).toEqual([1, 3])
    expect(ledger.retry(1, 0, 50, 'not yet')).toBe(true)
    expect(ledger.wantsMore).toBe(false)
    expect(ledger.stalledBy).toBe('a')
    ledger.settle(2)
    expect(ledger.stalledBy).toBeUndefined()
    expect(takeAll(ledger, 49)).toEqual([5])
    expect(takeAll(ledger, 50)).toEqual([1])
  })

  it('parks what follows a dead letter under its key until it is unparked', () => {
    const ledger = new ConsumerLedger({ ...plain, order: 'key', followers: 'park' }, 1)
    for (const [i, key] of ['a', 'a', 'b'].entries()) ledger.offer(i + 1, key)
    ledger.fail(ledger.take(0)!.token, 'rejected', 'no')
    ledger.bury(1)
    ledger.offer(4, 'a')
    expect(failuresOf(ledger)).toEqual(['2 parked', '4 parked'])
    ledger.bury(2)
    ledger.offerRedriven(7, 'a')
    ledger.unpark('a')
    expect(failuresOf(ledger)).toEqual([])
    expect(takeAll(ledger, 0)).toEqual([-7, 3])
    ledger.settle(2)
    expect(takeAll(ledger, 0)).toEqual([4])
  })

  it('notes what happened between two notes by its outcome, in few bytes', () => {
    const ledger = filled({}, 1000)
    const tokens = Array.from({ length: 1000 }, () => ledger.take(0)!.token)
    expect(ledger.takeNote()!.length).toBeLessThan(20)
    for (const token of tokens) ledger.settle(token)
    expect(ledger.takeNote()!.length).toBeLessThan(20)
    expect(ledger.takeNote()).toBeUndefined()
    expect(ledger.floor).toBe(1000)
  })

  it('leaps over what was settled before a restart, and leaves a gap in the tokens if notes may be lost', () => {
    const ledger = filled({}, 100)
    for (let i = 0; i < 100; i++) ledger.take(0)
    for (let token = 1; token <= 100; token++) if (token !== 7 && token !== 70) ledger.settle(token)
    const notes = [ledger.takeNote()!]
    const clean = ConsumerLedger.restore(plain, filled({}, 0).snapshot(), notes, false)
    expect(clean.position).toBe(7)
    clean.offer(7)
    expect(clean.position).toBe(70)
    clean.skip(70)
    expect([clean.position, clean.floor, clean.lastToken]).toEqual([101, 6, 100])
    expect(clean.take(0)).toMatchObject({ id: 7, token: 101, deliveryCount: 2, isRedelivery: true })
    const unclean = ConsumerLedger.restore(plain, filled({}, 0).snapshot(), notes)
    expect(unclean.lastToken).toBeGreaterThan(1_000_000)
  })

  it('keeps sequences beyond 32 bits', () => {
    const start = 2 ** 40
    const ledger = new ConsumerLedger(plain, start)
    ledger.offer(start + 3)
    ledger.offer(start + 5)
    const { token } = ledger.take(0)!
    const snapshot = ledger.snapshot()
    expect(ledger.settle(token)).toBe(true)
    expect(ledger.floor).toBe(start + 4)
    const restored = ConsumerLedger.restore(plain, snapshot, [ledger.takeNote()!])
    expect(restored.floor).toBe(start + 4)
    expect(restored.position).toBe(start + 5)
  })

  it('refuses state that a newer version wrote, or that ends too early', () => {
    const snapshot = filled({}, 3).snapshot()
    const restore = (bytes: Uint8Array) => () => ConsumerLedger.restore(plain, bytes, [])
    const tooShort = snapshot.subarray(0, snapshot.length - 1)
    expect(restore(tooShort)).toThrow(expect.objectContaining({ code: 'LOG_DAMAGED' }))
    snapshot[0] = 99
    expect(restore(snapshot)).toThrow(expect.objectContaining({ code: 'FORMAT_TOO_NEW' }))
  })
})

/** A ledger that was offered the sequences 1 to `count`. */
function filled(options: Partial<LedgerOptions>, count: number): ConsumerLedger {
  const ledger = new ConsumerLedger({ ...plain, ...options }, 1)
  for (let sequence = 1; sequence <= count; sequence++) ledger.offer(sequence)
  return ledger
}

function takeAll(ledger: ConsumerLedger, nowMs: number): number[] {
  const ids: number[] = []
  for (let one = ledger.take(nowMs); one !== undefined; one = ledger.take(nowMs)) ids.push(one.id)
  return ids
}

function failuresOf(ledger: ConsumerLedger): string[] {
  return [...ledger.failures()].map(({ id, reason }) => `${id} ${reason}`)
}
