// What a responder sends back: data, or its failure in the error headers of the NATS services convention (ADR-32), so that
// clients of any language see it; and what the one who asked makes of that.
import { FanfareError, type ErrorCode } from '../base/index.js'
import { jsonCodec } from '../codec/index.js'
import type { Engine } from '../engine/index.js'
import type { AnyDefinition } from './definition.js'
import { ACCEPT_ENCODING, LiveMessage, Publication } from './live-message.js'
import type { PublishedAttributes } from './causation.js'
import { preferring, withoutCompression, type MessageContext } from './message-context.js'
import type { Message } from './message.js'
import { appliesAt, validate } from './validation.js'

const ERROR_TEXT_HEADER = 'Nats-Service-Error'
const ERROR_CODE_HEADER = 'Nats-Service-Error-Code'
/** The code of ours that the responder failed with; the convention has numbers only. */
const OUR_CODE_HEADER = 'Fanfare-Error-Code'

/** The convention uses the numbers of HTTP. */
const BAD_REQUEST = 400
const OVERLOADED = 429
const FAILED = 500
const UNAVAILABLE = 503

/** What is known of the answers to a target. */
export type ReplyDefinition = Pick<AnyDefinition, 'schema' | 'codec' | 'validate'> | undefined

export interface AnswerHost {
  readonly engine: Engine
  readonly context: MessageContext
}

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

/**
 * The handler of a responder: answers with what `handler` returns, or with its failure, which is then thrown on unless it was
 * meant as the answer.
 */
export function answering(
  { engine, context }: AnswerHost,
  replyDefinition: ReplyDefinition,
  handler: (message: Message) => unknown,
): (message: Message) => Promise<void> {
  const host = { engine, context: preferring(context, replyDefinition?.codec) }
  const plainHost = { engine, context: withoutCompression(host.context) }
  return async (message) => {
    // An answer is compressed only when the request says that it may be.
    const mayCompress = accepts(message, context.compressor?.encoding)
    try {
      const answer = await handler(message)
      if (appliesAt('publish', replyDefinition, context.validation)) {
        await validate(replyDefinition?.schema, answer, message.topic)
      }
      send(mayCompress ? host : plainHost, message.replyTo, answer, flowOf(message))
    } catch (error) {
      sendFailure(plainHost, message.replyTo, error, flowOf(message))
      if (!isDeliberate(error)) throw error
    }
  }
}

/** Tells who waits at `replyTo` that the request was refused, so that it need not wait for its time-out. */
export function refuse(host: AnswerHost, replyTo: string, error: FanfareError): void {
  const { engine, context } = host
  sendFailure({ engine, context: withoutCompression(context) }, replyTo, error, undefined)
}

/** The failure that an answer tells of, as REPLY_FAILED or QUEUE_OVERFLOW; undefined when it tells of none. */
export function readFailure(topic: string, answer: Message): FanfareError | undefined {
  const text = answer.headers.find(ERROR_TEXT_HEADER)
  const code = answer.headers.find(ERROR_CODE_HEADER)
  if (text === undefined && code === undefined) return undefined
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

/** An answer to a message that is part of a flow is part of it, too. */
function flowOf(request: Message): PublishedAttributes | undefined {
  const { correlationId } = request
  return correlationId === undefined ? undefined : { correlationId, causationId: request.id }
}

function accepts(request: Message, encoding: string | undefined): boolean {
  if (encoding === undefined) return false
  const accepted = request.headers.find(ACCEPT_ENCODING)
  return accepted !== undefined && accepted.split(/[\s,;]+/).includes(encoding)
}

function send(
  { engine, context }: AnswerHost,
  replyTo: string | undefined,
  data: unknown,
  attributes: PublishedAttributes | undefined,
): void {
  if (replyTo === undefined) return
  const topic = engine.topic(replyTo)
  const publication = new Publication(topic, undefined, context)
  engine.publish(topic, new LiveMessage(publication, data, data, attributes))
}

function sendFailure(
  { engine, context }: AnswerHost,
  replyTo: string | undefined,
  error: unknown,
  flow: PublishedAttributes | undefined,
): void {
  const { code, status, data } = describeFailure(error)
  const text = (error instanceof Error ? error.message : String(error)).replace(/[\r\n]+/g, ' ')
  const headers: [string, string][] = [
    [ERROR_TEXT_HEADER, text],
    [ERROR_CODE_HEADER, String(status)],
  ]
  if (code !== undefined) headers.push([OUR_CODE_HEADER, code])
  // What is said of a failure is JSON, whatever the data would have been.
  if (data !== undefined) headers.push(['Content-Type', jsonCodec.contentType])
  const host = { engine, context: preferring(context, jsonCodec) }
  send(host, replyTo, data, { ...flow, headers })
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

/** Made by `replyFailed`, and not what a request of the responder's own failed with. */
function isDeliberate(error: unknown): boolean {
  return FanfareError.is(error) && error.code === 'REPLY_FAILED' && !('topic' in error.details)
}

function toStatus(status: unknown): number {
  return Number.isSafeInteger(status) ? (status as number) : FAILED
}

function isRetryable(status: number): boolean {
  return status === OVERLOADED || status === UNAVAILABLE
}

/** Facts about a failure, in whatever form a foreign responder gives them; undefined when they cannot be read. */
function readFailureData(answer: Message): unknown {
  try {
    return answer.data
  } catch {
    return undefined
  }
}
