// Questions and their answers: a request is a message with a reply topic; the first answer settles it. A failing responder
// answers with the error headers of the NATS services convention (ADR-32), so that clients of any language see it.
import { FanfareError, type Alarms } from '../base/index.js'
import type { Engine, EngineMessage, PendingRequest, ReplySink } from '../engine/index.js'
import type { TopicHandle } from '../topic/index.js'
import { LiveMessage, Publication, type MessageContext } from './live-message.js'
import type { Message } from './message.js'
import { ReceivedMessage } from './received-message.js'
import type { StandardSchema } from './standard-schema.js'
import { appliesAt, validate, type Validation } from './validation.js'

const ERROR_TEXT_HEADER = 'Nats-Service-Error'
const ERROR_CODE_HEADER = 'Nats-Service-Error-Code'
/** What HTTP calls "internal server error"; the services convention uses its numbers. */
const FAILED_STATUS = '500'

/** HTTP's "too many requests": the responder's queue is full. */
const OVERLOADED_STATUS = '429'

/** HTTP's "bad request": the question is not what its definition says. */
const INVALID_STATUS = '400'

/** What a definition says of the answer. */
export interface ReplyDefinition {
  readonly schema: StandardSchema | undefined
  readonly validate: Validation | undefined
}

export interface RequestContext {
  readonly engine: Engine
  readonly alarms: Alarms
  readonly context: MessageContext
  /** What ends each request under way when the broker closes. */
  readonly underWay: Set<(reason: FanfareError) => void>
}

export interface RequestTerms {
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/**
 * Sends `message` and resolves with the first answer's data. Rejects with TIMEOUT, NO_RESPONDERS, REPLY_FAILED,
 * QUEUE_OVERFLOW when the responder refused it, CLOSED, or the signal's reason.
 */
export function requestOne(
  host: RequestContext,
  topic: TopicHandle,
  message: LiveMessage,
  replyDefinition: ReplyDefinition | undefined,
  terms: RequestTerms,
): Promise<unknown> {
  const { signal } = terms
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const underway: { request?: PendingRequest } = {}
    let isSettled = false
    const settle = (finish: () => void): void => {
      if (isSettled) return
      isSettled = true
      host.underWay.delete(end)
      host.alarms.cancel(alarm)
      signal?.removeEventListener('abort', aborted)
      underway.request?.cancel()
      finish()
    }
    const end = (reason: FanfareError): void => settle(() => reject(reason))
    const aborted = (): void => settle(() => reject(signal!.reason as Error))
    const alarm = host.alarms.set(terms.timeoutMs, () =>
      settle(() => reject(timedOut(topic.name, terms))),
    )
    signal?.addEventListener('abort', aborted, { once: true })
    const sink: ReplySink = {
      noResponders: () => settle(() => reject(noResponders(topic.name))),
      reply: (answer) => {
        settle(() => {
          try {
            resolve(readAnswer(host.context, topic.name, answer, replyDefinition))
          } catch (error) {
            reject(error as Error)
          }
        })
      },
    }
    host.underWay.add(end)
    try {
      underway.request = host.engine.request(topic, message, sink)
    } catch (error) {
      settle(() => reject(error as Error))
      return
    }
    if (isSettled) underway.request.cancel()
  })
}

function readAnswer(
  context: MessageContext,
  topic: string,
  answer: EngineMessage,
  definition: ReplyDefinition | undefined,
): unknown {
  const message: Message =
    answer instanceof LiveMessage
      ? answer
      : new ReceivedMessage(answer.retain(), context, undefined)
  const failure = message.headers.find(ERROR_TEXT_HEADER)
  if (failure !== undefined) {
    const code = message.headers.find(ERROR_CODE_HEADER)
    if (code === OVERLOADED_STATUS) {
      throw new FanfareError('QUEUE_OVERFLOW', failure, { retryable: true, details: { topic } })
    }
    throw new FanfareError('REPLY_FAILED', `the responder to ${topic} failed: ${failure}`, {
      details: { topic, status: Number(code ?? FAILED_STATUS), reason: failure },
    })
  }
  const { data } = message
  if (!appliesAt('receive', definition, context.validation)) return data
  return validate(definition?.schema, data, topic)
}

/** The handler of a responder: answers with what `handler` returns, or with its failure, which is then thrown on. */
export function answering(
  host: RequestContext,
  replyDefinition: ReplyDefinition | undefined,
  handler: (message: Message) => unknown,
): (message: Message) => Promise<void> {
  return async (message) => {
    try {
      const answer = await handler(message)
      if (appliesAt('publish', replyDefinition, host.context.validation)) {
        await validate(replyDefinition?.schema, answer, message.topic)
      }
      reply(host, message.replyTo, answer)
    } catch (error) {
      const text = oneLine(error instanceof Error ? error.message : String(error))
      reply(host, message.replyTo, undefined, {
        [ERROR_TEXT_HEADER]: text,
        [ERROR_CODE_HEADER]: FAILED_STATUS,
      })
      throw error
    }
  }
}

/** A header has one line. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ')
}

/** Tells who waits at `replyTo` that the request was refused, so that it need not wait for its time-out. */
export function refuse(host: RequestContext, replyTo: string, error: FanfareError): void {
  reply(host, replyTo, undefined, {
    [ERROR_TEXT_HEADER]: oneLine(error.message),
    [ERROR_CODE_HEADER]: error.code === 'QUEUE_OVERFLOW' ? OVERLOADED_STATUS : INVALID_STATUS,
  })
}

function reply(
  host: RequestContext,
  replyTo: string | undefined,
  data: unknown,
  headers?: Record<string, string>,
): void {
  if (replyTo === undefined) return
  const topic = host.engine.topic(replyTo)
  host.engine.publish(
    topic,
    new LiveMessage(new Publication(topic, undefined, host.context), data, data, { headers }),
  )
}

function timedOut(topic: string, terms: RequestTerms): FanfareError {
  return new FanfareError('TIMEOUT', `no answer to ${topic} within ${terms.timeoutMs} ms`, {
    retryable: true,
    details: { topic, timeoutMs: terms.timeoutMs },
  })
}

function noResponders(topic: string): FanfareError {
  return new FanfareError('NO_RESPONDERS', `nobody responds to ${topic}`, {
    retryable: true,
    details: { topic },
  })
}
