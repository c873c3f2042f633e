// A broker for tests: the real one over the real engine, on a disk in memory, by a clock that the test moves. What a network or a
// restart would change, tests see: messages pass through bytes, and the process can be killed.
//
//   const broker = await openTestBroker()
//   await startApp(broker)
//   broker.emit('order.placed', { id: 1 })
//   await broker.idle()                       // all handlers have ended, and what they published is dealt with too
//   await broker.advance('30s')               // a retry that waited is done
//   broker.assertPublished('order.paid', { id: 1 })
import { FanfareError, systemClock, toMilliseconds, type Duration } from '../base/index.js'
import type { FaultDisk } from '../base/faults/index.js'
import {
  Broker,
  type BrokerParts,
  type Catalog,
  type CloseOptions,
  type Message,
  type PublishedOf,
  type TopicSource,
} from '../broker/index.js'
import { containsLike, describeValue } from './likeness.js'
import type { Faults } from './faults.js'
import type { MessageRecord } from './message-record.js'
import type { TestClock } from './test-clock.js'
import type { TestEngine } from './test-engine.js'

export interface TestBrokerParts<
  C extends Catalog | undefined = Catalog | undefined,
> extends BrokerParts<C> {
  readonly engine: TestEngine
  readonly clock: TestClock
  readonly disk: FaultDisk
  readonly faults: Faults
  readonly record: MessageRecord
  /** Opens another broker like this one on `disk`, at the moment where this one ended. */
  readonly reopen: (disk: FaultDisk, atMs: number) => Promise<TestBroker<C>>
}

export interface IdleOptions {
  /** Longest wait for handlers at work, by the machine's clock; default '2s'. */
  readonly timeout?: Duration
}

/** What a crash spares: 'process': all that was written; 'machine': all that was fsynced, and by chance more. */
export type Crash = 'process' | 'machine'

/** So many turns of the event loop in which nothing happens are rest. */
const QUIET_TURNS = 6
const DEFAULT_IDLE_TIMEOUT: Duration = '2s'
/** How long `close` waits for handlers by the machine's clock before it moves the broker's. */
const CLOSING_IDLE_TIMEOUT: Duration = '100ms'
const DEFAULT_DRAIN: Duration = '30s'
/** Timers that set each other without end must not keep `advance` for ever. */
const MOST_TIMERS = 1_000_000

export class TestBroker<C extends Catalog | undefined = undefined> extends Broker<C> {
  /** Faults to come. */
  readonly faults: Faults
  /** The disk that streams lie on: it can fail, fill up and damage files. */
  readonly disk: FaultDisk
  readonly #parts: TestBrokerParts<C>

  constructor(parts: TestBrokerParts<C>) {
    super(parts)
    this.#parts = parts
    this.faults = parts.faults
    this.disk = parts.disk
  }

