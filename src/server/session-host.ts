// What the server lends to its sessions. Limits and the authenticator change when the configuration is reloaded, so they
// are asked for each time.
import type { Alarms, ByteArena, Clock } from '../base/index.js'
import type { Engine } from '../engine/index.js'
import type { Authenticator } from './authenticator.js'
import type { Crowd } from './crowd.js'
import type { FlushQueue } from './flush-queue.js'
import type { IncomingMessage } from './incoming-message.js'
import type { Connection } from './connection.js'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Every limit a session obeys, with defaults filled in. */
export interface SessionLimits {
  readonly maxControlLineBytes: number
  readonly maxPayloadBytes: number
  readonly maxPendingBytes: number
  readonly markBytes: number
  readonly maxSubscriptions: number
  readonly maxSubscriptionTokens: number
  readonly writeDeadlineMs: number
  readonly pingIntervalMs: number
  readonly maxPingsOutstanding: number
}

/** A session as its host needs to know it. */
export interface HostedSession {
  readonly id: number
  readonly connection: Connection
  /** Reads on after a pause. */
  resumeReading(): void
}

export interface SessionHost {
  readonly engine: Engine
  readonly clock: Clock
  readonly alarms: Alarms
  readonly arena: ByteArena
  readonly flushQueue: FlushQueue
  readonly incoming: IncomingMessage
  readonly limits: SessionLimits
  readonly authenticator: Authenticator
  readonly authenticationTimeoutMs: number
  readonly headersSupported: boolean
  readonly statistics: { subscribed: number }
  /** Sessions that are behind. */
  readonly crowd: Crowd
  /** Sessions that do not read because somebody they publish to is behind. */
  readonly pausedSessions: Set<HostedSession>
  /** How long a publisher pauses at most, in milliseconds. */
  pauseMs(): number
  /** Whether so much waits for clients that do read that publishers must wait longer. */
  mustHoldPublishers(): boolean
  /** Lets all paused publishers read on. */
  resumePublishers(): void
  /** The fields of INFO. */
  describe(session: Pick<HostedSession, 'id' | 'connection'>): object
  slowConsumer(session: HostedSession, reason: string): void
  ended(session: HostedSession, reason: string): void
  log(level: LogLevel, text: string): void
}
