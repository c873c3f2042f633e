// The declared messages at run time: what a source selects, and which definition a topic has. A broker without a catalog allows
// every topic; one with a catalog nothing else than its definitions.
import { FanfareError } from '../base/index.js'
import { hasWildcard, isSubsetPattern, matchesPattern, patternsOverlap } from '../topic/index.js'
import type { AnyDefinition } from './definition.js'
import { assertKind, type Verb } from './message-kinds.js'
import { optionInvalid } from './option-checks.js'
import { assertDefinition, patternOf, type Source, type Sources } from './source.js'

/** What a source comes to. */
export interface Selection {
  /** None of them holds another. */
  readonly patterns: readonly string[]
  /** The definition of every message, where there is one only. */
  readonly definition: AnyDefinition | undefined
  /** Several: those that were asked for. */
  readonly definitions: readonly AnyDefinition[]
  /** Types of messages, on whatever topics; empty where they are known by their topics. */
  readonly types: readonly string[]
  /** How the source reads in events and errors. */
  readonly text: string
}

/** Topics that are ours or the protocol's, and need no declaration. */
const UNDECLARED_BY_NATURE = /^(_INBOX\.|\$)/

/** Topics are remembered with their definition up to this many, then all are looked up anew. */
const REMEMBERED_TOPICS = 10_000

export class CatalogIndex {
  /** Whether there is a catalog. */
  readonly isStrict: boolean
  readonly #definitions: readonly AnyDefinition[]
  readonly #plain = new Map<string, AnyDefinition>()
  readonly #parameterized: AnyDefinition[] = []
  readonly #found = new Map<string, AnyDefinition | undefined>()

  /** Throws DEFINITION_INVALID when two definitions share their topics. */
  constructor(definitions: readonly AnyDefinition[] | undefined) {
    this.isStrict = definitions !== undefined
    this.#definitions = definitions ?? []
    const byPattern = new Map<string, AnyDefinition>()
    for (const definition of this.#definitions) {
      assertDefinition(definition)
      const { topic, template } = definition
      const other = byPattern.get(template.pattern)
      if (other !== undefined && other !== definition) throw sameTopics(other.topic, topic)
      byPattern.set(template.pattern, definition)
      if (template.hasParameters) this.#parameterized.push(definition)
      else this.#plain.set(topic, definition)
    }
  }

  /**
   * What to subscribe to, and by which definitions to see it. Throws PATTERN_INVALID, OPTION_INVALID, KIND_MISMATCH, and
   * UNDECLARED_TOPIC when the catalog declares nothing of it.
   */
  select(verb: Verb, sources: Sources): Selection {
    const list = Array.isArray(sources) ? (sources as readonly Source[]) : [sources as Source]
    if (list.length === 0) throw optionInvalid('the source', sources, 'at least one source')
    const patterns: string[] = []
    const definitions: AnyDefinition[] = []
    const types: string[] = []
    for (const source of list) {
      if (isTypeSource(source)) {
        if (!this.isStrict) types.push(source.type)
        else
          for (const each of this.#ofType(verb, source.type)) patterns.push(each.template.pattern)
        continue
      }
      const pattern = patternOf(source)
      const declared = this.#assertDeclared(verb, pattern)
      const definition = typeof source === 'string' ? declared : source
      if (definition !== undefined) {
        assertKind(verb, definition)
        definitions.push(definition)
      }
      patterns.push(pattern)
    }
    const isOne = patterns.length === 1 && definitions.length === 1
    return {
      patterns: withoutHeld(patterns),
      definition: isOne ? definitions[0] : undefined,
      definitions: isOne ? [] : definitions,
      types,
      text: [...patterns, ...types].join(', '),
    }
  }

  /** The same of what streams keep, which know topics only. Throws UNSUPPORTED for a type that no catalog gives topics. */
  selectStored(verb: Verb, sources: Sources): Selection {
    const selection = this.select(verb, sources)
    const [type] = selection.types
    if (type === undefined) return selection
    throw new FanfareError(
      'UNSUPPORTED',
      `streams know topics and no types: open the broker with a catalog, which says the topics of ${type}`,
      { details: { type } },
    )
  }

  /** By which definition a message of this topic is seen. */
  definitionIn(selection: Selection, topic: string): AnyDefinition | undefined {
    return (
      selection.definition ??
      selection.definitions.find(({ template }) => matchesPattern(template.pattern, topic)) ??
      this.findDefinition(topic)
    )
  }

  /** The definition that declares `topic`: the one of this very topic, else the first whose parameters it fills. */
  findDefinition(topic: string): AnyDefinition | undefined {
    const plain = this.#plain.get(topic)
    if (plain !== undefined || this.#parameterized.length === 0) return plain
    if (this.#found.has(topic)) return this.#found.get(topic)
    if (this.#found.size >= REMEMBERED_TOPICS) this.#found.clear()
    const found = this.#parameterized.find(({ template }) =>
      isSubsetPattern(topic, template.pattern),
    )
    this.#found.set(topic, found)
    return found
  }

  /** The definition of a topic to send to. Throws UNDECLARED_TOPIC. */
  declared(topic: string): AnyDefinition | undefined {
    const found = this.findDefinition(topic)
    if (found === undefined && this.isStrict && !UNDECLARED_BY_NATURE.test(topic)) {
      throw undeclared(topic)
    }
    return found
  }

  #ofType(verb: Verb, type: string): readonly AnyDefinition[] {
    const found = this.#definitions.filter((definition) => definition.type === type)
    if (found.length === 0) throw undeclared(type, `the type ${JSON.stringify(type)}`)
    for (const definition of found) assertKind(verb, definition)
    return found
  }

  /** The definition of a topic; undefined for a pattern, of which some message must be declared that the verb takes. */
  #assertDeclared(verb: Verb, pattern: string): AnyDefinition | undefined {
    if (!this.isStrict || UNDECLARED_BY_NATURE.test(pattern)) return undefined
    if (!hasWildcard(pattern)) return this.declared(pattern)
    const found = this.#definitions.filter(({ template }) =>
      patternsOverlap(pattern, template.pattern),
    )
    if (found.length === 0) throw undeclared(pattern)
    if (new Set(found.map(({ kind }) => kind)).size === 1) assertKind(verb, found[0])
    return undefined
  }
}

/** What a message on a topic outside the catalog is refused with. */
export function undeclared(topic: string, named = JSON.stringify(topic)): FanfareError {
  return new FanfareError(
    'UNDECLARED_TOPIC',
    `${named} is not in the catalog; add a definition of it to openBroker({ catalog })`,
    { details: { topic } },
  )
}

function sameTopics(one: string, other: string): FanfareError {
  return new FanfareError(
    'DEFINITION_INVALID',
    `the catalog has two definitions of the same topics: ${one} and ${other}`,
    { details: { topics: [one, other] } },
  )
}

function isTypeSource(source: Source): source is { readonly type: string } {
  if (typeof source !== 'object' || source === null || 'template' in source) return false
  const { type } = source as { readonly type?: unknown }
  return typeof type === 'string' && type !== ''
}

/** A message is to come once, so a pattern that another one holds goes. */
function withoutHeld(patterns: readonly string[]): string[] {
  const different = [...new Set(patterns)]
  return different.filter(
    (pattern) => !different.some((other) => other !== pattern && isSubsetPattern(pattern, other)),
  )
}
