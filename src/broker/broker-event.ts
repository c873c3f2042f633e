// What a broker tells about things that happen outside any call of the user's.
import { reportOnConsole, type FanfareError } from '../base/index.js'
import type { EngineEvent } from '../engine/index.js'

export type BrokerEvent =
  /** A handler threw, or its promise rejected. */
  | {
      readonly type: 'handler-failed'
      readonly pattern: string
      readonly topic: string
      readonly error: unknown
    }
  /** A full subscription lost messages; told at the first and then at every doubling. */
  | { readonly type: 'messages-dropped'; readonly pattern: string; readonly count: number }
  /** A full subscription refused a message. */
  | {
      readonly type: 'message-rejected'
      readonly pattern: string
      readonly topic: string
      readonly error: FanfareError
    }
  /** `emit` could not send. */
  | { readonly type: 'emit-failed'; readonly topic: string; readonly error: FanfareError }
  /** The engine ended a subscription. */
  | { readonly type: 'subscription-ended'; readonly pattern: string; readonly error: unknown }
  | EngineEvent

/** The default listener: prints what went wrong, each kind at most once in ten seconds. */
export function printTrouble(event: BrokerEvent): void {
  switch (event.type) {
    case 'handler-failed':
      return reportOnConsole('HANDLER_FAILED', `a handler of ${event.pattern} failed`, event.error)
    case 'receiver-failed':
      return reportOnConsole('INTERNAL', `delivery to ${event.pattern} failed`, event.error)
    case 'messages-dropped':
      return reportOnConsole(
        'QUEUE_OVERFLOW',
        `${event.pattern} has dropped ${event.count} messages`,
      )
    case 'subscription-ended':
      return reportOnConsole('CLOSED', `the subscription to ${event.pattern} ended`, event.error)
    case 'message-rejected':
    case 'emit-failed':
    case 'engine-error':
      return reportOnConsole(event.error.code, event.error.message)
    case 'disconnected':
      return reportOnConsole('CONNECTION_FAILED', `lost the connection to ${event.url}`)
    case 'closed':
      if (event.error !== undefined) reportOnConsole(event.error.code, event.error.message)
      return
    case 'connected':
      return reportOnConsole('CONNECTED', `connected again to ${event.url}`)
    case 'reconnecting':
      return
  }
}
