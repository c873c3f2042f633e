// The refusals of a stream, worded once.
import { FanfareError } from '../base/index.js'
import type { EngineEvent } from '../engine/index.js'

export function deletedError(stream: string): FanfareError {
  return new FanfareError('STREAM_DELETED', `stream ${stream} was deleted`, { details: { stream } })
}

export function noConsumerError(stream: string, consumer: string): FanfareError {
  return new FanfareError('CONSUMER_NOT_FOUND', `stream ${stream} has no consumer ${consumer}`, {
    details: { stream, consumer },
  })
}

export function consumerDiffersError(
  stream: string,
  consumer: string,
  fields: readonly string[],
): FanfareError {
  return new FanfareError(
    'CONSUMER_DIFFERS',
    `consumer ${consumer} of stream ${stream} exists with other options: ${fields.join(', ')}`,
    { details: { stream, consumer, fields } },
  )
}

export function streamDiffersError(stream: string, fields: readonly string[]): FanfareError {
  return new FanfareError(
    'STREAM_DIFFERS',
    `stream ${stream} exists with other options: ${fields.join(', ')}; change them by an update`,
    { details: { stream, fields } },
  )
}

/** A sink of receipts threw; its publishes are as they are. */
export function sinkFailed(stream: string, cause: unknown): EngineEvent {
  const error = new FanfareError('INTERNAL', `a sink of receipts of stream ${stream} failed`, {
    cause,
  })
  return { type: 'engine-error', error }
}

export function expectationError(
  what: string,
  expected: string | number,
  found: string | number,
): FanfareError {
  return new FanfareError(
    'EXPECTATION_FAILED',
    `the ${what} was expected to be ${expected} and is ${found}`,
    { details: { what, expected, found } },
  )
}
