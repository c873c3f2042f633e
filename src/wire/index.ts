// Level 1: the NATS protocol as bytes, both ways. Knows no socket and no rule of what a topic may be.
export { readBodyHeaders, type BodyHeaders } from './body-headers.js'
export type { ClientOperationSink, PublishFrame } from './client-operation.js'
export { ClientOperationParser, type ParserLimits } from './client-operation-parser.js'
export {
  assertHeaderField,
  decodeHeaderBlock,
  findHeader,
  encodeHeaderBlock,
  type HeaderBlock,
} from './header-block.js'
export { protocolErrors, type ProtocolError } from './protocol-error.js'
export {
  encodeError,
  encodeInfo,
  encodeNoResponders,
  MESSAGE_LINE_OVERHEAD,
  okLine,
  pingLine,
  pongLine,
  writeCounts,
  writeLineEnd,
  writeMessageStart,
  writeReply,
} from './server-operation-encoder.js'
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
