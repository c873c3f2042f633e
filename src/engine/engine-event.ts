// What an engine tells without being asked.
import type { FanfareError } from '../base/index.js'

export type EngineEvent =
  | { readonly type: 'receiver-failed'; readonly pattern: string; readonly error: unknown }
  | { readonly type: 'connected'; readonly url: string }
  | { readonly type: 'disconnected'; readonly url: string }
  | { readonly type: 'reconnecting' }
  | { readonly type: 'engine-error'; readonly error: FanfareError }
  | { readonly type: 'closed'; readonly error?: FanfareError }
