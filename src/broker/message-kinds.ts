// What may be done with which kind of message. One table, which the compiler's hints and the errors at run time both quote.
import { FanfareError } from '../base/index.js'
import type { AnyDefinition, MessageKind } from './definition.js'

/** Why a verb does not take a kind, and what to call instead. */
export const KIND_HINTS = {
  emit: {
    command: 'a command is for one receiver: request it, or publish it to a work-queue stream',
    query: 'a query is requested, not emitted: broker.request(…)',
  },
  publish: { query: 'a query is requested, not published: broker.request(…)' },
  request: { event: 'an event has no answer: broker.emit(…) or broker.publish(…)' },
  respond: { event: 'an event is not answered: broker.subscribe(…) or broker.consume(…)' },
  subscribe: {
    command: 'a command is for one receiver: broker.respond(…) or broker.consume(…)',
    query: 'a query is answered, not subscribed to: broker.respond(…)',
  },
  consume: { query: 'a query is answered, not consumed: broker.respond(…)' },
} as const satisfies Readonly<Record<string, Readonly<Partial<Record<MessageKind, string>>>>>

export type KindHints = typeof KIND_HINTS
export type Verb = keyof KindHints

/** For callers without types. Throws KIND_MISMATCH. */
export function assertKind(verb: Verb, definition: AnyDefinition | undefined): void {
  if (definition === undefined) return
  const hints: Readonly<Partial<Record<MessageKind, string>>> = KIND_HINTS[verb]
  const hint = hints[definition.kind]
  if (hint === undefined) return
  const { kind, topic } = definition
  throw new FanfareError('KIND_MISMATCH', `${topic}: ${hint}`, { details: { verb, kind, topic } })
}
