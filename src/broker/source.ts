// What one can subscribe to, and what arrives from it.
import { FanfareError } from '../base/index.js'
import { assertPattern, hasWildcard, isSubsetPattern } from '../topic/index.js'
import type { AnyDefinition, Definition, MessageKind } from './definition.js'
import type { Message } from './message.js'
import type { ParametersOf } from './topic-template.js'

/** A definition, or a topic or pattern. */
export type Source = AnyDefinition | string

/** The message that a source yields: the schema's output, and the parameters of the topic template. */
export type MessageOf<S> =
  S extends Definition<MessageKind, infer Template, unknown, infer Output>
    ? Message<Output, ParametersOf<Template>>
    : Message

export interface ResolvedSource {
  readonly pattern: string
  readonly definition: AnyDefinition | undefined
}

/** The pattern of a definition, or the pattern itself. Throws PATTERN_INVALID, OPTION_INVALID. */
export function patternOf(source: Source): string {
  if (typeof source !== 'string') {
    assertDefinition(source)
    return source.template.pattern
  }
  assertPattern(source)
  assertNoParameters(source)
  return source
}

/** Topics that are ours or the protocol's, and need no declaration. */
const UNDECLARED_BY_NATURE = /^(_INBOX\.|\$)/

/** Topics are remembered with their definition up to this many, then all are looked up anew. */
const REMEMBERED_TOPICS = 10_000

/** The declared messages. Empty: every topic is allowed. */
export class Catalog {
  readonly #definitions: readonly AnyDefinition[]
  readonly #found = new Map<string, AnyDefinition | undefined>()

  constructor(definitions: readonly AnyDefinition[] = []) {
    this.#definitions = definitions
  }

  /** Throws PATTERN_INVALID, or UNDECLARED_TOPIC when the catalog declares nothing of the pattern. */
  resolve(source: Source): ResolvedSource {
    const pattern = patternOf(source)
    this.#assertDeclared(pattern)
    if (typeof source !== 'string') return { pattern, definition: source }
    return { pattern, definition: hasWildcard(pattern) ? undefined : this.findDefinition(pattern) }
  }

  /** The definition that declares `topic`. */
  findDefinition(topic: string): AnyDefinition | undefined {
    if (this.#definitions.length === 0) return undefined
    if (this.#found.has(topic)) return this.#found.get(topic)
    if (this.#found.size >= REMEMBERED_TOPICS) this.#found.clear()
    const found = this.#definitions.find(({ template }) => isSubsetPattern(topic, template.pattern))
    this.#found.set(topic, found)
    return found
  }

  #assertDeclared(pattern: string): void {
    if (this.#definitions.length === 0 || UNDECLARED_BY_NATURE.test(pattern)) return
    const isDeclared = this.#definitions.some(
      ({ template }) =>
        isSubsetPattern(pattern, template.pattern) || isSubsetPattern(template.pattern, pattern),
    )
    if (isDeclared) return
    throw new FanfareError(
      'UNDECLARED_TOPIC',
      `${JSON.stringify(pattern)} is not in the catalog; add a definition of it to openBroker({ catalog })`,
      { details: { pattern } },
    )
  }
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
