// What was published, in order: bytes, as a receiver on another machine would get them. The oldest are forgotten when there are too
// many.
import type { BytesMessage, EngineMessage } from '../engine/index.js'

/** The protocol's own topics and replies are nobody's publication. */
const OF_NOBODY = /^(_INBOX\.|\$)/

export class MessageRecord {
  readonly #capacity: number
  #messages: BytesMessage[] = []

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get messages(): readonly BytesMessage[] {
    return this.#messages
  }

  add(message: EngineMessage): void {
    if (OF_NOBODY.test(message.handle.name)) return
    this.#messages.push(message.toBytes().retain())
    // Now and then, so that it costs nothing each time.
    if (this.#messages.length >= 2 * this.#capacity) this.#messages.splice(0, this.#capacity)
  }

  clear(): void {
    this.#messages = []
  }
}
