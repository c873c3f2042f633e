// What the streams and consumers of one engine share: time, the store, topic handles, and where events go.
import type { Alarms, Clock } from '../base/index.js'
import type { EngineEvent, EngineMessage } from '../engine/index.js'
import type { LogStore } from '../log/index.js'
import type { TopicHandle } from '../topic/index.js'
import type { DeadLetterBox } from './dead-letter-box.js'
import type { Interested } from './interested.js'
import type { TopicLookUp } from './stream-record.js'

export interface StreamSite {
  readonly clock: Clock
  readonly alarms: Alarms
  readonly store: LogStore
  readonly topicAt: TopicLookUp
  topic(name: string): TopicHandle
  report(event: EngineEvent): void
  /** Delivers to live receivers only. */
  deliver(address: TopicHandle, message: EngineMessage): void
  /** Looks up anew, at their next use, the topics that `pattern` matches. */
  forgetInterest(pattern: string): void
  /** Who wants messages of a topic. */
  consumersOf(address: TopicHandle): readonly Interested[]
  /** Where a stream's dead letters go; the stream of that name is made when it is not there. */
  openDeadLetterBox(source: string, name: string, consumer: string): Promise<DeadLetterBox>
}
