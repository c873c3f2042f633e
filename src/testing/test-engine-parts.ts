// What the test doubles of an engine share.
import type { Engine } from '../engine/index.js'
import type { Faults } from './faults.js'
import type { MessageRecord } from './message-record.js'
import type { TestClock } from './test-clock.js'

export interface TestEngineParts {
  readonly engine: Engine
  readonly clock: TestClock
  readonly faults: Faults
  readonly record: MessageRecord
  /** Whether live messages pass through bytes. */
  readonly roundTrip: boolean
}
