// Dead letters on the contract: messages that were given up, kept in a stream of their own with the reason.
//
// The name of that stream, its topics and the headers of a letter are the same on every engine, so that a tool which knows
// nothing of Fanfare can read them.

/** Why a message was given up. */
export type DeadLetterReason =
  'attempts-exhausted' | 'rejected' | 'expired' | 'undecodable' | 'parked'

/** Headers of a dead letter beside those of the original message, which it keeps. */
export const DEAD_LETTER_HEADERS = {
  reason: 'Fanfare-Dead-Reason',
  error: 'Fanfare-Dead-Error',
  attempts: 'Fanfare-Dead-Attempts',
  consumer: 'Fanfare-Dead-Consumer',
  stream: 'Fanfare-Dead-Stream',
  topic: 'Fanfare-Dead-Topic',
  sequence: 'Fanfare-Dead-Sequence',
  time: 'Fanfare-Dead-Time',
} as const

/** What is known of a dead letter without its body. */
export interface DeadLetter {
  /** Its own number: the sequence in the dead-letter stream. */
  readonly sequence: number
  /** When it was given up. */
  readonly timeMs: number
  readonly reason: DeadLetterReason
  readonly error: string
  readonly attempts: number
  readonly consumer: string
  readonly stream: string
  readonly topic: string
  /** The sequence and time of the original. */
  readonly originalSequence: number
  readonly originalTimeMs: number
  readonly key: string | undefined
  readonly headerBlock: Uint8Array
  readonly body: Uint8Array
}

export interface DeadLetterQuery {
  readonly consumer?: string
  /** A pattern over the original topic. */
  readonly topic?: string
  readonly key?: string
  readonly reason?: DeadLetterReason
  readonly sequences?: readonly number[]
  /** At most this many, the oldest first. */
  readonly limit?: number
}

export interface DeadLetters {
  count(): Promise<number>
  list(query?: DeadLetterQuery): Promise<DeadLetter[]>
  get(sequence: number): Promise<DeadLetter | undefined>
  /**
   * Hands the letters out again, to the consumer that failed, in their order; resolves with how many. A letter leaves the
   * stream when it is settled; until then it is not redriven twice.
   */
  redrive(query?: DeadLetterQuery): Promise<number>
  /** Removes letters for good; resolves with how many. */
  discard(query?: DeadLetterQuery): Promise<number>
}

/** What the name of a stream has behind it in the name of the stream of its dead letters. */
export const DEAD_LETTERS_SUFFIX = '-dead-letters'

/** The name of the stream that takes the dead letters of `stream` unless a consumer says otherwise. */
export function deadLetterStreamName(stream: string): string {
  return stream + DEAD_LETTERS_SUFFIX
}
