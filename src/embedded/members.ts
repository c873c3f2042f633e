// Those that share a consumer, in turn.
import type { Member } from './member.js'

export class Members {
  readonly #list: Member[] = []
  #turn = 0

  get count(): number {
    return this.#list.length
  }

  add(member: Member): void {
    this.#list.push(member)
  }

  remove(member: Member): void {
    this.#list.splice(this.#list.indexOf(member), 1)
  }

  removeAll(): Member[] {
    return this.#list.splice(0)
  }

  get haveCredit(): boolean {
    for (const { credit } of this.#list) if (credit > 0) return true
    return false
  }

  /** The member whose turn it is, passing over those without credit. */
  next(): Member | undefined {
    const count = this.#list.length
    for (let tries = 0; tries < count; tries++) {
      this.#turn = this.#turn + 1 >= count ? 0 : this.#turn + 1
      const member = this.#list[this.#turn]!
      if (member.credit > 0) return member
    }
    return undefined
  }
}
