// What is in flight, by token.
import type { BatchItem } from './hand-out-batch.js'
import type { Member } from './member.js'

export class InFlight {
  /** In the order of their hand-outs. */
  readonly #items = new Map<number, BatchItem>()

  add(item: BatchItem): void {
    this.#items.set(item.token, item)
  }

  has(token: number): boolean {
    return this.#items.has(token)
  }

  find(token: number): BatchItem | undefined {
    return this.#items.get(token)
  }

  /** Whether the message of an id is out. */
  hasId(id: number): boolean {
    for (const item of this.#items.values()) if (item.id === id) return true
    return false
  }

  /** Takes a hand-out out of flight. */
  drop(token: number): BatchItem | undefined {
    const item = this.#items.get(token)
    if (item !== undefined) this.#items.delete(token)
    return item
  }

  /** Takes out everything up to and including a token; answers the ids. */
  dropThrough(token: number): number[] {
    const ids: number[] = []
    for (const item of this.#items.values()) {
      if (item.token > token) break
      ids.push(item.id)
      this.#items.delete(item.token)
    }
    return ids
  }

  /** The tokens that are out with a member. */
  tokensOf(member: Member): number[] {
    const tokens: number[] = []
    for (const item of this.#items.values()) if (item.member === member) tokens.push(item.token)
    return tokens
  }

  /** Takes everything out. */
  dropAll(): BatchItem[] {
    const items = [...this.#items.values()]
    this.#items.clear()
    return items
  }
}
