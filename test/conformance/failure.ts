// The coded error that a call ends with.
import assert from 'node:assert/strict'
import { FanfareError } from '../../src/base/index.js'

/** Rejects when `work` does not fail, or fails with anything but a FanfareError. */
export async function failureOf(work: () => unknown): Promise<FanfareError> {
  let failure: unknown
  try {
    await work()
  } catch (error) {
    failure = error
  }
  assert.ok(FanfareError.is(failure), `not a coded error: ${String(failure)}`)
  return failure
}
