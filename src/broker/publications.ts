// What is known of the targets that are published to: topic handle, definition and codec, looked up and checked at the first
// use and remembered.
import type { Engine } from '../engine/index.js'
import { assertTopic } from '../topic/index.js'
import type { AnyDefinition } from './definition.js'
import { toPublishedAttributes, type AttributeOptions } from './causation.js'
import { LiveMessage, Publication } from './live-message.js'
import type { MessageContext } from './message-context.js'
import { validate } from './received-message.js'
import { assertDefinition, type Catalog } from './source.js'

/** What fills the template of a definition. */
export interface Parameterized {
  readonly params?: Readonly<Record<string, string | number>> | undefined
}

/** Topics of one definition are kept up to this many, then all are looked up anew. */
const KEPT_TOPICS = 10_000

export class Publications {
  readonly #engine: Engine
  readonly #context: MessageContext
  readonly #catalog: Catalog
  readonly #byTopic = new Map<string, Publication>()
  readonly #byDefinition = new Map<AnyDefinition, Map<string, Publication>>()
  #lastTarget: AnyDefinition | string | undefined
  #last: Publication | undefined

  constructor(engine: Engine, context: MessageContext, catalog: Catalog) {
    this.#engine = engine
    this.#context = context
    this.#catalog = catalog
  }

  /** Throws TOPIC_INVALID, UNDECLARED_TOPIC, OPTION_INVALID for what is no target. */
  of(target: AnyDefinition | string, options: Parameterized | undefined): Publication {
    const last = this.#last
    if (target === this.#lastTarget && last !== undefined && options?.params === undefined) {
      return last
    }
    const publication =
      typeof target === 'string'
        ? (this.#byTopic.get(target) ?? this.#add(this.#byTopic, target, undefined))
        : this.#through(target, options)
    if (options?.params === undefined) {
      this.#lastTarget = target
      this.#last = publication
    }
    return publication
  }

  #through(definition: AnyDefinition, options: Parameterized | undefined): Publication {
    assertDefinition(definition)
    let publications = this.#byDefinition.get(definition)
    if (publications === undefined) {
      publications = new Map()
      this.#byDefinition.set(definition, publications)
    }
    const name = definition.template.fill(options?.params)
    return publications.get(name) ?? this.#add(publications, name, definition)
  }

  #add(
    publications: Map<string, Publication>,
    name: string,
    definition: AnyDefinition | undefined,
  ): Publication {
    assertTopic(name)
    this.#catalog.resolve(name)
    if (publications.size >= KEPT_TOPICS) publications.clear()
    const publication = new Publication(this.#engine.topic(name), definition, this.#context)
    publications.set(name, publication)
    return publication
  }
}

/** Validates the data against the schema. Throws VALIDATION_FAILED, HEADER_INVALID, OPTION_INVALID. */
export function toMessage(
  publication: Publication,
  input: unknown,
  options: AttributeOptions | undefined,
): LiveMessage {
  const { definition, topic, context } = publication
  const data = definition?.schema === undefined ? input : validate(definition, input, topic.name)
  return new LiveMessage(publication, input, data, toPublishedAttributes(options, context))
}
