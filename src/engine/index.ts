// Level 2: the contract between the API above and the engines below.
export type { Capabilities } from './capabilities.js'
export {
  isOverMark,
  outcomeOf,
  outcomeUnknown,
  reachedNobody,
  receiverCount,
  type CloseOptions,
  type Engine,
  type EngineStatistics,
  type PendingRequest,
  type PublishOutcome,
  type Receiver,
  type ReplySink,
  type SubscribeOptions,
  type Subscription,
} from './engine.js'
export type { EngineEvent } from './engine-event.js'
export { EventListeners, type EngineEventListener } from './event-listeners.js'
export { assertGroup } from './validation.js'
export { BytesMessage, EngineMessage } from './message.js'
