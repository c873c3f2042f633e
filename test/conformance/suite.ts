// The suite that every engine must pass. What runs is decided by the engine's capabilities, never by the test file; what
// an engine is known to do otherwise is a listed exception, which is printed at the end and fails once it passes.
import * as vitest from 'vitest'
import { brokerChapter } from './broker.js'
import type { Case, Chapter } from './case.js'
import { closeChapter } from './close.js'
import { durableClosedChapter } from './durable-closed.js'
import { durableConsumersChapter } from './durable-consumers.js'
import { durableDeadLettersChapter } from './durable-dead-letters.js'
import { durableFiltersChapter } from './durable-filters.js'
import { durableKeyOrderChapter } from './durable-key-order.js'
import { durableMembersChapter } from './durable-members.js'
import { durablePublishingChapter } from './durable-publishing.js'
import { durableReadingChapter } from './durable-reading.js'
import { durableRemovalChapter } from './durable-removal.js'
import { durableRestartChapter } from './durable-restart.js'
import { durableStreamsChapter } from './durable-streams.js'
import { durableTermsChapter } from './durable-terms.js'
import { durableTransactionsChapter } from './durable-transactions.js'
import { durableUniversalChapter } from './durable-universal.js'
import { durableVerdictsChapter } from './durable-verdicts.js'
import { envelopeChapter } from './envelope.js'
import { errorsChapter } from './errors.js'
import { filtersChapter } from './filters.js'
import { groupChapter } from './group.js'
import { publishChapter } from './publish.js'
import { requestChapter } from './request.js'
import { requestManyChapter } from './request-many.js'
import { servicesChapter } from './services.js'
import { Stage, type Place } from './stage.js'
import { traitsChapter } from './traits.js'

export interface Exception {
  /** The name of the case. */
  readonly test: string
  readonly reason: string
}

export interface ConformanceOptions {
  /** Opens a fresh place that nothing else publishes to. */
  readonly openEngine: () => Promise<Place>
  readonly exceptions?: readonly Exception[]
}

/** What is needed of a test runner; Vitest, Jest and node:test have it. */
export interface Runner {
  describe(title: string, declare: () => void): unknown
  it(name: string, run: (context: { skip(): unknown }) => Promise<void>): unknown
  afterAll(run: () => void): unknown
}

const chapters: readonly Chapter[] = [
  publishChapter,
  groupChapter,
  filtersChapter,
  requestChapter,
  errorsChapter,
  closeChapter,
  brokerChapter,
  envelopeChapter,
  requestManyChapter,
  servicesChapter,
  traitsChapter,
  durableStreamsChapter,
  durablePublishingChapter,
  durableTermsChapter,
  durableReadingChapter,
  durableRemovalChapter,
  durableConsumersChapter,
  durableVerdictsChapter,
  durableMembersChapter,
  durableKeyOrderChapter,
  durableFiltersChapter,
  durableDeadLettersChapter,
  durableTransactionsChapter,
  durableUniversalChapter,
  durableRestartChapter,
  durableClosedChapter,
]

export function conformance(
  name: string,
  { openEngine, exceptions = [] }: ConformanceOptions,
  runner: Runner = vitest,
): void {
  const reasons = new Map(exceptions.map(({ test, reason }) => [test, reason]))
  assertKnown(reasons)
  runner.describe(`conformance of ${name}`, () => {
    for (const { title, cases } of chapters) {
      runner.describe(title, () => {
        for (const one of cases) {
          runner.it(one.name, async (context) => {
            const hasRun = await runCase(one, openEngine, reasons.get(one.name))
            if (!hasRun) context.skip()
          })
        }
      })
    }
    runner.afterAll(() => {
      for (const [test, reason] of reasons) console.warn(`exception of ${name}: ${test}: ${reason}`)
    })
  })
}

/** False when the case asks for more than the engine or its place is able to. */
async function runCase(
  { needs, run, name }: Case,
  openEngine: ConformanceOptions['openEngine'],
  reason: string | undefined,
): Promise<boolean> {
  const place = await openEngine()
  try {
    if (needs?.(place.engine.capabilities, place) === false) return false
    const failure = await run(await Stage.open(place)).then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
    if (reason === undefined && failure !== undefined) throw failure.error
    if (reason !== undefined && failure === undefined) {
      throw new Error(`'${name}' passes now: take it off the exceptions (it said: ${reason})`)
    }
    return true
  } finally {
    await place.close()
  }
}

function assertKnown(reasons: ReadonlyMap<string, string>): void {
  const known = new Set(chapters.flatMap(({ cases }) => cases.map(({ name }) => name)))
  for (const test of reasons.keys()) {
    if (!known.has(test)) throw new Error(`an exception names no case: '${test}'`)
  }
}
