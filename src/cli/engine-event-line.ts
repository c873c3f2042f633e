// What an engine tells outside any call, as one line for a log or a terminal.
import type { EngineEvent } from '../engine/index.js'
import type { LogLevel } from '../server/index.js'
import { toOneLine } from './one-line-error.js'

export interface EventLine {
  readonly level: LogLevel
  readonly text: string
}

/** Undefined for what needs nobody's attention. */
export function toEventLine(event: EngineEvent): EventLine | undefined {
  switch (event.type) {
    case 'recovery-finding':
      return { level: 'warn', text: `${event.path}: ${event.description}` }
    case 'stream-frozen':
      return {
        level: 'error',
        text: `nothing can be published to stream ${event.stream} any more: ${toOneLine(event.error)}`,
      }
    case 'engine-error':
      return { level: 'error', text: toOneLine(event.error) }
    case 'receiver-failed':
      return {
        level: 'error',
        text: `delivery to ${event.pattern} failed: ${toOneLine(event.error)}`,
      }
    case 'dead-letter-failed':
      return {
        level: 'error',
        text: `${ofStream(event)} cannot keep message ${event.sequence} as a dead letter, and tries again: ${toOneLine(event.error)}`,
      }
    case 'message-dropped':
      return {
        level: 'warn',
        text: `${ofStream(event)} gave up message ${event.sequence} and keeps no dead letters: ${event.reason}: ${event.error}`,
      }
    case 'dead-lettered':
      return {
        level: 'warn',
        text: `${ofStream(event)} gave up message ${event.sequence} (${event.topic}): ${event.reason}: ${event.error}`,
      }
    case 'consumer-stalled':
      return {
        level: 'warn',
        text: `${ofStream(event)} waits for messages of key ${event.key} and looks no further`,
      }
    case 'consumer-ended':
      return { level: 'debug', text: `${ofStream(event)} ended: ${event.reason}` }
    default:
      return undefined
  }
}

function ofStream({ consumer, stream }: { consumer: string; stream: string }): string {
  return `consumer ${consumer} of stream ${stream}`
}
