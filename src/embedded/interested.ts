// What a stream asks of its consumers, and tells them.
import type { StoredMessage } from '../engine/index.js'
import type { FilterView } from '../filter/index.js'

export interface Interested {
  /** Whether a topic is one of its own. */
  wants(topic: string): boolean
  /** Whether it wants some messages of its topics only, and which. */
  readonly isByContent: boolean
  admits(view: FilterView): boolean
  hasSettled(sequence: number): boolean
  /** A message that it wants was accepted. */
  messageAccepted(): void
  /** Whether it has looked at all that is committed, and is shown by the feed what comes. */
  readonly isFollowing: boolean
  /** Takes a committed message on a topic of its own, if it wants it; false: it has no room, and reads by itself from that message on. */
  take(message: StoredMessage): boolean
  /** It is not shown anything from a number on. */
  fallBehind(sequence: number): void
  /** What was taken can be handed out. */
  wake(): void
}
