// What a responder sends back: data, or that it failed.
import type { FanfareError } from '../base/index.js'
import { jsonCodec } from '../codec/index.js'
import { ACCEPT_ENCODING, LiveMessage, Publication } from './live-message.js'
import type { PublishedAttributes } from './cloud-event.js'
import { preferring, withoutCompression } from './message-context.js'
import type { Message } from './message.js'
import { messageReading } from './message-reading.js'
import { isDeliberate } from './reply-failed.js'
import type { AnswerHost, ReplyDefinition } from './request-terms.js'
import { appliesAt, validate } from './validation.js'

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
      sendFailure(host, message.replyTo, error, flowOf(message))
      if (!isDeliberate(error)) throw error
    }
  }
}

/** Tells who waits at `replyTo` that the request was refused, so that it need not wait for its time-out. */
export function refuse(host: AnswerHost, replyTo: string, error: FanfareError): void {
  sendFailure(host, replyTo, error, undefined)
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
  if (replyTo === undefined) return
  const { data, headers } = messageReading().toFailedAnswer(error)
  const host = { engine, context: preferring(withoutCompression(context), jsonCodec) }
  send(host, replyTo, data, { ...flow, headers })
}
