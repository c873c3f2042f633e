// Subscriptions by type in one process: one subscription sees every message, and an engine of its own, whose topics are the types,
// knows who wants it. So a type costs what a topic costs, with groups and all.
import { EmbeddedEngine } from '../embedded/index.js'
import {
  isOverMark,
  reachedNobody,
  type Engine,
  type EngineMessage,
  type Receiver,
  type SubscribeOptions,
  type Subscription,
} from '../engine/index.js'
import { findTopicFault } from '../topic/index.js'
import { decodeHeaderBlock } from '../wire/index.js'
import { readAttribute } from './cloud-event.js'
import { LiveMessage } from './live-message.js'
import { MessageHeaders } from './message-headers.js'

export class TypeIndex implements Receiver {
  readonly #types = new EmbeddedEngine()
  readonly #engine: Engine
  #everything: Subscription | undefined

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** `topic` is what `typeTopic` made of a type. */
  subscribe(topic: string, receiver: Receiver, options?: SubscribeOptions): Subscription {
    this.#everything ??= this.#engine.subscribe('>', this)
    return this.#types.subscribe(topic, receiver, options)
  }

  deliver(message: EngineMessage): boolean {
    const outcome = this.#types.publish(this.#types.topic(typeTopic(typeOf(message))), message)
    if (reachedNobody(outcome) && this.#types.statistics.subscriptions === 0) {
      this.#everything?.unsubscribe()
      this.#everything = undefined
    }
    return !isOverMark(outcome)
  }
}

/** A type is any text; what is no topic becomes one token of its letters' numbers. */
export function typeTopic(type: string): string {
  if (findTopicFault(type) === undefined) return type
  return `%${Array.from(type, (letter) => letter.codePointAt(0)!.toString(16)).join('%')}`
}

function typeOf(message: EngineMessage): string {
  if (message instanceof LiveMessage) return message.type
  const { headerBlock, handle } = message.toBytes()
  if (headerBlock.length === 0) return handle.name
  const headers = new MessageHeaders(decodeHeaderBlock(headerBlock).fields)
  return readAttribute(headers, 'type') ?? handle.name
}
