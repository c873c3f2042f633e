// What a consumer sees of its stream.
import type { StreamSettings } from '../engine/index.js'
import type { Log } from '../log/index.js'
import type { Retention } from './retention.js'
import type { StreamFeed } from './stream-feed.js'

export interface ConsumerHome {
  readonly name: string
  readonly settings: StreamSettings
  readonly log: Log
  readonly retention: Retention
  readonly feed: StreamFeed
  /** Forgets a consumer that ended by itself. */
  deleteConsumer(name: string): Promise<boolean>
}
