// Answers to requests: one wildcard subscription for all of them, and a table from the last token of the reply address
// to who waits, as the NATS clients do (ADR-47 calls it the muxed inbox).
import type { IdentifierSource } from '../base/index.js'
import {
  reachedNobody,
  type Engine,
  type EngineMessage,
  type PendingRequest,
  type Receiver,
  type ReplySink,
  type Subscription,
} from '../engine/index.js'
import type { TopicHandle } from '../topic/index.js'

const encoder = new TextEncoder()

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
    const request = withReply(message, this.#prefix + token)
    const outcome = this.#engine.publish(address, request)
    if (reachedNobody(outcome)) {
      this.#waiting.delete(token)
      sink.noResponders()
    }
    return { cancel: () => this.#waiting.delete(token) }
  }

  deliver(message: EngineMessage): boolean {
    const token = message.topic.name.slice(this.#prefix.length)
    this.#waiting.get(token)?.reply(message)
    return true
  }

  close(): void {
    this.#subscription?.unsubscribe()
    this.#waiting.clear()
  }
}

/** Gives `message` the reply address; a message born as a value keeps its value. */
function withReply(message: EngineMessage, reply: string): EngineMessage {
  const owned = message.retain()
  owned.materialize()
  const replyBytes = encoder.encode(reply)
  const buffer = new Uint8Array(owned.buffer.length + replyBytes.length)
  buffer.set(owned.buffer, 0)
  buffer.set(replyBytes, owned.buffer.length)
  owned.buffer = buffer
  owned.replyFrom = buffer.length - replyBytes.length
  owned.replyTo = buffer.length
  return owned
}
