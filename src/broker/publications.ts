// What is known of the targets that are published to: topic handle, definition and codec, looked up and checked at the first
// use and remembered.
import type { Engine } from '../engine/index.js'
import { assertTopic } from '../topic/index.js'
import type { CatalogIndex } from './catalog-index.js'
import type { AttributeOptions } from './cloud-event.js'
import type { AnyDefinition } from './definition.js'
import { LiveMessage, Publication } from './live-message.js'
import type { MessageContext } from './message-context.js'
import { attributesOf } from './message-reading.js'
import { assertDefinition } from './source.js'
import { isPromise, validate, validateNow } from './validation.js'

/** What fills the template of a definition. */
export interface Parameterized {
  readonly params?: Readonly<Record<string, string | number>> | undefined
}

/** Topics of one definition are kept up to this many, then all are looked up anew. */
const KEPT_TOPICS = 10_000

export class Publications {
  readonly #engine: Engine
  readonly #context: MessageContext
  readonly #catalog: CatalogIndex
  readonly #byTopic = new Map<string, Publication>()
  readonly #byDefinition = new Map<AnyDefinition, Map<string, Publication>>()
  #lastTarget: AnyDefinition | string | undefined
  #last: Publication | undefined

  constructor(engine: Engine, context: MessageContext, catalog: CatalogIndex) {
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
    const declared = this.#catalog.declared(name)
    if (publications.size >= KEPT_TOPICS) publications.clear()
    const handle = this.#engine.topic(name)
    const publication = new Publication(handle, definition ?? declared, this.#context)
    publications.set(name, publication)
    return publication
  }
}

/** Throws VALIDATION_FAILED, HEADER_INVALID, and ASYNC_SCHEMA where the schema has to be waited for. */
export function toMessage(
  publication: Publication,
  input: unknown,
  options: AttributeOptions | undefined,
  advice = 'publish or request instead, which wait for it',
): LiveMessage {
  if (!publication.isChecked) {
    // Most messages, and all of them pass here: one object, and no call that the engine might not inline.
    if (options === undefined && !publication.hasCauses) {
      return new LiveMessage(publication, input, input, undefined)
    }
    return withAttributes(publication, input, input, options)
  }
  const { schema } = publication.definition!
  const output = validateNow(schema, input, publication.topic.name, advice)
  return withAttributes(publication, input, publication.dataOf(input, output), options)
}

/** The same where the caller can wait: messages of one publication are ready in the order of the calls. */
export function toMessageInTurn(
  publication: Publication,
  input: unknown,
  options: AttributeOptions | undefined,
): LiveMessage | Promise<LiveMessage> {
  const finish = (output: unknown): LiveMessage =>
    withAttributes(publication, input, publication.dataOf(input, output), options)
  if (!publication.isChecked) return publication.inTurn(finish(input))
  const output = validate(publication.definition!.schema, input, publication.topic.name)
  return publication.inTurn(isPromise(output) ? output.then(finish) : finish(output))
}

function withAttributes(
  publication: Publication,
  input: unknown,
  data: unknown,
  options: AttributeOptions | undefined,
): LiveMessage {
  const attributes = attributesOf(options, publication.context)
  return new LiveMessage(publication, input, data, attributes)
}
