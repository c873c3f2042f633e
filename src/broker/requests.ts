// Questions and their answers: a request is a message with a reply topic; the first answer settles it.
import { FanfareError } from '../base/index.js'
import type { EngineMessage, PendingRequest, ReplySink } from '../engine/index.js'
import type { TopicHandle } from '../topic/index.js'
import type { ReplyDefinition } from './request-terms.js'
import { LiveMessage } from './live-message.js'
import { preferring, type MessageContext } from './message-context.js'
import type { Message } from './message.js'
import { messageReading } from './message-reading.js'
import { isFailed } from './reply-failed.js'
import { noResponders, type RequestContext, type RequestTerms } from './request-terms.js'
import { appliesAt, validate } from './validation.js'

/**
 * Sends `message` and resolves with the first answer's data. Rejects with TIMEOUT, NO_RESPONDERS, REPLY_FAILED,
 * QUEUE_OVERFLOW when the responder refused it, CLOSED, or the signal's reason.
 */
export function requestOne(
  host: RequestContext,
  topic: TopicHandle,
  message: LiveMessage,
  replyDefinition: ReplyDefinition,
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

/** The data of an answer, or a promise of it. Throws or rejects with REPLY_FAILED, QUEUE_OVERFLOW, DECODE_FAILED, VALIDATION_FAILED. */
function readAnswer(
  context: MessageContext,
  topic: string,
  answer: EngineMessage,
  definition: ReplyDefinition,
): unknown {
  const { ReceivedMessage } = messageReading()
  const message: Message =
    answer instanceof LiveMessage
      ? answer
      : new ReceivedMessage(answer.retain(), preferring(context, definition?.codec), undefined)
  if (isFailed(message)) throw messageReading().readFailure(topic, message)
  const { data } = message
  if (!appliesAt('receive', definition, context.validation)) return data
  return validate(definition?.schema, data, topic)
}

function timedOut(topic: string, terms: RequestTerms): FanfareError {
  return new FanfareError('TIMEOUT', `no answer to ${topic} within ${terms.timeoutMs} ms`, {
    retryable: true,
    details: { topic, timeoutMs: terms.timeoutMs },
  })
}
