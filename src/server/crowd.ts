// How much waits for clients that are behind but do read. Publishers are held back for these, all of them together, so that
// a flood to many readers neither cuts them off nor fills the memory; a client that takes nothing counts for nobody: it
// will be cut off by itself.
import type { Clock } from '../base/index.js'

export interface CrowdMember {
  readonly isOverMark: boolean
  readonly pendingBytes: number
  /** How many pieces of output have been taken. */
  readonly takenCount: number
}

/** A client that has taken nothing for so long is not reading. */
const READING_MS = 100

interface Sighting {
  takenCount: number
  atMs: number
}

export class Crowd {
  readonly #clock: Clock
  readonly #sightings = new WeakMap<CrowdMember, Sighting>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Bytes that wait for members which are over their mark and have taken something lately. */
  pendingBytes(members: Iterable<CrowdMember>): number {
    const nowMs = this.#clock.elapsedMs()
    let bytes = 0
    for (const member of members) {
      if (member.isOverMark && this.#isReading(member, nowMs)) bytes += member.pendingBytes
    }
    return bytes
  }

  #isReading(member: CrowdMember, nowMs: number): boolean {
    const sighting = this.#sightings.get(member)
    if (sighting === undefined || sighting.takenCount !== member.takenCount) {
      this.#sightings.set(member, { takenCount: member.takenCount, atMs: nowMs })
      return true
    }
    return nowMs - sighting.atMs < READING_MS
  }
}
