// What one can subscribe to, and what arrives from it.
import { FanfareError } from '../base/index.js'
import { assertPattern } from '../topic/index.js'
import type { DefinitionsOfPattern, DefinitionsOfType, TopicOf } from './declared.js'
import type { AnyDefinition, Definition, MessageKind } from './definition.js'
import type { Message } from './message.js'
import type { ParametersOf } from './topic-template.js'

/** A definition, or a topic or pattern. */
export type TopicSource = AnyDefinition | string

/** A definition, a topic or pattern, or a type of messages on whatever topic. */
export type Source = TopicSource | { readonly type: string }

/** One source, or several. */
export type Sources = Source | readonly Source[]

/** What has no definition that the compiler knows. */
export interface Undeclared {
  readonly kind: undefined
}

/** The definitions that a source selects, of those kinds where it is a pattern; no source selects whatever there is. */
export type Selected<S, C, Kind extends MessageKind> = S extends Definition
  ? S
  : S extends readonly (infer One)[]
    ? Selected<One, C, Kind>
    : undefined extends C
      ? Undeclared
      : S extends string
        ? DefinitionsOfPattern<C, S, Kind>
        : S extends { readonly type: infer Type extends string }
          ? Extract<DefinitionsOfType<C, Type>, { readonly kind: Kind }>
          : S extends undefined
            ? Undeclared
            : never

/** What a definition says of its messages, as a condition can take it apart. */
export interface Described<Template, Type, Output> {
  readonly topic: Template
  readonly type: Type
  readonly '~types': { readonly output: Output } | undefined
}

/** The message that a definition, or a text without one, stands for. */
export type MessageOfDefinition<D> =
  D extends Described<infer Template extends string, infer Type extends string, infer Output>
    ? Message<Output, ParametersOf<Template>, Type, TopicOf<Template>>
    : Message

/** The message that a source yields to a live subscription: the schema's output, and the parameters of the topic template. */
export type MessageOf<S, C = undefined> = MessageOfDefinition<Selected<S, C, 'event'>>

/** The message that a responder gets. */
export type RequestOf<S, C = undefined> = MessageOfDefinition<Selected<S, C, 'command' | 'query'>>

/** A message of whatever kind that was published to what a source matches. */
export type PublishedOf<S, C = undefined> = MessageOfDefinition<Selected<S, C, MessageKind>>

/** The pattern of a definition, or the pattern itself. Throws PATTERN_INVALID, OPTION_INVALID. */
export function patternOf(source: TopicSource): string {
  if (typeof source !== 'string') {
    assertDefinition(source)
    return source.template.pattern
  }
  assertPattern(source)
  assertNoParameters(source)
  return source
}

/** Braces are legal in a topic, but who writes them in a string means a template. */
function assertNoParameters(pattern: string): void {
  const parameter = pattern.split('.').find((token) => /^\{\w*\}$/.test(token))
  if (parameter === undefined) return
  throw new FanfareError(
    'PATTERN_INVALID',
    `${JSON.stringify(pattern)} has the parameter ${parameter}: write * for any token, or use a definition`,
    { details: { pattern } },
  )
}

/** For callers without types. */
export function assertDefinition(target: unknown): asserts target is AnyDefinition {
  const isDefinition = typeof target === 'object' && target !== null && 'template' in target
  if (isDefinition) return
  throw new FanfareError(
    'OPTION_INVALID',
    `a definition or a topic is wanted, not ${target === null ? 'null' : typeof target}`,
  )
}
