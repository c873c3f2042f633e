// What the durable verbs need of the broker that they belong to.
import type { Alarms, Clock } from '../base/index.js'
import type { Durable } from '../engine/index.js'
import type { TopicHandle } from '../topic/index.js'
import type { BrokerEvent } from './broker-event.js'
import type { AnyDefinition } from './definition.js'
import type { Publication } from './live-message.js'
import type { MessageContext } from './message-context.js'
import type { Parameterized } from './publications.js'
import type { ResolvedSource, Source } from './source.js'

export interface DurableHost {
  readonly durable: Durable
  readonly clock: Clock
  /** Pending alarms keep the process alive. */
  readonly alarms: Alarms
  readonly context: MessageContext
  /** The handle of a valid topic. */
  topic(name: string): TopicHandle
  /** Throws TOPIC_INVALID, UNDECLARED_TOPIC. */
  publicationOf(target: AnyDefinition | string, options: Parameterized | undefined): Publication
  /** Throws PATTERN_INVALID, UNDECLARED_TOPIC. */
  resolve(source: Source): ResolvedSource
  findDefinition(topic: string): AnyDefinition | undefined
  report(event: BrokerEvent): void
}
