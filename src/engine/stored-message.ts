// A message as a stream keeps it, and where one may begin to read.
import { BytesMessage } from './message.js'

/** A message as it lies in a stream. */
export class StoredMessage extends BytesMessage {
  sequence = 0
  /** When it was accepted, in milliseconds since 1970. */
  timeMs = 0

  override retain(): StoredMessage {
    const copy = new StoredMessage(this.handle)
    copy.setParts(NOTHING, this.headerBlock, this.body)
    copy.sequence = this.sequence
    copy.timeMs = this.timeMs
    return copy
  }
}

const NOTHING = new Uint8Array(0)

/** Where reading, or a consumer, begins. */
export type StartPoint =
  | { readonly at: 'first' | 'last' | 'new' | 'last-per-topic' }
  | { readonly at: 'sequence'; readonly sequence: number }
  | { readonly at: 'time'; readonly timeMs: number }
