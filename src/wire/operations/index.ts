// The protocol's operations, both ways: loaded by who speaks it.
export type { ClientOperationSink, PublishFrame } from './client-operation.js'
export { ClientOperationParser, type ParserLimits } from './client-operation-parser.js'
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
