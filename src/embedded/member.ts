// One member of a consumer: its receiver and the credit it has left.
import type { ConsumerMember, ConsumerReceiver } from '../engine/index.js'

export class Member implements ConsumerMember {
  readonly receiver: ConsumerReceiver
  credit = 0
  hasLeft = false
  readonly #granted: () => void
  readonly #left: () => void

  constructor(receiver: ConsumerReceiver, granted: () => void, left: () => void) {
    this.receiver = receiver
    this.#granted = granted
    this.#left = left
  }

  grant(messages: number): void {
    if (this.hasLeft) return
    this.credit += messages
    this.#granted()
  }

  revoke(): void {
    this.credit = 0
  }

  leave(): void {
    if (this.hasLeft) return
    this.hasLeft = true
    this.credit = 0
    this.#left()
  }
}
