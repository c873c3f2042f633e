// What one message takes over from the message that it follows from: the correlation id of the whole flow, that message's id as
// its cause, and the trace context, untouched.
import type { AttributeOptions, PublishedAttributes } from './cloud-event.js'
import { toAttributes } from './further-attributes.js'
import type { Message } from './message.js'
import { MessageHeaders } from './message-headers.js'

/** W3C Trace Context and Baggage; as headers, which is where OpenTelemetry looks for them. */
const TRACE_HEADERS = ['traceparent', 'tracestate', 'baggage']

/** Throws HEADER_INVALID, OPTION_INVALID: here, so that wrong ones fail alike inside one process and over a network. */
export function toPublishedAttributes(
  options: AttributeOptions,
  cause: Message | undefined,
): PublishedAttributes {
  const { id, key, attributes } = options
  return {
    id,
    key,
    headers: withTrace(MessageHeaders.from(options.headers), cause),
    correlationId: options.correlationId ?? cause?.correlationId ?? cause?.id,
    causationId: cause?.id,
    attributes: attributes === undefined ? undefined : toAttributes(attributes),
  }
}

function withTrace(given: MessageHeaders, cause: Message | undefined): MessageHeaders {
  if (cause === undefined) return given
  const passed = TRACE_HEADERS.flatMap((name) => {
    const value = given.find(name) === undefined ? cause.headers.find(name) : undefined
    return value === undefined ? [] : [[name, value] as const]
  })
  return passed.length === 0 ? given : new MessageHeaders([...given, ...passed])
}
