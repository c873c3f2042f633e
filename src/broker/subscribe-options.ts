// The options of live subscriptions, and which messages they select.
import { FanfareError } from '../base/index.js'
import type { Capabilities } from '../engine/index.js'
import {
  CONTENT_OPTION_NAMES,
  PART_NAMES,
  toFilterPattern,
  type FilterMaker,
} from './content-filter.js'
import type { LiveFilter, LiveSubscriptionOptions } from './live-subscription.js'
import type { Message } from './message.js'
import { optionInvalid, refuseUnknownOptions } from './option-checks.js'
import type { ContentOptions } from './where.js'

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

/** Of options without patterns and predicate. */
const EVERYTHING: LiveFilter = {}

/** Throws OPTION_INVALID. A request that no responder took would wait for its time-out, so responders take all. */
export function assertRespondOptions(options: LiveSubscriptionOptions): void {
  refuseUnknownOptions('respond', options, RESPOND_OPTIONS)
}

/** Throws OPTION_INVALID, FILTER_INVALID, UNSUPPORTED. */
export function toLiveFilter(
  options: SubscribeOptions,
  Filter: FilterMaker,
  capabilities: Capabilities,
): LiveFilter {
  refuseUnknownOptions('subscribe', options, SUBSCRIBE_OPTIONS)
  const { when } = options
  const pattern = toFilterPattern(options)
  if (when === undefined && pattern === undefined) return EVERYTHING
  if (when !== undefined && typeof when !== 'function')
    throw optionInvalid('when', when, 'a function')
  if (options.group !== undefined && !capabilities.filtersGroups) {
    throw groupsUnsupported(capabilities.engine)
  }
  return {
    ...(pattern === undefined ? {} : { filter: new Filter(pattern, PART_NAMES) }),
    ...(when === undefined ? {} : { when }),
  }
}

function groupsUnsupported(engine: string): FanfareError {
  return new FanfareError(
    'UNSUPPORTED',
    `the ${engine} engine gives a message to one member of a group before it can be filtered, and no other gets it: subscribe without group, or filter in the handler`,
    { details: { engine, option: 'group' } },
  )
}
