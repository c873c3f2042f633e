// What an engine tells without being asked.
import type { FanfareError } from '../base/index.js'
import type { DeadLetterReason } from './dead-letters.js'

export type EngineEvent =
  | { readonly type: 'receiver-failed'; readonly pattern: string; readonly error: unknown }
  | { readonly type: 'connected'; readonly url: string }
  | { readonly type: 'disconnected'; readonly url: string }
  | { readonly type: 'reconnecting' }
  | { readonly type: 'engine-error'; readonly error: FanfareError }
  | { readonly type: 'closed'; readonly error?: FanfareError }
  | StreamEvent
  | ConsumerEvent

export type StreamEvent =
  /** Nothing can be published to the stream any more; it can be read. */
  | { readonly type: 'stream-frozen'; readonly stream: string; readonly error: FanfareError }
  /**
   * What opening or reading the log found, and what was done about it: traces of a stop in the midst of work ('unclean-stop',
   * 'torn-tail'), which take nothing that was promised, or damage.
   */
  | {
      readonly type: 'recovery-finding'
      readonly kind:
        'torn-tail' | 'damaged-block' | 'damaged-index' | 'quarantined' | 'unclean-stop'
      readonly stream: string | undefined
      readonly path: string
      readonly description: string
    }

interface OfConsumer {
  readonly stream: string
  readonly consumer: string
}

export type ConsumerEvent =
  /** Order 'key': so much waits behind one key that the consumer looks no further. */
  | (OfConsumer & { readonly type: 'consumer-stalled'; readonly key: string })
  /** A message was given up and kept. */
  | (OfConsumer & {
      readonly type: 'dead-lettered'
      readonly topic: string
      readonly sequence: number
      readonly reason: DeadLetterReason
      readonly error: string
    })
  /** A message was given up and not kept, as the consumer has no dead letters. */
  | (OfConsumer & {
      readonly type: 'message-dropped'
      readonly sequence: number
      readonly reason: DeadLetterReason
      readonly error: string
    })
  /** A dead letter could not be kept; its message stays unsettled, and it is tried again. */
  | (OfConsumer & {
      readonly type: 'dead-letter-failed'
      readonly sequence: number
      readonly error: FanfareError
    })
  /** A consumer ended: deleted, or nobody had joined it for too long. */
  | (OfConsumer & { readonly type: 'consumer-ended'; readonly reason: string })
