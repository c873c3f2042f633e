// A message of this process as filters see it: the value is looked at where it is, as the bytes would show it.
import type { FilterView } from '../filter/index.js'
import type { BytesMessage } from '../engine/index.js'
import { readAttribute } from './cloud-event.js'
import type { MessageHeaders } from './message-headers.js'

interface Published {
  readonly topic: string
  readonly type: string
  readonly key: string | undefined
  readonly headers: MessageHeaders
  toBytes(): BytesMessage
}

export class LiveView implements FilterView {
  /** What is encoded when the message travels. */
  readonly data: unknown
  readonly isJson = true
  readonly #message: Published

  constructor(message: Published, input: unknown) {
    this.#message = message
    this.data = input
  }

  get topic(): string {
    return this.#message.topic
  }

  get type(): string {
    return this.#message.type
  }

  get key(): string | undefined {
    return this.#message.key ?? readAttribute(this.#message.headers, 'partitionkey')
  }

  /** With those of the envelope, which are made with the bytes. */
  get headers(): FilterView['headers'] {
    return this.#message.toBytes().view().headers
  }
}
