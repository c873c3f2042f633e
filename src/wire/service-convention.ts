// Services as NATS knows them (ADR-32): the topics where every instance answers to be found and counted, and the JSON it answers
// with. Whatever calls itself a service, in any language, speaks this.
export type ServiceVerb = 'PING' | 'INFO' | 'STATS'

const PREFIX = '$SRV'
const NANOSECONDS_PER_MS = 1e6

/** Members of one group share the requests of an endpoint, unless it says otherwise. */
export const DEFAULT_SERVICE_GROUP = 'q'

export interface ServiceIdentity {
  /** What kind of service it is; its instances share it. */
  readonly name: string
  /** Of the one instance. */
  readonly id: string
  readonly version: string
  readonly metadata: Readonly<Record<string, string>>
}

export interface EndpointInfo {
  readonly name: string
  readonly topic: string
  /** Undefined: every instance gets every request. */
  readonly group: string | undefined
  readonly metadata: Readonly<Record<string, string>>
}

export interface ServiceInfo extends ServiceIdentity {
  readonly description: string
  readonly endpoints: readonly EndpointInfo[]
}

export interface EndpointStatistics {
  readonly name: string
  readonly topic: string
  readonly group: string | undefined
  readonly requests: number
  readonly errors: number
  /** Of the last error; empty: there was none. */
  readonly lastError: string
  /** In all handler calls together. */
  readonly processingMs: number
  readonly averageProcessingMs: number
  /** What the service says of the endpoint besides. */
  readonly data?: unknown
}

export interface ServiceStatistics extends ServiceIdentity {
  readonly started: Date
  readonly endpoints: readonly EndpointStatistics[]
}

/** Where all services answer, those of a name, or the one instance. */
export function serviceTopic(verb: ServiceVerb, name?: string, id?: string): string {
  return [PREFIX, verb, name, id].filter((token) => token !== undefined).join('.')
}

// ---- What an instance answers

export function toPingResponse(identity: ServiceIdentity): object {
  return { type: typeOf('PING'), ...toIdentity(identity) }
}

export function toInfoResponse(info: ServiceInfo): object {
  return {
    type: typeOf('INFO'),
    ...toIdentity(info),
    description: info.description,
    endpoints: info.endpoints.map(({ name, topic, group, metadata }) => ({
      name,
      subject: topic,
      queue_group: group ?? '',
      metadata,
    })),
  }
}

export function toStatisticsResponse(statistics: ServiceStatistics): object {
  return {
    type: typeOf('STATS'),
    ...toIdentity(statistics),
    started: statistics.started.toISOString(),
    endpoints: statistics.endpoints.map((endpoint) => ({
      name: endpoint.name,
      subject: endpoint.topic,
      queue_group: endpoint.group ?? '',
      num_requests: endpoint.requests,
      num_errors: endpoint.errors,
      last_error: endpoint.lastError,
      processing_time: toNanoseconds(endpoint.processingMs),
      average_processing_time: toNanoseconds(endpoint.averageProcessingMs),
      ...(endpoint.data === undefined ? {} : { data: endpoint.data }),
    })),
  }
}

// ---- What others answered: undefined for what is no answer of that kind

export function readPingResponse(value: unknown): ServiceIdentity | undefined {
  return isResponse(value, 'PING') ? readIdentity(value) : undefined
}

export function readInfoResponse(value: unknown): ServiceInfo | undefined {
  if (!isResponse(value, 'INFO')) return undefined
  return {
    ...readIdentity(value),
    description: textOf(value.description),
    endpoints: membersOf(value.endpoints).map((endpoint) => ({
      ...readEndpoint(endpoint),
      metadata: textsOf(endpoint.metadata),
    })),
  }
}

export function readStatisticsResponse(value: unknown): ServiceStatistics | undefined {
  if (!isResponse(value, 'STATS')) return undefined
  return {
    ...readIdentity(value),
    started: new Date(textOf(value.started)),
    endpoints: membersOf(value.endpoints).map((endpoint) => ({
      ...readEndpoint(endpoint),
      requests: numberOf(endpoint.num_requests),
      errors: numberOf(endpoint.num_errors),
      lastError: textOf(endpoint.last_error),
      processingMs: numberOf(endpoint.processing_time) / NANOSECONDS_PER_MS,
      averageProcessingMs: numberOf(endpoint.average_processing_time) / NANOSECONDS_PER_MS,
      ...(endpoint.data === undefined ? {} : { data: endpoint.data }),
    })),
  }
}

type Members = Readonly<Record<string, unknown>>

function typeOf(verb: ServiceVerb): string {
  return `io.nats.micro.v1.${verb.toLowerCase()}_response`
}

function toIdentity({ name, id, version, metadata }: ServiceIdentity): object {
  return { name, id, version, metadata }
}

function toNanoseconds(ms: number): number {
  return Math.trunc(ms * NANOSECONDS_PER_MS)
}

function isResponse(value: unknown, verb: ServiceVerb): value is Members {
  return isMembers(value) && value.type === typeOf(verb)
}

function readIdentity(value: Members): ServiceIdentity {
  return {
    name: textOf(value.name),
    id: textOf(value.id),
    version: textOf(value.version),
    metadata: textsOf(value.metadata),
  }
}

function readEndpoint(value: Members): Pick<EndpointInfo, 'name' | 'topic' | 'group'> {
  const group = textOf(value.queue_group)
  return {
    name: textOf(value.name),
    topic: textOf(value.subject),
    group: group === '' ? undefined : group,
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function membersOf(value: unknown): Members[] {
  return Array.isArray(value) ? value.filter(isMembers) : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function textsOf(value: unknown): Record<string, string> {
  if (!isMembers(value)) return {}
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]))
}
