// What can go wrong on the wire, as data: the text that the protocol sends for it and whether the connection survives.
// Texts as nats-server 2.15 sends them (server/errors.go, server/parser.go); clients recognise errors by them.

export interface ProtocolError {
  /** What stands between the quotes of -ERR; empty: the connection is closed without a word. */
  readonly text: string
  /** Whether the connection is closed after it. */
  readonly isFatal: boolean
  /** For the server's own log. */
  readonly reason: string
}

function fatal(text: string, reason = text): ProtocolError {
  return { text, isFatal: true, reason }
}

function recoverable(text: string): ProtocolError {
  return { text, isFatal: false, reason: text }
}

export const protocolErrors = {
  unknownOperation: fatal('Unknown Protocol Operation'),
  /** nats-server says nothing to the client when arguments do not parse. */
  badArguments: (reason: string) => fatal('', reason),
  maxControlLine: fatal('maximum control line exceeded'),
  maxPayload: fatal('Maximum Payload Violation'),
  authorization: fatal('Authorization Violation'),
  authenticationTimeout: fatal('Authentication Timeout'),
  staleConnection: fatal('Stale Connection'),
  slowConsumer: fatal('Slow Consumer'),
  maxConnections: fatal('maximum connections exceeded'),
  maxSubscriptions: recoverable('maximum subscriptions exceeded'),
  invalidClientProtocol: fatal('invalid client protocol'),
  noRespondersRequiresHeaders: fatal('no responders requires headers support'),
  invalidSubject: recoverable('Invalid Subject'),
  invalidPublishSubject: recoverable('Invalid Publish Subject'),
  publishDenied: (subject: string) =>
    recoverable(`Permissions Violation for Publish to ${JSON.stringify(subject)}`),
  replyDenied: (reply: string) =>
    recoverable(`Permissions Violation for Publish with Reply of ${JSON.stringify(reply)}`),
  subscribeDenied: (subject: string, queue: string) =>
    recoverable(subscriptionViolation(subject, queue)),
  /** Rules changed, and a subscription that was allowed ends. */
  subscriptionRevoked: (subject: string, queue: string, sid: string) =>
    recoverable(`${subscriptionViolation(subject, queue)} (sid ${JSON.stringify(sid)})`),
  tooManyTokens: (subject: string) =>
    recoverable(`${subscriptionViolation(subject, '')}, too many tokens`),
} as const

function subscriptionViolation(subject: string, queue: string): string {
  const text = `Permissions Violation for Subscription to ${JSON.stringify(subject)}`
  return queue === '' ? text : `${text} using queue ${JSON.stringify(queue)}`
}
