// Level 1: the NATS protocol as bytes, both ways. Knows no socket and no rule of what a topic may be. Everybody needs header blocks,
// which are here; the operations have a door of their own.
export { readBodyHeaders, type BodyHeaders } from './body-headers.js'
export {
  assertHeaderField,
  decodeHeaderBlock,
  findHeader,
  encodeHeaderBlock,
  type HeaderBlock,
} from './header-block.js'
export {
  DEFAULT_SERVICE_GROUP,
  readInfoResponse,
  readPingResponse,
  readStatisticsResponse,
  serviceTopic,
  toInfoResponse,
  toPingResponse,
  toStatisticsResponse,
  type EndpointInfo,
  type EndpointStatistics,
  type ServiceIdentity,
  type ServiceInfo,
  type ServiceStatistics,
  type ServiceVerb,
} from './service-convention.js'
