// What the server counts: totals that outlive sessions, and the last sessions that ended.
import type { Session } from './session.js'

export interface EndedSession {
  readonly session: Session
  readonly reason: string
  readonly endedAtMs: number
}

/** As many ended sessions as nats-server remembers by default is 10,000; each keeps its session alive, so fewer here. */
const REMEMBERED_SESSIONS = 1_000

export class ServerStatistics {
  readonly startedAtMs: number
  totalConnections = 0
  slowConsumers = 0
  /** Subscriptions ever made. */
  subscribed = 0
  staleConnections = 0
  readonly ended: EndedSession[] = []
  #inMessages = 0
  #inBytes = 0
  #outMessages = 0
  #outBytes = 0

  constructor(startedAtMs: number) {
    this.startedAtMs = startedAtMs
  }

  sessionEnded(session: Session, reason: string, endedAtMs: number): void {
    if (reason === 'Stale Connection') this.staleConnections += 1
    this.#inMessages += session.inMessages
    this.#inBytes += session.inBytes
    this.#outMessages += session.outMessages
    this.#outBytes += session.outBytes
    this.ended.push({ session, reason, endedAtMs })
    if (this.ended.length > REMEMBERED_SESSIONS) this.ended.shift()
  }

  /** Totals over ended and open sessions. */
  totals(open: Iterable<Session>): {
    inMessages: number
    inBytes: number
    outMessages: number
    outBytes: number
  } {
    const totals = {
      inMessages: this.#inMessages,
      inBytes: this.#inBytes,
      outMessages: this.#outMessages,
      outBytes: this.#outBytes,
    }
    for (const session of open) {
      totals.inMessages += session.inMessages
      totals.inBytes += session.inBytes
      totals.outMessages += session.outMessages
      totals.outBytes += session.outBytes
    }
    return totals
  }
}
