// The messages a consumer has to keep in mind, one slot each, in columns of typed arrays: what is offered and not yet
// settled. Slots are used again, so that memory follows the number of such messages, not the span of their sequences.

/** Where a message is on its way. */
export const SlotState = {
  free: 0,
  /** Known from before a restart, not offered again yet. */
  restored: 1,
  /** Behind another message of its key. */
  held: 2,
  /** Never handed out, next in stream order. */
  fresh: 3,
  /** To be handed out before what is fresh. */
  due: 4,
  inFlight: 5,
  /** Given back, until its retry is due. */
  waiting: 6,
  /** Given up, until its dead letter is written. */
  failed: 7,
} as const

export type SlotState = (typeof SlotState)[keyof typeof SlotState]

/** No slot. */
export const NONE = -1

/** Neighbours of each slot in one kind of list. */
export class SlotLinks {
  next = new Int32Array(0)
  previous = new Int32Array(0)

  grow(capacity: number): void {
    this.next = enlarged(this.next, new Int32Array(capacity))
    this.previous = enlarged(this.previous, new Int32Array(capacity))
  }
}

export class MessageSlots {
  /** The sequence, or for a dead letter that is handed out again its negated sequence there. */
  id = new Float64Array(0)
  token = new Float64Array(0)
  /** Hand-outs that count. */
  attempts = new Int32Array(0)
  state = new Uint8Array(0)
  /** 1 when the message came back from a hand-out. */
  isAgain = new Uint8Array(0)
  /** 1 while the next note has to tell of it. */
  isChanged = new Uint8Array(0)
  /** End of the ack wait or of the wait for a retry. */
  deadlineMs = new Float64Array(0)
  heapIndex = new Int32Array(0)
  lane = new Int32Array(0)
  /** In order of sequence. */
  readonly ranks = new SlotLinks()
  /** Fresh messages, or ack waits. */
  readonly queues = new SlotLinks()
  /** Of one key. */
  readonly lanes = new SlotLinks()

  /** How many slots are in each state. */
  readonly counts = new Int32Array(8)
  #free: number = NONE

  /** Messages there are, without those that only a former process knew. */
  get held(): number {
    const { counts } = this
    return this.heldBack + counts[3]! + counts[4]! + counts[5]!
  }

  /** Messages that are neither in flight nor could be. */
  get heldBack(): number {
    const { counts } = this
    return counts[2]! + counts[6]! + counts[7]!
  }

  /** A slot for a message that was never handed out; its state is the caller's next word. */
  take(id: number): number {
    if (this.#free === NONE) this.#grow()
    const slot = this.#free
    this.#free = this.queues.next[slot]!
    this.id[slot] = id
    this.token[slot] = 0
    this.attempts[slot] = 0
    this.isAgain[slot] = 0
    this.lane[slot] = NONE
    return slot
  }

  move(slot: number, state: SlotState): void {
    this.counts[this.state[slot]!]! -= 1
    this.counts[state]! += 1
    this.state[slot] = state
  }

  give(slot: number): void {
    this.move(slot, SlotState.free)
    this.isChanged[slot] = 0
    this.queues.next[slot] = this.#free
    this.#free = slot
  }

  #grow(): void {
    const old = this.id.length
    const capacity = old === 0 ? 16 : old * 2
    this.id = enlarged(this.id, new Float64Array(capacity))
    this.token = enlarged(this.token, new Float64Array(capacity))
    this.attempts = enlarged(this.attempts, new Int32Array(capacity))
    this.state = enlarged(this.state, new Uint8Array(capacity))
    this.isAgain = enlarged(this.isAgain, new Uint8Array(capacity))
    this.isChanged = enlarged(this.isChanged, new Uint8Array(capacity))
    this.deadlineMs = enlarged(this.deadlineMs, new Float64Array(capacity))
    this.heapIndex = enlarged(this.heapIndex, new Int32Array(capacity))
    this.lane = enlarged(this.lane, new Int32Array(capacity))
    this.ranks.grow(capacity)
    this.queues.grow(capacity)
    this.lanes.grow(capacity)
    for (let slot = capacity - 1; slot >= old; slot--) {
      this.queues.next[slot] = this.#free
      this.#free = slot
    }
    this.counts[SlotState.free]! += capacity - old
  }
}

function enlarged<T extends { set(from: T): void }>(old: T, larger: T): T {
  larger.set(old)
  return larger
}
