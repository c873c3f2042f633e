// The one error class and the closed list of its codes. A code says what happened and never changes its meaning;
// the message adds the offending value. Two copies of the package recognise each other's errors by the brand.

export type ErrorCode =
  | 'ADDRESS_IN_USE'
  | 'ALREADY_STARTED'
  | 'ASYNC_SCHEMA'
  | 'AUTHORIZATION_FAILED'
  | 'CLOSED'
  | 'CONFIG_INVALID'
  | 'CONNECTION_FAILED'
  | 'CONSUMER_DELETED'
  | 'CONSUMER_DIFFERS'
  | 'CONSUMER_NOT_FOUND'
  | 'DEAD_LETTER_FAILED'
  | 'DECODE_FAILED'
  | 'DEFINITION_INVALID'
  | 'DIRECTORY_LOCKED'
  | 'DISK_FAILED'
  | 'DISK_FULL'
  | 'DURABILITY_MISMATCH'
  | 'DURATION_INVALID'
  | 'ENCODE_FAILED'
  | 'EXPECTATION_FAILED'
  | 'FILTER_INVALID'
  | 'FORMAT_TOO_NEW'
  | 'HEADER_INVALID'
  | 'INTERNAL'
  | 'KIND_MISMATCH'
  | 'LOG_DAMAGED'
  | 'NAME_INVALID'
  | 'NO_RESPONDERS'
  | 'NO_STREAM'
  | 'OPTION_INVALID'
  | 'PATTERN_INVALID'
  | 'PAYLOAD_TOO_LARGE'
  | 'PEER_MISSING'
  | 'PERMISSION_DENIED'
  | 'QUEUE_OVERFLOW'
  | 'REPLY_FAILED'
  | 'STREAM_DELETED'
  | 'STREAM_DIFFERS'
  | 'STREAM_FROZEN'
  | 'STREAM_FULL'
  | 'STREAM_NOT_FOUND'
  | 'TIMEOUT'
  | 'TOKEN_STALE'
  | 'TOPICS_OVERLAP'
  | 'TOPIC_INVALID'
  | 'TRANSACTION_ENDED'
  | 'TRANSACTION_TOO_LARGE'
  | 'UNDECLARED_TOPIC'
  | 'UNSUPPORTED'
  | 'VALIDATION_FAILED'
  | 'VERDICT_ALREADY_GIVEN'

export interface ErrorOptions {
  /** Whether the same call may succeed later without anybody changing anything; default false. */
  readonly retryable?: boolean
  /** Machine-readable facts about the failure, for logs and for code that reacts to it. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

const BRAND = Symbol.for('fanfare.error')

export class FanfareError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'FanfareError'
    this.code = code
    this.retryable = options.retryable ?? false
    this.details = options.details ?? {}
  }

  get [BRAND](): true {
    return true
  }

  /** Whether `error` is ours, also when it was made by another copy of the package. */
  static is(error: unknown): error is FanfareError {
    return typeof error === 'object' && error !== null && BRAND in error
  }
}

/** Throws when an invariant of our own is broken; never for bad input. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new FanfareError('INTERNAL', `broken invariant: ${invariant}`)
}
