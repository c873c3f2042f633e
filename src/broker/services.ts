// The way to the directory of services.
import type { ServiceInfo, ServiceStatistics } from '../wire/index.js'
import { loadedParts } from './load-parts.js'
import type { RequestContext } from './request-terms.js'
import type { ServicePing, ServiceQuery } from './service-directory.js'

/** Each resolves with what answered in time, by name and instance; nobody: an empty list. */
export interface Services {
  /** Who is there, and how long the answer took. */
  ping(query?: ServiceQuery): Promise<ServicePing[]>
  /** What they offer. */
  info(query?: ServiceQuery): Promise<ServiceInfo[]>
  /** What they have done. */
  statistics(query?: ServiceQuery): Promise<ServiceStatistics[]>
}

export function findServices(host: RequestContext): Services {
  const { pingServices, describeServices, countServices } = loadedParts()
  return {
    ping: (query = {}) => pingServices(host, query),
    info: (query = {}) => describeServices(host, query),
    statistics: (query = {}) => countServices(host, query),
  }
}
