// Whether the peer is still there: a PING when it has been silent for the interval, and the end after too many of
// them went unanswered. Also measures the round trip.
import type { Alarm, Alarms, Clock } from '../base/index.js'
import { pingLine } from '../wire/operations/index.js'

export interface LivenessHost {
  readonly clock: Clock
  readonly alarms: Alarms
  readonly limits: { readonly pingIntervalMs: number; readonly maxPingsOutstanding: number }
}

export interface LivenessActions {
  sendPing(line: Uint8Array): void
  stale(): void
}

/** The first PING comes early, to learn the round trip (nats-server: 2 s). */
const FIRST_PING_MS = 2_000

export class Liveness {
  readonly #host: LivenessHost
  readonly #actions: LivenessActions
  #alarm: Alarm | undefined
  #outstanding = 0
  #sentAtMs = 0
  #hasSeenInput = false
  /** Last measured round trip in milliseconds; undefined until the first PONG. */
  roundTripMs: number | undefined

  constructor(host: LivenessHost, actions: LivenessActions) {
    this.#host = host
    this.#actions = actions
  }

  start(): void {
    this.#wait(Math.min(FIRST_PING_MS, this.#host.limits.pingIntervalMs))
  }

  stop(): void {
    this.#host.alarms.cancel(this.#alarm)
    this.#alarm = undefined
  }

  sawInput(): void {
    this.#hasSeenInput = true
  }

  sawPong(): void {
    if (this.#outstanding === 0) return
    this.#outstanding = 0
    this.roundTripMs = this.#host.clock.elapsedMs() - this.#sentAtMs
  }

  #wait(delayMs: number): void {
    this.#alarm = this.#host.alarms.set(delayMs, () => this.#check())
  }

  #check(): void {
    const isActive = this.#hasSeenInput && this.roundTripMs !== undefined
    this.#hasSeenInput = false
    if (isActive) this.#outstanding = 0
    else if (this.#outstanding >= this.#host.limits.maxPingsOutstanding)
      return this.#actions.stale()
    else {
      this.#outstanding += 1
      this.#sentAtMs = this.#host.clock.elapsedMs()
      this.#actions.sendPing(pingLine)
    }
    this.#wait(this.#host.limits.pingIntervalMs)
  }
}
