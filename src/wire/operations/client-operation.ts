// What a client says to a server. Source: docs.nats.io, "NATS Protocol"; header operations: ADR-4. Lines end in CRLF (a
// lone LF is taken too), verbs are read in any case, arguments are separated by spaces or tabs:
//
//   CONNECT {json}
//   PUB  <subject> [reply] <bytes>              then <bytes> of body and CRLF
//   HPUB <subject> [reply] <headers> <total>    then <total> bytes, the first <headers> of them the header block, and CRLF
//   SUB  <subject> [queue] <sid>
//   UNSUB <sid> [max]
//   PING   PONG   +OK   -ERR {text}   INFO {json}
import type { ProtocolError } from './protocol-error.js'

/**
 * A published message as ranges of `buffer`, which is valid during the call only. The parser writes these fields of an
 * object that it is given, so that the layer above can hand it on without copying.
 */
export interface PublishFrame {
  buffer: Uint8Array
  subjectStart: number
  subjectEnd: number
  /** Empty when there is no reply subject. */
  replyStart: number
  replyEnd: number
  /** Empty for PUB. */
  headersStart: number
  headersEnd: number
  bodyStart: number
  bodyEnd: number
}

/** Takes operations in the order in which they arrive. */
export interface ClientOperationSink {
  /** `json` is what follows CONNECT, not checked. */
  connect(json: string): void
  publish(frame: PublishFrame): void
  /** `subject` is not validated; `queue` is empty for a plain subscription. */
  subscribe(subject: string, queue: string, sid: string): void
  /** `max` is undefined for at once; a bad number counts as at once, as in nats-server. */
  unsubscribe(sid: string, max: number | undefined): void
  ping(): void
  pong(): void
  /** A client that sends INFO; nats-server takes it when it is JSON and ignores it. */
  peerInfo(json: string): void
  /** The client reports an error; nats-server closes the connection then. */
  peerError(text: string): void
  /** The bytes broke the protocol; the parser has stopped for good. */
  protocolError(error: ProtocolError): void
}
