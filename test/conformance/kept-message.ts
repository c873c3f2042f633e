// A stored message as cases look at it: a copy that stays valid, with its parts as text and as bytes.
import type { StoredMessage } from '../../src/engine/index.js'

const decoder = new TextDecoder()

export interface KeptMessage {
  readonly sequence: number
  readonly timeMs: number
  readonly topic: string
  readonly reply: string | undefined
  readonly body: string
  readonly bodyBytes: Uint8Array
  readonly headerBlock: Uint8Array
}

export function keepMessage(message: StoredMessage): KeptMessage {
  return {
    sequence: message.sequence,
    timeMs: message.timeMs,
    topic: message.handle.name,
    reply: message.replyTopic,
    body: decoder.decode(message.body),
    bodyBytes: message.body.slice(),
    headerBlock: message.headerBlock.slice(),
  }
}

export function bodiesOf(messages: readonly { readonly body: string }[]): string[] {
  return messages.map(({ body }) => body)
}

export function sequencesOf(messages: readonly { readonly sequence: number }[]): number[] {
  return messages.map(({ sequence }) => sequence)
}

/** `from`, `from + 1` … `through`. */
export function numbers(from: number, through: number): number[] {
  return Array.from({ length: Math.max(0, through - from + 1) }, (_, i) => from + i)
}

/** The same as bodies. */
export function numberBodies(from: number, through: number): string[] {
  return numbers(from, through).map(String)
}
