// What is kept of messages that were handed out, of ids and of moments: loaded with the first stream.
export { ConsumerLedger } from './consumer-ledger.js'
export { DueTimes } from './due-times.js'
export { DuplicateWindow } from './duplicate-window.js'
export type {
  LedgerFailure,
  LedgerHandOut,
  LedgerOptions,
  LedgerSettlement,
} from './ledger-types.js'
