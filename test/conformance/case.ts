// The form of a conformance case: a sentence about behaviour, what an engine and its place must be able to do for it, and the
// proof.
// Cases know neither the test runner nor the engine.
import type { Capabilities } from '../../src/engine/index.js'
import type { Place, Stage } from './stage.js'

export interface Case {
  readonly name: string
  /** Absent: every engine must pass. */
  readonly needs?: (capabilities: Capabilities, place: Place) => boolean
  readonly run: (stage: Stage) => Promise<void>
}

export interface Chapter {
  readonly title: string
  readonly cases: readonly Case[]
}
