// The clients that are behind. Publishers are held back for those that do read, all of them together, so that a flood to
// many readers neither cuts them off nor fills the memory; one that takes nothing counts for nobody: it will be cut off
// by itself. Only clients over their mark are looked at, however many are connected.
import type { Clock } from '../base/index.js'

export interface CrowdMember {
  readonly pendingBytes: number
  /** How many pieces of output have been taken. */
  readonly takenCount: number
  /** Pending bytes as a share of the limit. */
  readonly fullness: number
}

/** A client that has taken nothing for so long is not reading. */
const READING_MS = 100

/** An answer is good for so long: a thousand clients that catch up in one turn ask a thousand times. */
const FRESH_MS = 1

interface Sighting {
  takenCount: number
  atMs: number
}

export class Crowd {
  readonly #clock: Clock
  readonly #members = new Map<CrowdMember, Sighting>()
  #pendingBytes = 0
  #countedAtMs = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  join(member: CrowdMember): void {
    this.#members.set(member, { takenCount: member.takenCount, atMs: this.#clock.elapsedMs() })
  }

  leave(member: CrowdMember): void {
    this.#members.delete(member)
  }

  /** Whether some member is that close to its limit. */
  hasFullerThan(share: number): boolean {
    for (const member of this.#members.keys()) if (member.fullness > share) return true
    return false
  }

  /** Bytes that wait for members which have taken something lately, as of the last millisecond. */
  get pendingBytes(): number {
    if (this.#members.size === 0) return 0
    const nowMs = this.#clock.elapsedMs()
    if (nowMs - this.#countedAtMs >= FRESH_MS) {
      this.#pendingBytes = this.#count(nowMs)
      this.#countedAtMs = nowMs
    }
    return this.#pendingBytes
  }

  #count(nowMs: number): number {
    let bytes = 0
    for (const [member, sighting] of this.#members) {
      if (sighting.takenCount !== member.takenCount) {
        sighting.takenCount = member.takenCount
        sighting.atMs = nowMs
      }
      if (nowMs - sighting.atMs < READING_MS) bytes += member.pendingBytes
    }
    return bytes
  }
}
