// Level 2: the contract between the API above and the engines below.
export type { Capabilities } from './capabilities.js'
export type {
  CloseOptions,
  Engine,
  EngineStatistics,
  MessageFilter,
  PendingRequest,
  Receiver,
  ReplySink,
  SubscribeOptions,
  Subscription,
} from './engine.js'
export {
  isOverMark,
  outcomeOf,
  outcomeUnknown,
  reachedNobody,
  receiverCount,
  type PublishOutcome,
} from './publish-outcome.js'
export type { ConsumerEvent, EngineEvent, StreamEvent } from './engine-event.js'
export { EventListeners, type EngineEventListener } from './event-listeners.js'
export { assertGroup } from './validation.js'
export {
  assertConsumerSettings,
  assertName,
  assertStreamSettings,
  differingFields,
} from './settings.js'
export { BytesView } from './bytes-view.js'
export { BytesMessage, EngineMessage } from './message.js'
export type {
  AcknowledgePolicy,
  Consumer,
  ConsumerInfo,
  ConsumerMember,
  ConsumerReceiver,
  ConsumerSettings,
  DeadLetterSettings,
  HandOut,
  VerdictDone,
} from './consumer.js'
export {
  DEAD_LETTER_HEADERS,
  deadLetterStreamName,
  type DeadLetter,
  type DeadLetterQuery,
  type DeadLetterReason,
  type DeadLetters,
} from './dead-letters.js'
export type { Durable } from './durable.js'
export { StoredMessage, type StartPoint } from './stored-message.js'
export type {
  AppendOptions,
  Discard,
  PurgeOptions,
  ReadOptions,
  ReceiptSink,
  Retention,
  Stream,
  StreamReader,
  StreamSettings,
  StreamState,
  TopicState,
} from './stream.js'
export type { Transaction, TransactionDone, TransactionReceipt } from './transaction.js'
