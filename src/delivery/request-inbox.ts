// Answers to requests: one wildcard subscription for all of them, and a table from the last token of the reply address
// to who waits, as the NATS clients do (ADR-47 calls it the muxed inbox).
import type { IdentifierSource } from '../base/index.js'
import {
  BytesMessage,
  reachedNobody,
  type Engine,
  type EngineMessage,
  type PendingRequest,
  type PublishOutcome,
  type Receiver,
  type ReplySink,
  type Subscription,
} from '../engine/index.js'
import type { TopicHandle } from '../topic/index.js'
import { decodeHeaderBlock } from '../wire/index.js'

export class RequestInbox implements Receiver {
  readonly #engine: Engine
  readonly #prefix: string
  readonly #waiting = new Map<string, ReplySink>()
  #subscription: Subscription | undefined
  #count = 0

  constructor(engine: Engine, identifiers: IdentifierSource) {
    this.#engine = engine
    this.#prefix = `_INBOX.${identifiers.next()}.`
  }

  request(address: TopicHandle, message: EngineMessage, sink: ReplySink): PendingRequest {
    this.#subscription ??= this.#engine.subscribe(`${this.#prefix}*`, this)
    const token = (this.#count++).toString(36)
    this.#waiting.set(token, sink)
    let outcome: PublishOutcome
    try {
      outcome = this.#engine.publish(address, message.withReply(this.#prefix + token))
    } catch (error) {
      this.#waiting.delete(token)
      throw error
    }
    if (reachedNobody(outcome)) {
      this.#waiting.delete(token)
      sink.noResponders()
    }
    return { cancel: () => this.#waiting.delete(token) }
  }

  deliver(message: EngineMessage): boolean {
    const token = message.handle.name.slice(this.#prefix.length)
    const sink = this.#waiting.get(token)
    if (sink === undefined) return true
    if (!isNoResponders(message)) sink.reply(message)
    else {
      this.#waiting.delete(token)
      sink.noResponders()
    }
    return true
  }

  close(): void {
    this.#subscription?.unsubscribe()
    this.#waiting.clear()
  }
}

/** Whether a server answers for the responders that are not there: status 503 and no body (ADR-4). */
function isNoResponders(message: EngineMessage): boolean {
  if (!(message instanceof BytesMessage)) return false
  if (message.bodyBytes > 0 || message.headerBytes === 0) return false
  return decodeHeaderBlock(message.headerBlock).status === 503
}