  /** The moment at which the broker's clock stands. */
  now(): Date {
    return new Date(this.#parts.clock.nowMs())
  }

  /**
   * Resolves when the whole cascade has settled: no handler is at work, nothing waits for one that could begin, what was published is
   * committed. Time stands still meanwhile. Rejects with TIMEOUT, naming them, when handlers do not end: one that waits for the
   * broker's clock needs `advance`.
   */
  async idle(options: IdleOptions = {}): Promise<void> {
    const untilMs =
      systemClock.elapsedMs() + toMilliseconds(options.timeout ?? DEFAULT_IDLE_TIMEOUT)
    await this.#rest()
    while (this.atWork().length > 0) {
      if (systemClock.elapsedMs() >= untilMs) throw this.#neverIdle()
      await pauseOneMillisecond()
      await this.#rest()
    }
  }

  /**
   * Moves the clock on, and stops at every moment at which something is due until all that it set off has come to rest. A handler
   * that waits for something other than the clock is not waited for: `await broker.idle()` does.
   */
  async advance(duration: Duration): Promise<void> {
    const { clock } = this.#parts
    const endMs = clock.nowMs() + toMilliseconds(duration)
    await this.#rest()
    for (let fired = 0; fired < MOST_TIMERS; fired++) {
      const nextMs = clock.nextTimerMs
      if (nextMs === undefined || nextMs > endMs) break
      clock.advance(nextMs - clock.nowMs())
      await this.#rest()
    }
    clock.advance(endMs - clock.nowMs())
    await this.#rest()
  }

  /**
   * What was published by this broker, in order: by everybody and by every verb; of a transaction when it is committed. With a source,
   * what it matches, seen through it. The last 10,000 are kept.
   */
  published(): Message[]
  published<const S extends TopicSource>(source: S): PublishedOf<S, C>[]
  published(source: TopicSource = '>'): Message[] {
    return this.#parts.record.messages.flatMap((message) => this.present(source, message) ?? [])
  }

  /**
   * Throws unless a message of the source was published whose data is like `data`: equal, or, where `data` is an object, with these
   * fields among others.
   */
  assertPublished(source: TopicSource, data?: unknown): void {
    const published: Message[] = this.published(source)
    const isFound = published.some(
      (message) => data === undefined || containsLike(message.data, data),
    )
    if (isFound) return
    const wanted = data === undefined ? '' : ` with ${describeValue(data)}`
    const others = published.map(
      (message) => `\n  ${message.topic}: ${describeValue(message.data)}`,
    )
    const all = others.length === 0 ? this.#describeTopics() : others.join('')
    throw new AssertionError(
      `nothing was published to ${nameOf(source)}${wanted}; published:${all}`,
    )
  }

  /** Throws when a message of the source was published. */
  assertNothingPublished(source: TopicSource = '>'): void {
    const published: Message[] = this.published(source)
    if (published.length === 0) return
    const all = published.map((message) => `\n  ${message.topic}: ${describeValue(message.data)}`)
    throw new AssertionError(`${published.length} published to ${nameOf(source)}:${all.join('')}`)
  }

  /** Forgets what was published so far. */
  forgetPublished(): void {
    this.#parts.record.clear()
  }

  /** As any broker's; the clock moves on when handlers at work do not end by themselves. */
  override async close(options: CloseOptions = {}): Promise<void> {
    const closing = super.close(options)
    await this.idle({ timeout: CLOSING_IDLE_TIMEOUT }).catch(() => undefined)
    let isClosed = false
    void closing.finally(() => (isClosed = true)).catch(() => undefined)
    await this.#rest()
    if (!isClosed) await this.advance(options.drain ?? DEFAULT_DRAIN)
    await closing
  }

  /**
   * The process dies in the midst of what it does, and resolves with the broker that the next one opens: with the streams and
   * consumers that were kept, and no subscription or handler. This one is of no use any more.
   */
  async crash(what: Crash = 'process'): Promise<TestBroker<C>> {
    const { clock, reopen } = this.#parts
    clock.stop()
    const disk = what === 'process' ? this.disk.kill() : this.disk.crash()
    return reopen(disk, clock.nowMs())
  }

  /** Closes this broker, and resolves with the one that the next process opens. */
  async restart(): Promise<TestBroker<C>> {
    const { clock, reopen } = this.#parts
    await this.close()
    return reopen(this.disk, clock.nowMs())
  }

  /** Resolves when nothing has happened for a few turns. */
  async #rest(): Promise<void> {
    let before = this.#activity
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      await nextTurn()
      const now = this.#activity
      if (now !== before) quiet = 0
      before = now
    }
  }

  get #activity(): number {
    const { clock, engine } = this.#parts
    return clock.activity + engine.activity + this.disk.counters.calls
  }

  #neverIdle(): FanfareError {
    const atWork = this.atWork()
    return new FanfareError(
      'TIMEOUT',
      `handlers are still at work: ${atWork.join(', ')}; if they wait for the broker's clock, advance it`,
      { details: { atWork } },
    )
  }

  #describeTopics(): string {
    const topics = new Set(this.#parts.record.messages.map(({ handle }) => handle.name))
    return topics.size === 0 ? ' nothing' : ` only to ${[...topics].join(', ')}`
  }
}

/** What test runners show as a failed assertion. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

function nameOf(source: TopicSource): string {
  return typeof source === 'string' ? source : source.topic
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => systemClock.defer(resolve))
}

function pauseOneMillisecond(): Promise<void> {
  return new Promise((resolve) => {
    systemClock.startTimer(1, resolve, { keepsProcessAlive: true })
  })
}
