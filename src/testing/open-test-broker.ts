// Opens a broker for tests: clock, disk, engine and faults put together.
import { FanfareError, SeededRandom } from '../base/index.js'
import { FaultDisk } from '../base/faults/index.js'
import {
  loadParts,
  printTrouble,
  type BrokerEvent,
  type Catalog,
  type Validation,
} from '../broker/index.js'
import { jsonCodec, type Codec } from '../codec/index.js'
import { openEngineOnDisk } from '../embedded/index.js'
import { Faults } from './faults.js'
import { MessageRecord } from './message-record.js'
import { TestBroker } from './test-broker.js'
import { TestClock } from './test-clock.js'
import { TestEngine } from './test-engine.js'

export interface TestBrokerOptions<C extends Catalog | undefined = Catalog | undefined> {
  /** The definitions that are allowed; without it every topic is. */
  readonly catalog?: C
  /** Where the schemas of definitions are applied that do not say; default 'both'. */
  readonly validate?: Validation
  readonly codec?: Codec
  /** Default: trouble is printed. */
  readonly onEvent?: (event: BrokerEvent) => void
  /** Where the clock stands at the beginning; default 2026-01-01T00:00:00Z. */
  readonly startAt?: Date
  /**
   * Whether live messages pass through bytes, as over a network, so that what does not survive it (Date, Map, undefined) is seen in the
   * test; default true. Otherwise receivers get the very value that was published, as from a broker in the same process.
   */
  readonly roundTrip?: boolean
  /** What decides about group turns and about what a crash spares; default 1. */
  readonly seed?: number
}

const DEFAULT_START_MS = Date.UTC(2026, 0, 1)
const MESSAGES_KEPT = 10_000

/**
 * Opens a broker whose time stands still, whose streams lie on a disk in memory, and whose messages, faults and end a test has in hand.
 *
 * @example
 * const broker = await openTestBroker()
 * broker.subscribe('order.placed', ({ data }) => broker.emit('mail.sent', data))
 * broker.emit('order.placed', { id: 1 })
 * await broker.idle()
 * broker.assertPublished('mail.sent', { id: 1 })
 */
export async function openTestBroker<const C extends Catalog | undefined = undefined>(
  options: TestBrokerOptions<C> = {},
): Promise<TestBroker<C>> {
  const random = new SeededRandom(options.seed ?? 1)
  const startMs = options.startAt?.getTime() ?? DEFAULT_START_MS
  if (!Number.isFinite(startMs)) {
    throw new FanfareError('OPTION_INVALID', 'startAt must be a valid Date', {
      details: { option: 'startAt' },
    })
  }
  return openOn(new FaultDisk({ random }), startMs, random, options)
}

async function openOn<C extends Catalog | undefined>(
  disk: FaultDisk,
  atMs: number,
  random: SeededRandom,
  options: TestBrokerOptions<C>,
): Promise<TestBroker<C>> {
  await loadParts()
  const clock = new TestClock(atMs)
  const faults = new Faults()
  const record = new MessageRecord(MESSAGES_KEPT)
  const roundTrip = options.roundTrip ?? true
  const embedded = await openEngineOnDisk(disk, { clock, random })
  const engine = new TestEngine({ engine: embedded, clock, faults, record, roundTrip })
  const broker = new TestBroker<C>({
    engine,
    clock,
    disk,
    faults,
    record,
    codec: options.codec ?? jsonCodec,
    catalog: options.catalog,
    validate: options.validate,
    onEvent: options.onEvent ?? printUnlessIntended,
    reopen: (nextDisk, nextMs) => openOn(nextDisk, nextMs, random, options),
  })
  // What is loaded when first used is loaded now, so that no test waits for files.
  await broker.prepare()
  await broker.streams()
  return broker
}

/** That a test's own crash left traces is no news. */
function printUnlessIntended(event: BrokerEvent): void {
  if (event.type === 'recovery-finding' && event.kind === 'unclean-stop') return
  printTrouble(event)
}
