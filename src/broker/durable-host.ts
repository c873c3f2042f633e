// What the durable verbs need of the broker that they belong to.
import type { Alarms, Clock } from '../base/index.js'
import type { Durable } from '../engine/index.js'
import type { TopicHandle } from '../topic/index.js'
import type { BrokerEvent } from './broker-event.js'
import type { Selection } from './catalog-index.js'
import type { AnyDefinition } from './definition.js'
import type { Publication } from './live-message.js'
import type { MessageContext } from './message-context.js'
import type { Verb } from './message-kinds.js'
import type { Parameterized } from './publications.js'
import type { Sources } from './source.js'

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
  /** Whether there is a catalog, so that nothing is taken that has no definition. */
  readonly isStrict: boolean
  /** Throws PATTERN_INVALID, UNDECLARED_TOPIC, KIND_MISMATCH. */
  select(verb: Verb, sources: Sources): Selection
  /** By which definition a message of this topic is seen. */
  definitionIn(selection: Selection, topic: string): AnyDefinition | undefined
  findDefinition(topic: string): AnyDefinition | undefined
  report(event: BrokerEvent): void
}
