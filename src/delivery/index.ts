// Level 3: what happens to a message after it is handed out.
export { ConsumerLedger } from './consumer-ledger.js'
export { DueTimes } from './due-times.js'
export { DuplicateWindow } from './duplicate-window.js'
export {
  HandlerLane,
  type Admission,
  type HandlerLaneOptions,
  type OverflowPolicy,
} from './handler-lane.js'
export type {
  LedgerFailure,
  LedgerHandOut,
  LedgerOptions,
  LedgerSettlement,
} from './ledger-types.js'
export { RequestInbox } from './request-inbox.js'
