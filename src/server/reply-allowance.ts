// Reply subjects that a user may answer although its permissions would not let it publish there (allow_responses): each
// is granted by a request that was delivered to the user, for so many answers and so long.
import { decodeExactly, type Clock } from '../base/index.js'
import type { BytesMessage } from '../engine/index.js'
import type { ResponsePermission } from './server-options.js'

interface Grant {
  remaining: number
  readonly untilMs: number
}

/** Expired grants are swept when this many have gathered. */
const SWEEP_AT = 1_024

export class ReplyAllowance {
  readonly #permission: ResponsePermission
  readonly #clock: Clock
  readonly #grants = new Map<string, Grant>()
  #sweepAt = SWEEP_AT

  constructor(permission: ResponsePermission, clock: Clock) {
    this.#permission = permission
    this.#clock = clock
  }

  /** The user was handed a request: it may answer. */
  grant(message: BytesMessage): void {
    if (this.#grants.size >= this.#sweepAt) this.#sweep()
    const reply = decodeExactly(message.buffer, message.replyStart, message.replyEnd)
    const { max, expiresMs } = this.#permission
    this.#grants.set(reply, {
      remaining: max < 0 ? Infinity : max,
      untilMs: expiresMs < 0 ? Infinity : this.#clock.elapsedMs() + expiresMs,
    })
  }

  /** Uses one answer; false when there is none left, or none was granted. */
  use(reply: string): boolean {
    const grant = this.#grants.get(reply)
    if (grant === undefined) return false
    const isLive = this.#clock.elapsedMs() < grant.untilMs
    grant.remaining -= 1
    if (!isLive || grant.remaining <= 0) this.#grants.delete(reply)
    return isLive
  }

  #sweep(): void {
    const nowMs = this.#clock.elapsedMs()
    for (const [reply, grant] of this.#grants) {
      if (grant.untilMs <= nowMs) this.#grants.delete(reply)
    }
    this.#sweepAt = Math.max(SWEEP_AT, this.#grants.size * 2)
  }
}
