// Who offers what: asks all instances of services, in any language, and gathers what they answer (ADR-32).
import { FanfareError, toMilliseconds, type Duration } from '../base/index.js'
import { jsonCodec } from '../codec/index.js'
import {
  readInfoResponse,
  readPingResponse,
  readStatisticsResponse,
  serviceTopic,
  type ServiceIdentity,
  type ServiceInfo,
  type ServiceStatistics,
  type ServiceVerb,
} from '../wire/index.js'
import { LiveMessage, Publication } from './live-message.js'
import { preferring, withoutCompression } from './message-context.js'
import { optionInvalid, refuseUnknownOptions } from './option-checks.js'
import { requestMany } from './request-many.js'
import type { RequestContext } from './request-terms.js'

/** Which services to ask, and how long to wait for them. */
export interface ServiceQuery {
  /** Default: all of them. */
  readonly name?: string
  /** One instance of the service `name`. */
  readonly id?: string
  /** Longest wait for all answers; default '2s'. */
  readonly timeout?: Duration
  /** Longest wait for one more answer after the first; default '300ms'. */
  readonly stall?: Duration
  readonly signal?: AbortSignal
}

/** An instance that answered, and how long that took. */
export interface ServicePing extends ServiceIdentity {
  readonly roundTripMs: number
}

const QUERY: ReadonlySet<string> = new Set<keyof ServiceQuery>([
  'name',
  'id',
  'timeout',
  'stall',
  'signal',
])

export async function pingServices(
  host: RequestContext,
  query: ServiceQuery,
): Promise<ServicePing[]> {
  const { clock } = host.context
  const startedMs = clock.elapsedMs()
  return ask(host, 'PING', query, (data) => {
    const identity = readPingResponse(data)
    return identity && { ...identity, roundTripMs: clock.elapsedMs() - startedMs }
  })
}

export function describeServices(
  host: RequestContext,
  query: ServiceQuery,
): Promise<ServiceInfo[]> {
  return ask(host, 'INFO', query, readInfoResponse)
}

export function countServices(
  host: RequestContext,
  query: ServiceQuery,
): Promise<ServiceStatistics[]> {
  return ask(host, 'STATS', query, readStatisticsResponse)
}

/** By name, then by instance; what is no answer of the convention is passed over. */
async function ask<T extends ServiceIdentity>(
  host: RequestContext,
  verb: ServiceVerb,
  query: ServiceQuery,
  read: (data: unknown) => T | undefined,
): Promise<T[]> {
  refuseUnknownOptions(`services.${verb.toLowerCase()}`, query, QUERY)
  const { name, id, timeout = '2s', stall = '300ms', signal } = query
  if (id !== undefined && name === undefined) {
    throw optionInvalid('id', id, 'given together with the name of its service')
  }
  const context = preferring(withoutCompression(host.context), jsonCodec)
  const topic = host.engine.topic(serviceTopic(verb, name, id))
  const publication = new Publication(topic, undefined, context)
  const message = new LiveMessage(publication, undefined, undefined, undefined)
  const answers = requestMany({ ...host, context }, topic, message, undefined, {
    timeoutMs: toMilliseconds(timeout),
    stallMs: toMilliseconds(stall),
    max: id === undefined ? Infinity : 1,
    signal,
  })
  const found: T[] = []
  try {
    for await (const answer of answers) {
      const one = answer.error === undefined ? read(answer.data) : undefined
      if (one !== undefined) found.push(one)
    }
  } catch (error) {
    if (!FanfareError.is(error) || error.code !== 'NO_RESPONDERS') throw error
  }
  return found.sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1))
}

function keyOf({ name, id }: ServiceIdentity): string {
  return `${name} ${id}`
}
