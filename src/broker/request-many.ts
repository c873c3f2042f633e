// One question and several answers (scatter-gather), as a loop. It ends when as many have come as were asked for, when none has
// come for a while, or when the time is over, whichever is first (ADR-47).
import { FanfareError, type Alarm } from '../base/index.js'
import type { EngineMessage, PendingRequest, ReplySink } from '../engine/index.js'
import type { TopicHandle } from '../topic/index.js'
import type { ReplyDefinition } from './request-terms.js'
import { readFailure } from './failed-answers.js'
import { LiveMessage } from './live-message.js'
import { preferring, type MessageContext } from './message-context.js'
import type { Message } from './message.js'
import { ReceivedMessage } from './received-message.js'
import { isFailed } from './reply-failed.js'
import {
  noResponders,
  type Answer,
  type RequestContext,
  type RequestManyTerms,
} from './request-terms.js'
import { appliesAt, validate } from './validation.js'

/** Answers that may wait for the loop. */
const MOST_WAITING = 10_000

/** Sends the message when the first answer is asked for; leaving the loop stops listening. */
export async function* requestMany(
  host: RequestContext,
  topic: TopicHandle,
  message: LiveMessage | Promise<LiveMessage>,
  definition: ReplyDefinition,
  terms: RequestManyTerms,
): AsyncGenerator<Answer, void, undefined> {
  terms.signal?.throwIfAborted()
  const gathering = new Gathering(host, topic, terms)
  const context = preferring(host.context, definition?.codec)
  try {
    gathering.send(await message)
    for (let taken = 0; taken < terms.max; taken++) {
      const answer = await gathering.next()
      if (answer === undefined) return
      yield await toAnswer(context, topic.name, answer, definition)
    }
  } finally {
    gathering.end()
  }
}

/** What has come and is not taken, and what ends the wait for more. */
class Gathering implements ReplySink {
  readonly #host: RequestContext
  readonly #topic: TopicHandle
  readonly #terms: RequestManyTerms
  readonly #answers: EngineMessage[] = []
  #pending: PendingRequest | undefined
  #received = 0
  #deadline: Alarm | undefined
  #stall: Alarm | undefined
  #isOver = false
  #failure: Error | undefined
  #wake: (() => void) | undefined

  constructor(host: RequestContext, topic: TopicHandle, terms: RequestManyTerms) {
    this.#host = host
    this.#topic = topic
    this.#terms = terms
  }

  send(message: LiveMessage): void {
    const { engine, alarms, underWay } = this.#host
    const { signal, timeoutMs } = this.#terms
    underWay.add(this.#closed)
    signal?.addEventListener('abort', this.#aborted, { once: true })
    this.#deadline = alarms.set(timeoutMs, () => this.#finish(undefined))
    this.#pending = engine.request(this.#topic, message, this)
    if (this.#isOver) this.#pending.cancel()
  }

  reply(answer: EngineMessage): void {
    if (this.#isOver) return
    if (this.#answers.length >= MOST_WAITING) return this.#finish(tooMany(this.#topic.name))
    this.#answers.push(answer.retain())
    this.#received += 1
    if (this.#received >= this.#terms.max) this.#finish(undefined)
    else this.#waitAgain()
    this.#wake?.()
  }

  noResponders(): void {
    this.#finish(noResponders(this.#topic.name))
  }

  /** Undefined at the end; what came before it is handed out first. */
  async next(): Promise<EngineMessage | undefined> {
    while (this.#answers.length === 0) {
      if (this.#failure !== undefined) throw this.#failure
      if (this.#isOver) return undefined
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return this.#answers.shift()
  }

  end(): void {
    this.#finish(undefined)
  }

  readonly #closed = (reason: FanfareError): void => this.#finish(reason)

  readonly #aborted = (): void => this.#finish(this.#terms.signal!.reason as Error)

  #waitAgain(): void {
    const { stallMs } = this.#terms
    if (stallMs === undefined) return
    this.#host.alarms.cancel(this.#stall)
    this.#stall = this.#host.alarms.set(stallMs, () => this.#finish(undefined))
  }

  #finish(failure: Error | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#failure = failure
    this.#pending?.cancel()
    this.#host.underWay.delete(this.#closed)
    this.#host.alarms.cancel(this.#deadline)
    this.#host.alarms.cancel(this.#stall)
    this.#terms.signal?.removeEventListener('abort', this.#aborted)
    this.#wake?.()
  }
}

async function toAnswer(
  context: MessageContext,
  topic: string,
  answer: EngineMessage,
  definition: ReplyDefinition,
): Promise<Answer> {
  const message: Message =
    answer instanceof LiveMessage ? answer : new ReceivedMessage(answer, context, undefined)
  try {
    if (isFailed(message)) throw readFailure(topic, message)
    const { data } = message
    if (!appliesAt('receive', definition, context.validation))
      return { message, data, error: undefined }
    const output = await validate(definition?.schema, data, topic)
    return { message, data: output, error: undefined }
  } catch (failure) {
    const error = failure as FanfareError
    return {
      message,
      error,
      get data(): never {
        throw error
      },
    }
  }
}

function tooMany(topic: string): FanfareError {
  return new FanfareError(
    'QUEUE_OVERFLOW',
    `more than ${MOST_WAITING} answers to ${topic} wait to be taken; take them faster, or give max`,
    { details: { topic } },
  )
}
