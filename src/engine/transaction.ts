// Transactions on the contract: messages and acknowledgements that are committed together or not at all.
//
// LAW
// Buffered   Nothing is accepted before `commit`; then all of it is, in order, in one turn, and holds back no stream while it is
//            being filled.
// Atomic     After a crash all of it is there or none. Readers see all of it or none.
// Bounded    A transaction takes as many messages and bytes as the engine says; more is TRANSACTION_TOO_LARGE.
// Stale      An acknowledgement whose token is no longer good refuses the whole: TOKEN_STALE.
import type { FanfareError } from '../base/index.js'
import type { TopicHandle } from '../topic/index.js'
import type { Consumer } from './consumer.js'
import type { EngineMessage } from './message.js'
import type { AppendOptions, Stream } from './stream.js'

export interface TransactionReceipt {
  readonly stream: Stream
  readonly sequence: number
  readonly isDuplicate: boolean
}

/** `receipts` are in the order of the `publish` calls. */
export type TransactionDone = (
  error: FanfareError | undefined,
  receipts: readonly TransactionReceipt[],
) => void

export interface Transaction {
  /** Throws NO_STREAM for a topic that no stream captures, TRANSACTION_TOO_LARGE, TRANSACTION_ENDED. */
  publish(address: TopicHandle, message: EngineMessage, options?: AppendOptions): void
  acknowledge(consumer: Consumer, token: number): void
  commit(done: TransactionDone): void
  abort(): void
}
