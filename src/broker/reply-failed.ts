// A responder's way to fail on purpose, and how failed answers are told from others: by the error headers of the NATS services
// convention (ADR-32). What is in them is failed-answers.ts.
import { FanfareError } from '../base/index.js'
import type { Message } from './message.js'

export const ERROR_TEXT_HEADER = 'Nats-Service-Error'
export const ERROR_CODE_HEADER = 'Nats-Service-Error-Code'

/** The convention uses the numbers of HTTP: too many requests; unavailable. */
export const OVERLOADED = 429
export const UNAVAILABLE = 503

/**
 * What a responder throws to fail with a status of its choice; the numbers are those of HTTP. Whoever asked gets the same as a
 * REPLY_FAILED, with `details.status`, `details.reason` and, in `details.data`, what is given here as `data`.
 *
 * @example throw replyFailed(404, 'no such user', { id: 7 })
 */
export function replyFailed(status: number, reason: string, data?: unknown): FanfareError {
  return new FanfareError('REPLY_FAILED', reason, {
    retryable: isRetryable(status),
    details: { status, reason, ...(data === undefined ? {} : { data }) },
  })
}

/** Made by `replyFailed`, and not what a request of the responder's own failed with. */
export function isDeliberate(error: unknown): boolean {
  return FanfareError.is(error) && error.code === 'REPLY_FAILED' && !('topic' in error.details)
}

/** Whether an answer tells of a failure. */
export function isFailed({ headers }: Message): boolean {
  return (
    headers.find(ERROR_TEXT_HEADER) !== undefined || headers.find(ERROR_CODE_HEADER) !== undefined
  )
}

export function isRetryable(status: number): boolean {
  return status === OVERLOADED || status === UNAVAILABLE
}
