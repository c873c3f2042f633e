// A list of slots that are linked to each other, so that any of them leaves in constant time.
import { NONE, type SlotLinks } from './message-slots.js'

export class SlotList {
  #first: number = NONE
  #last: number = NONE
  readonly #links: SlotLinks

  constructor(links: SlotLinks) {
    this.#links = links
  }

  /** The slot at the front, or NONE. */
  get first(): number {
    return this.#first
  }

  /** Puts `slot` at the end. */
  add(slot: number): void {
    this.insertBefore(NONE, slot)
  }

  /** Puts `slot` in front of `other`, or at the end when that is NONE. */
  insertBefore(other: number, slot: number): void {
    const { next, previous } = this.#links
    const before = other === NONE ? this.#last : previous[other]!
    next[slot] = other
    previous[slot] = before
    if (before === NONE) this.#first = slot
    else next[before] = slot
    if (other === NONE) this.#last = slot
    else previous[other] = slot
  }

  remove(slot: number): void {
    const { next, previous } = this.#links
    const after = next[slot]!
    const before = previous[slot]!
    if (before === NONE) this.#first = after
    else next[before] = after
    if (after === NONE) this.#last = before
    else previous[after] = before
  }
}
