// What a broker tells about things that happen outside any call of the user's.
import { reportOnConsole, type FanfareError } from '../base/index.js'
import type { EngineEvent } from '../engine/index.js'

export type BrokerEvent =
  /** A handler threw, or its promise rejected. `pattern` is what it is subscribed to, or the name of its consumer. */
  | {
      readonly type: 'handler-failed'
      readonly pattern: string
      readonly topic: string
      readonly error: unknown
    }
  /** `when` threw, or answered something else than true or false: the message was not handed over. */
  | {
      readonly type: 'filter-failed'
      readonly pattern: string
      readonly topic: string
      readonly error: unknown
    }
  /** A message is not what the subscription's definition says, so its handler does not get it; `error.details.issues` says why. */
  | {
      readonly type: 'message-invalid'
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
  /** A handler of a durable consumer took too long: its message is handed out again, and what it says counts for nothing. */
  | {
      readonly type: 'hand-out-expired'
      readonly stream: string
      readonly consumer: string
      readonly topic: string
      readonly sequence: number
    }
  /** The engine ended a subscription. */
  | { readonly type: 'subscription-ended'; readonly pattern: string; readonly error: unknown }
  | EngineEvent

/** What `onEvent` does when it is not given: prints what went wrong, each kind at most once in ten seconds. */
export function printTrouble(event: BrokerEvent): void {
  switch (event.type) {
    case 'handler-failed':
    case 'filter-failed':
      return reportOnConsole('HANDLER_FAILED', `a handler of ${event.pattern} failed`, event.error)
    case 'message-invalid':
      return reportOnConsole(
        'MESSAGE_INVALID',
        `${event.pattern} passed over an invalid message`,
        event.error,
      )
    case 'receiver-failed':
      return reportOnConsole('INTERNAL', `delivery to ${event.pattern} failed`, event.error)
    case 'messages-dropped':
      return reportOnConsole(
        'QUEUE_OVERFLOW',
        `${event.pattern} has dropped ${event.count} messages`,
      )
    case 'subscription-ended':
      return reportOnConsole('CLOSED', `the subscription to ${event.pattern} ended`, event.error)
    case 'hand-out-expired':
      return reportOnConsole(
        'TOKEN_STALE',
        `a handler of ${ofStream(event)} took too long with message ${event.sequence}`,
      )
    case 'consumer-stalled':
      return reportOnConsole(
        'CONSUMER_STALLED',
        `${ofStream(event)} waits for messages of key ${event.key} and looks no further`,
      )
    case 'dead-lettered':
      return reportOnConsole(
        'DEAD_LETTERED',
        `${ofStream(event)} gave up message ${event.sequence} (${event.topic}): ${event.reason}: ${event.error}`,
      )
    case 'message-dropped':
      return reportOnConsole(
        'MESSAGE_DROPPED',
        `${ofStream(event)} gave up message ${event.sequence} and keeps no dead letters: ${event.reason}: ${event.error}`,
      )
    case 'dead-letter-failed':
      return reportOnConsole(
        'DEAD_LETTER_FAILED',
        `${ofStream(event)} cannot keep message ${event.sequence} as a dead letter, and tries again`,
        event.error,
      )
    case 'consumer-ended':
      return reportOnConsole('CONSUMER_DELETED', `${ofStream(event)} ended: ${event.reason}`)
    case 'stream-frozen':
      return reportOnConsole(
        event.error.code,
        `nothing can be published to stream ${event.stream} any more`,
        event.error,
      )
    case 'recovery-finding':
      return reportOnConsole(
        isTraceOfStop(event) ? 'LOG_RECOVERED' : 'LOG_DAMAGED',
        `${event.path}: ${event.description}`,
      )
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

/** Whether it tells of nothing but that the process was stopped in the midst of its work. */
function isTraceOfStop({ kind }: { readonly kind: string }): boolean {
  return kind === 'unclean-stop' || kind === 'torn-tail'
}

function ofStream({ consumer, stream }: { consumer: string; stream: string }): string {
  return `consumer ${consumer} of stream ${stream}`
}
