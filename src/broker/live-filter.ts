// Which messages a live subscription takes, from its options. Loaded with a broker and not with the library: a filter is wanted at
// once, and reading patterns is as large as a part of the rest.
import { FanfareError } from '../base/index.js'
import { BytesView, type EngineMessage, type MessageFilter } from '../engine/index.js'
import { Filter, type FilterView } from '../filter/index.js'
import { PART_NAMES, toFilterPattern } from './content-filter.js'
import type { LiveMessage } from './live-message.js'
import type { LiveFilter } from './live-subscription.js'
import type { SubscribeOptions } from './subscribe-options.js'

/** `engine` is the name of one that does not filter before it gives a group's turn. Throws FILTER_INVALID, UNSUPPORTED. */
export function toLiveFilter(options: SubscribeOptions, engine: string | undefined): LiveFilter {
  const { group, when } = options
  if (group !== undefined && engine !== undefined) throw groupsUnsupported(engine)
  const pattern = toFilterPattern(options)
  return {
    ...(pattern === undefined ? {} : { filter: new LiveMessageFilter(pattern, PART_NAMES) }),
    ...(when === undefined ? {} : { when: (message) => assertAnswer(when(message)) }),
  }
}

/** A promise would count as true, whatever it comes to. */
function assertAnswer(answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer
  throw new FanfareError('OPTION_INVALID', `when must answer true or false, not ${typeof answer}`, {
    details: { option: 'when' },
  })
}

class LiveMessageFilter extends Filter implements MessageFilter {
  /** What another codec makes of a value, only its bytes can tell. */
  view(message: EngineMessage): FilterView {
    return isPlainJson(message) ? new LiveView(message) : new BytesView(message.toBytes())
  }
}

/** Told by what it has: its class is the library's, and must not be torn from there by what is loaded apart. */
function isPlainJson(message: EngineMessage): message is LiveMessage {
  return 'isPlainJson' in message && message.isPlainJson === true
}

/** A message of this process: the value is looked at where it is, as the bytes would show it. */
class LiveView implements FilterView {
  readonly isJson = true
  readonly #message: LiveMessage

  constructor(message: LiveMessage) {
    this.#message = message
  }

  get topic(): string {
    return this.#message.topic
  }

  get type(): string {
    return this.#message.type
  }

  get key(): string | undefined {
    const { key, headers } = this.#message
    return key === undefined && headers.size > 0 ? this.#bytes.key : key
  }

  /** With those of the envelope, which are made with the bytes. */
  get headers(): FilterView['headers'] {
    return this.#bytes.headers
  }

  get data(): unknown {
    return this.#message.input
  }

  get #bytes(): BytesView {
    return new BytesView(this.#message.toBytes())
  }
}

function groupsUnsupported(engine: string): FanfareError {
  return new FanfareError(
    'UNSUPPORTED',
    `the ${engine} engine gives a message to one member of a group before it can be filtered, and no other gets it: subscribe without group, or filter in the handler`,
    { details: { engine, option: 'group' } },
  )
}
