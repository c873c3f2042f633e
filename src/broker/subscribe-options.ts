// The options of live subscriptions.
import type { LiveSubscriptionOptions } from './live-subscription.js'
import type { Message } from './message.js'
import { refuseUnknownOptions } from './option-checks.js'
import { CONTENT_OPTION_NAMES, type ContentOptions } from './where.js'

export interface SubscribeOptions<Payload = unknown, Received = Message>
  extends LiveSubscriptionOptions, ContentOptions<Payload> {
  /**
   * Asked about each message that `where`, `headers` and `key` let through; it is handed over when the answer is true. Answers at
   * once. One that throws is a `filter-failed` event and says no.
   */
  readonly when?: (message: Received) => boolean
}

const RESPOND_OPTION_NAMES = [
  'group',
  'signal',
  'concurrency',
  'capacity',
  'overflow',
] as const satisfies readonly (keyof LiveSubscriptionOptions)[]

const RESPOND_OPTIONS: ReadonlySet<string> = new Set(RESPOND_OPTION_NAMES)
const SUBSCRIBE_OPTIONS: ReadonlySet<string> = new Set([
  ...RESPOND_OPTION_NAMES,
  ...CONTENT_OPTION_NAMES,
  'when',
])

/** Throws OPTION_INVALID. A request that no responder took would wait for its time-out, so responders take all. */
export function assertRespondOptions(options: LiveSubscriptionOptions): void {
  refuseUnknownOptions('respond', options, RESPOND_OPTIONS)
}

/** Throws OPTION_INVALID. Whether some of the messages are selected. */
export function isSelective(options: SubscribeOptions): boolean {
  refuseUnknownOptions('subscribe', options, SUBSCRIBE_OPTIONS)
  const { where, headers, key, when } = options
  return (where ?? headers ?? key ?? when) !== undefined
}
