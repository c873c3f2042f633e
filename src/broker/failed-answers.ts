// What failed answers say, written and read: loaded when the first one is. Headers of the NATS services convention (ADR-32), so
// that clients of any language see them, and facts as JSON.
import { FanfareError, type ErrorCode } from '../base/index.js'
import { jsonCodec } from '../codec/index.js'
import type { Message } from './message.js'
import {
  ERROR_CODE_HEADER,
  ERROR_TEXT_HEADER,
  isRetryable,
  OVERLOADED,
  UNAVAILABLE,
} from './reply-failed.js'

/** The code of ours that the responder failed with; the convention has numbers only. */
const OUR_CODE_HEADER = 'Fanfare-Error-Code'

const BAD_REQUEST = 400
const FAILED = 500

/** The failure that an answer tells of, as REPLY_FAILED or QUEUE_OVERFLOW. */
export function readFailure(topic: string, answer: Message): FanfareError {
  const text = answer.headers.find(ERROR_TEXT_HEADER)
  const code = answer.headers.find(ERROR_CODE_HEADER)
  const status = Number.parseInt(code ?? '', 10) || FAILED
  const reason = text || `status ${status}`
  const ourCode = answer.headers.find(OUR_CODE_HEADER) as ErrorCode | undefined
  if (ourCode === 'QUEUE_OVERFLOW') {
    return new FanfareError('QUEUE_OVERFLOW', reason, { retryable: true, details: { topic } })
  }
  const data = readFailureData(answer)
  return new FanfareError('REPLY_FAILED', `the responder to ${topic} failed: ${reason}`, {
    retryable: isRetryable(status),
    details: {
      topic,
      status,
      reason,
      ...(ourCode === undefined ? {} : { code: ourCode }),
      ...(data === undefined ? {} : { data }),
    },
  })
}

/** What is sent of a failure. */
export interface FailedAnswer {
  readonly headers: readonly (readonly [string, string])[]
  /** In JSON, whatever the data would have been. */
  readonly data: unknown
}

export function toFailedAnswer(error: unknown): FailedAnswer {
  const { code, status, data } = describeFailure(error)
  const text = (error instanceof Error ? error.message : String(error)).replace(/[\r\n]+/g, ' ')
  const headers: [string, string][] = [
    [ERROR_TEXT_HEADER, text],
    [ERROR_CODE_HEADER, String(status)],
  ]
  if (code !== undefined) headers.push([OUR_CODE_HEADER, code])
  if (data !== undefined) headers.push(['Content-Type', jsonCodec.contentType])
  return { headers, data }
}

interface Failure {
  readonly code: ErrorCode | undefined
  readonly status: number
  readonly data: unknown
}

/** What is sent of a failure beside its text: a code of ours, and the facts that are meant for the one who asked. */
function describeFailure(error: unknown): Failure {
  if (!FanfareError.is(error)) return { code: undefined, status: FAILED, data: undefined }
  const { code, details } = error
  switch (code) {
    case 'REPLY_FAILED':
      return { code: undefined, status: toStatus(details.status), data: details.data }
    case 'VALIDATION_FAILED':
      return { code, status: BAD_REQUEST, data: { issues: details.issues } }
    case 'DECODE_FAILED':
    case 'PAYLOAD_TOO_LARGE':
      return { code, status: BAD_REQUEST, data: undefined }
    case 'QUEUE_OVERFLOW':
      return { code, status: OVERLOADED, data: undefined }
    default:
      return { code, status: error.retryable ? UNAVAILABLE : FAILED, data: undefined }
  }
}

function toStatus(status: unknown): number {
  return Number.isSafeInteger(status) ? (status as number) : FAILED
}

/** Facts about a failure, in whatever form a foreign responder gives them; undefined when they cannot be read. */
function readFailureData(answer: Message): unknown {
  try {
    return answer.data
  } catch {
    return undefined
  }
}
