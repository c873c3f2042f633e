// Messages of one key behind each other: a lane for each key that has any. Only the head of a lane may be handed out; the
// others are held until it is settled.
import { NONE, type MessageSlots } from './message-slots.js'
import { SlotList } from './slot-list.js'

/** The messages of one key. */
class Lane {
  readonly key: string
  readonly list: SlotList
  size = 0

  constructor(key: string, list: SlotList) {
    this.key = key
    this.list = list
  }
}

export class KeyLanes {
  readonly #slots: MessageSlots
  readonly #numbers = new Map<string, number>()
  readonly #lanes: (Lane | undefined)[] = []
  readonly #unused: number[] = []

  constructor(slots: MessageSlots) {
    this.#slots = slots
  }

  keyOf(slot: number): string | undefined {
    return this.#laneOf(slot)?.key
  }

  /** Whether nothing of its key is before it; true without a key. */
  isHead(slot: number): boolean {
    const lane = this.#laneOf(slot)
    return lane === undefined || lane.list.first === slot
  }

  head(key: string): number {
    return this.#find(key)?.list.first ?? NONE
  }

  next(slot: number): number {
    return this.#slots.lanes.next[slot]!
  }

  /** Puts a message into the lane of its key, in front of `before`, or at the end when that is NONE. */
  join(slot: number, key: string, before: number = NONE): void {
    let number = this.#numbers.get(key)
    if (number === undefined) {
      number = this.#unused.pop() ?? this.#lanes.length
      this.#numbers.set(key, number)
      this.#lanes[number] = new Lane(key, new SlotList(this.#slots.lanes))
    }
    const lane = this.#lanes[number]!
    lane.list.insertBefore(before, slot)
    lane.size += 1
    this.#slots.lane[slot] = number
  }

  /** Takes a message out of its lane. Returns the new head when that was the head, or NONE. */
  leave(slot: number): number {
    const lane = this.#laneOf(slot)
    if (lane === undefined) return NONE
    const wasHead = lane.list.first === slot
    lane.list.remove(slot)
    lane.size -= 1
    if (lane.size === 0) this.#remove(this.#slots.lane[slot]!, lane.key)
    this.#slots.lane[slot] = NONE
    return wasHead ? lane.list.first : NONE
  }

  /** The key with the most messages; the first to come among equals. */
  longest(): string | undefined {
    let longest: Lane | undefined
    for (const number of this.#numbers.values()) {
      const lane = this.#lanes[number]!
      if (longest === undefined || lane.size > longest.size) longest = lane
    }
    return longest?.key
  }

  #laneOf(slot: number): Lane | undefined {
    const number = this.#slots.lane[slot]!
    return number === NONE ? undefined : this.#lanes[number]
  }

  #find(key: string): Lane | undefined {
    const number = this.#numbers.get(key)
    return number === undefined ? undefined : this.#lanes[number]
  }

  #remove(number: number, key: string): void {
    this.#numbers.delete(key)
    this.#lanes[number] = undefined
    this.#unused.push(number)
  }
}
