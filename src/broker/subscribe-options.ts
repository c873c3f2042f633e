// The options of live subscriptions.
import type { LiveSubscriptionOptions } from './live-subscription.js'
import type { Message } from './message.js'
import { optionInvalid, refuseUnknownOptions } from './option-checks.js'
import { CONTENT_OPTION_NAMES, type ContentOptions } from './where.js'

export interface SubscribeOptions<Payload = unknown, Received = Message>
  extends LiveSubscriptionOptions, ContentOptions<Payload> {
  /**
   * Asked about each message that `where`, `headers` and `key` let through; it is handed over when the answer is true. Answers at
   * once. One that throws is a `filter-failed` event and says no.
   */
  readonly when?: (message: Received) => boolean
}

const SUBSCRIBE_OPTIONS: ReadonlySet<string> = new Set<keyof SubscribeOptions>([
  'group',
  'signal',
  'concurrency',
  'capacity',
  'overflow',
  'when',
  ...CONTENT_OPTION_NAMES,
])

/** Whether some of the messages are selected. Throws OPTION_INVALID, for a responder also then: a request that none took would wait. */
export function isSelective(options: SubscribeOptions, isResponder: boolean): boolean {
  refuseUnknownOptions('subscribe', options, SUBSCRIBE_OPTIONS)
  const { where, headers, key, when } = options
  const given = where ?? headers ?? key ?? when
  if (isResponder && given !== undefined)
    throw optionInvalid('a filter of respond', given, 'absent')
  if (when !== undefined && typeof when !== 'function') {
    throw optionInvalid('when', when, 'a function')
  }
  return given !== undefined
}
