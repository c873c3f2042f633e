// Hand-outs that are written down together and then delivered one after the other.
import { StoredMessage, type ConsumerSettings, type HandOut } from '../engine/index.js'
import { decodeHeaderBlock, encodeHeaderBlock } from '../wire/index.js'
import type { Member } from './member.js'

/** Enough to make one note for many messages, few enough that a thousand in flight are two batches, one behind the other. */
const MOST = 512

export interface BatchItem {
  /** The message's sequence, or below zero that of a dead letter. */
  readonly id: number
  readonly token: number
  readonly deliveryCount: number
  readonly pending: number
  readonly member: Member
  /** Undefined: to be read. */
  readonly message: StoredMessage | undefined
}

export class HandOutBatch {
  readonly items: BatchItem[] = []

  get isEmpty(): boolean {
    return this.items.length === 0
  }

  get isFull(): boolean {
    return this.items.length >= MOST
  }

  add(item: BatchItem): void {
    this.items.push(item)
  }
}

export function toHandOut(
  { token, deliveryCount, pending }: BatchItem,
  message: StoredMessage,
  { headersOnly }: ConsumerSettings,
): HandOut {
  return { message: headersOnly ? withoutBody(message) : message, token, deliveryCount, pending }
}

/** The headers alone, and what the body's size was, as NATS tells it (`Nats-Msg-Size`). */
function withoutBody(message: StoredMessage): StoredMessage {
  const given = message.headerBytes > 0 ? decodeHeaderBlock(message.headerBlock).fields : []
  const shown = new StoredMessage(message.handle)
  shown.setParts(
    NOTHING,
    encodeHeaderBlock([...given, ['Nats-Msg-Size', String(message.bodyBytes)]]),
    NOTHING,
  )
  shown.sequence = message.sequence
  shown.timeMs = message.timeMs
  return shown
}

const NOTHING = new Uint8Array(0)
