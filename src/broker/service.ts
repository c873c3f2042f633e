// Services: responders that can be found, asked what they offer, and counted, in the convention of NATS (ADR-32). Every
// instance answers on `$SRV.PING`, `$SRV.INFO` and `$SRV.STATS`, for all, for its name, and for itself.
import { FanfareError } from '../base/index.js'
import { jsonCodec } from '../codec/index.js'
import {
  DEFAULT_SERVICE_GROUP,
  serviceTopic,
  toInfoResponse,
  toPingResponse,
  toStatisticsResponse,
  type EndpointInfo,
  type EndpointStatistics,
  type ServiceIdentity,
  type ServiceInfo,
  type ServiceStatistics,
} from '../wire/index.js'
import type { AnswerHost } from './request-terms.js'
import type { Catalog } from './declared.js'
import type { AnyDefinition } from './definition.js'
import { nextIdentifier } from './live-message.js'
import type { LiveSubscriptionOptions, Subscription } from './live-subscription.js'
import { preferring, withoutCompression } from './message-context.js'
import type { Message } from './message.js'
import { optionInvalid, refuseUnknownOptions } from './option-checks.js'
import type { RequestOf } from './source.js'
import type { Receivable, ReplyInputOf } from './target.js'

export interface ServiceOptions {
  /** What kind of service it is, the same for all its instances: letters, digits, '-' and '_'. */
  readonly name: string
  /** A semantic version, such as '1.0.0'. */
  readonly version: string
  readonly description?: string
  /** Free facts about this instance, shown to whoever asks. */
  readonly metadata?: Readonly<Record<string, string>>
  /** What instances share requests by; default 'q', as the convention says. false: every instance gets every request. */
  readonly group?: string | false
  /** What the statistics of an endpoint say besides; must be JSON. */
  readonly statistics?: (endpoint: EndpointInfo) => unknown
  /** Ends the service when aborted. */
  readonly signal?: AbortSignal
}

export interface EndpointOptions extends Omit<LiveSubscriptionOptions, 'group'> {
  /** Default: the topic, with '-' for dots. */
  readonly name?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Default: the service's. */
  readonly group?: string | false
}

/** Where endpoints are added by name. */
export interface EndpointGroup {
  /** Answers requests to a topic below this one with what `handler` returns. Throws as `respond` does. */
  endpoint(
    topic: string,
    handler: (message: Message) => unknown,
    options?: EndpointOptions,
  ): Subscription
  /** Endpoints below a common topic: `service.group('v1').endpoint('find', …)` answers 'v1.find'. */
  group(prefix: string, options?: { readonly group?: string | false }): EndpointGroup
}

/** One instance of a service. */
export interface Service<C extends Catalog | undefined = undefined>
  extends Pick<EndpointGroup, 'group'>, AsyncDisposable {
  readonly name: string
  /** Of this instance. */
  readonly id: string
  readonly isClosed: boolean
  /**
   * Answers requests to a definition's topic, or to a topic by name, with what `handler` returns. Throws as `respond` does.
   *
   * @example service.endpoint(GetUser, ({ data }) => users.get(data.id))
   */
  endpoint<const S extends AnyDefinition | string>(
    source: S & Receivable<S, C, 'respond'>,
    handler: (message: RequestOf<S, C>) => ReplyInputOf<S, C> | Promise<ReplyInputOf<S, C>>,
    options?: EndpointOptions,
  ): Subscription
  info(): ServiceInfo
  statistics(): ServiceStatistics
  /** Counts anew. */
  reset(): void
  /** Takes no further requests; resolves when those under way are answered. Idempotent. */
  close(): Promise<void>
}

/** What a service needs of its broker. */
export interface ServiceHost {
  readonly answers: AnswerHost
  respond(
    host: AnswerHost,
    source: AnyDefinition | string,
    handler: (message: Message) => unknown,
    options: ResponderTerms,
  ): Subscription
}

