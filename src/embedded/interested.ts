// What a stream asks of its consumers, and tells them.
import type { StoredMessage } from '../engine/index.js'

export interface Interested {
  wants(topic: string): boolean
  hasSettled(sequence: number): boolean
  /** A message that it wants was accepted. */
  messageAccepted(): void
  /** Whether it has looked at all that is committed, and is shown by the feed what comes. */
  readonly isFollowing: boolean
  /** Takes a committed message that it wants; false: it has no room, and reads by itself from that message on. */
  take(message: StoredMessage): boolean
  /** It is not shown anything from a number on. */
  fallBehind(sequence: number): void
  /** What was taken can be handed out. */
  wake(): void
}
