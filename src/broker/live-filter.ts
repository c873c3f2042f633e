// Which messages a live subscription takes, from its options. Loaded with a broker and not with the library: a filter is wanted at
// once, and reading patterns is as large as a part of the rest.
import { FanfareError } from '../base/index.js'
import { jsonCodec } from '../codec/index.js'
import { BytesView, type EngineMessage, type MessageFilter } from '../engine/index.js'
import { Filter, type FilterView } from '../filter/index.js'
import { readAttribute } from './cloud-event.js'
import { PART_NAMES, toFilterPattern } from './content-filter.js'
import { LiveMessage } from './live-message.js'
import type { LiveFilter } from './live-subscription.js'
import { optionInvalid } from './option-checks.js'
import type { SubscribeOptions } from './subscribe-options.js'

/** `engine` is the name of one that does not filter before it gives a group's turn. Throws OPTION_INVALID, FILTER_INVALID, UNSUPPORTED. */
export function toLiveFilter(options: SubscribeOptions, engine: string | undefined): LiveFilter {
  const { group, when } = options
  if (when !== undefined && typeof when !== 'function') {
    throw optionInvalid('when', when, 'a function')
  }
  if (group !== undefined && engine !== undefined) throw groupsUnsupported(engine)
  const pattern = toFilterPattern(options)
  return {
    ...(pattern === undefined ? {} : { filter: new LiveMessageFilter(pattern, PART_NAMES) }),
    ...(when === undefined ? {} : { when }),
  }
}

class LiveMessageFilter extends Filter implements MessageFilter {
  /** What another codec makes of a value, only its bytes can tell. */
  view(message: EngineMessage): FilterView {
    return message instanceof LiveMessage && message.codec === jsonCodec
      ? new LiveView(message)
      : new BytesView(message.toBytes())
  }
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
    return this.#message.key ?? readAttribute(this.#message.headers, 'partitionkey')
  }

  /** With those of the envelope, which are made with the bytes. */
  get headers(): FilterView['headers'] {
    return new BytesView(this.#message.toBytes()).headers
  }

  get data(): unknown {
    return this.#message.input
  }
}

function groupsUnsupported(engine: string): FanfareError {
  return new FanfareError(
    'UNSUPPORTED',
    `the ${engine} engine gives a message to one member of a group before it can be filtered, and no other gets it: subscribe without group, or filter in the handler`,
    { details: { engine, option: 'group' } },
  )
}