export interface RespondOptions extends Omit<LiveSubscriptionOptions, 'group'> {
  /** Responders of one group share the requests; default 'responders'. false: this one gets every request. */
  readonly group?: string | false
}

export type ResponderTerms = Omit<LiveSubscriptionOptions, 'group'> & {
  readonly group: string | false
}

const SERVICE_OPTIONS: ReadonlySet<string> = new Set<keyof ServiceOptions>([
  'name',
  'version',
  'description',
  'metadata',
  'group',
  'statistics',
  'signal',
])
const NAME = /^[\w-]+$/
/** The grammar of semver.org, without its captures. */
const VERSION =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?$/

interface Endpoint {
  readonly info: EndpointInfo
  readonly subscription: Subscription
  requests: number
  errors: number
  lastError: string
  processingMs: number
}

export class OpenService implements Omit<Service, 'endpoint'> {
  readonly name: string
  readonly id = nextIdentifier()
  readonly #host: ServiceHost
  readonly #options: ServiceOptions
  readonly #identity: ServiceIdentity
  readonly #endpoints: Endpoint[] = []
  readonly #monitors: readonly Subscription[]
  #startedMs: number
  #closing: Promise<void> | undefined

  /** Throws OPTION_INVALID, NAME_INVALID. */
  constructor(host: ServiceHost, options: ServiceOptions) {
    refuseUnknownOptions('service', options, SERVICE_OPTIONS)
    assertServiceName('service', options.name)
    if (!VERSION.test(options.version)) {
      throw optionInvalid('version', options.version, "a semantic version, such as '1.0.0'")
    }
    options.signal?.throwIfAborted()
    this.#host = host
    this.#options = options
    this.name = options.name
    const { name, version, metadata = {} } = options
    this.#identity = { name, id: this.id, version, metadata: { ...metadata } }
    this.#startedMs = host.answers.context.clock.nowMs()
    this.#monitors = this.#answerMonitors()
    options.signal?.addEventListener('abort', this.#aborted, { once: true })
  }

  get isClosed(): boolean {
    return this.#closing !== undefined
  }

  endpoint(
    source: AnyDefinition | string,
    handler: (message: never) => unknown,
    options: EndpointOptions = {},
  ): Subscription {
    return this.add(source, handler as (message: Message) => unknown, options)
  }

  group(prefix: string, options: { readonly group?: string | false } = {}): EndpointGroup {
    return new PrefixedGroup(this, prefix, options.group)
  }

  /** Adds an endpoint of whatever type. */
  add(
    source: AnyDefinition | string,
    handler: (message: Message) => unknown,
    options: EndpointOptions,
  ): Subscription {
    if (this.isClosed) throw new FanfareError('CLOSED', `the service ${this.name} is closed`)
    if (typeof handler !== 'function') throw optionInvalid('the handler', handler, 'a function')
    const topic = typeof source === 'string' ? source : source.template.pattern
    const { name = nameOf(topic), metadata = {}, ...terms } = options
    assertServiceName('endpoint', name)
    const group = terms.group ?? this.#options.group ?? DEFAULT_SERVICE_GROUP
    const counted = (message: Message): unknown => this.#count(endpoint, handler, message)
    const subscription = this.#host.respond(this.#host.answers, source, counted, {
      ...terms,
      group,
    })
    const endpoint: Endpoint = {
      info: { name, topic, group: group === false ? undefined : group, metadata: { ...metadata } },
      subscription,
      ...NOTHING_COUNTED,
    }
    this.#endpoints.push(endpoint)
    return subscription
  }

  info(): ServiceInfo {
    const endpoints = this.#endpoints.map(({ info }) => info)
    return { ...this.#identity, description: this.#options.description ?? '', endpoints }
  }

  statistics(): ServiceStatistics {
    return {
      ...this.#identity,
      started: new Date(this.#startedMs),
      endpoints: this.#endpoints.map((endpoint) => this.#describe(endpoint)),
    }
  }

  reset(): void {
    for (const endpoint of this.#endpoints) Object.assign(endpoint, NOTHING_COUNTED)
    this.#startedMs = this.#host.answers.context.clock.nowMs()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #describe({ info, requests, errors, lastError, processingMs }: Endpoint): EndpointStatistics {
    const { name, topic, group } = info
    const data = this.#options.statistics?.(info)
    return {
      name,
      topic,
      group,
      requests,
      errors,
      lastError,
      processingMs,
      averageProcessingMs: requests === 0 ? 0 : processingMs / requests,
      ...(data === undefined ? {} : { data }),
    }
  }

  async #count(
    endpoint: Endpoint,
    handler: (message: Message) => unknown,
    message: Message,
  ): Promise<unknown> {
    const { clock } = this.#host.answers.context
    const startedMs = clock.elapsedMs()
    endpoint.requests += 1
    try {
      return await handler(message)
    } catch (error) {
      endpoint.errors += 1
      endpoint.lastError = error instanceof Error ? error.message : String(error)
      throw error
    } finally {
      endpoint.processingMs += clock.elapsedMs() - startedMs
    }
  }

  /** In JSON, whatever else the broker writes. */
  #answerMonitors(): Subscription[] {
    const { name, id } = this
    const { engine, context } = this.#host.answers
    const answers = { engine, context: preferring(withoutCompression(context), jsonCodec) }
    const responses = {
      PING: () => toPingResponse(this.#identity),
      INFO: () => toInfoResponse(this.info()),
      STATS: () => toStatisticsResponse(this.statistics()),
    } as const
    return (['PING', 'INFO', 'STATS'] as const).flatMap((verb) =>
      [serviceTopic(verb), serviceTopic(verb, name), serviceTopic(verb, name, id)].map((topic) =>
        this.#host.respond(answers, topic, responses[verb], { group: false }),
      ),
    )
  }

  readonly #aborted = (): void => {
    void this.close()
  }

  async #close(): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#aborted)
    const endpoints = this.#endpoints.map(({ subscription }) => subscription)
    await Promise.all([...this.#monitors, ...endpoints].map((each) => each.drain()))
  }
}

const NOTHING_COUNTED = { requests: 0, errors: 0, lastError: '', processingMs: 0 }

class PrefixedGroup implements EndpointGroup {
  readonly #service: OpenService
  readonly #prefix: string
  readonly #group: string | false | undefined

  constructor(service: OpenService, prefix: string, group: string | false | undefined) {
    this.#service = service
    this.#prefix = prefix
    this.#group = group
  }

  endpoint(
    topic: string,
    handler: (message: Message) => unknown,
    options: EndpointOptions = {},
  ): Subscription {
    // For callers without types.
    if (typeof topic !== 'string') {
      throw optionInvalid(
        'topic',
        topic,
        `a topic below '${this.#prefix}': a definition has its own`,
      )
    }
    const group = options.group ?? this.#group
    const place = group === undefined ? {} : { group }
    const terms = { name: nameOf(topic), ...options, ...place }
    return this.#service.add(`${this.#prefix}.${topic}`, handler, terms)
  }

  group(prefix: string, options: { readonly group?: string | false } = {}): EndpointGroup {
    const group = options.group ?? this.#group
    return new PrefixedGroup(this.#service, `${this.#prefix}.${prefix}`, group)
  }
}

function nameOf(topic: string): string {
  return topic.replaceAll(/[^\w-]+/g, '-')
}

function assertServiceName(kind: 'service' | 'endpoint', name: unknown): asserts name is string {
  if (typeof name === 'string' && NAME.test(name)) return
  throw new FanfareError(
    'NAME_INVALID',
    `invalid ${kind} name ${JSON.stringify(name)}: write letters, digits, '-' or '_'`,
    { details: { name } },
  )
}
