// What one message takes over from the message that it follows from: the correlation id of the whole flow, that message's id as
// its cause, and the trace context, untouched.
import { toAttributes, type OwnAttributes } from './cloud-event.js'
import type { MessageContext } from './message-context.js'
import type { Message } from './message.js'
import { MessageHeaders, type HeadersInput } from './message-headers.js'

/** What the publisher of a message says of it, with what it takes over. */
export interface PublishedAttributes extends OwnAttributes {
  readonly id?: string | undefined
  readonly headers?: HeadersInput | undefined
}

/** The same as options. */
export interface AttributeOptions {
  readonly id?: string | undefined
  readonly key?: string | undefined
  readonly headers?: HeadersInput | undefined
  readonly correlationId?: string | undefined
  readonly cause?: Message | undefined
  readonly attributes?: Readonly<Record<string, string | number | boolean>> | undefined
}

/** W3C Trace Context and Baggage; as headers, which is where OpenTelemetry looks for them. */
const TRACE_HEADERS = ['traceparent', 'tracestate', 'baggage']

/** Throws HEADER_INVALID, OPTION_INVALID: here, so that wrong ones fail alike inside one process and over a network. */
export function toPublishedAttributes(
  options: AttributeOptions | undefined,
  { causes }: MessageContext,
): PublishedAttributes | undefined {
  const cause = options?.cause ?? causes?.getStore()
  if (cause === undefined && options?.headers === undefined && options?.attributes === undefined) {
    return options as PublishedAttributes | undefined
  }
  const { id, key, attributes } = options ?? {}
  return {
    id,
    key,
    headers: withTrace(MessageHeaders.from(options?.headers), cause),
    correlationId: options?.correlationId ?? cause?.correlationId ?? cause?.id,
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

/** `handler`, during whose calls the broker's storage knows the message; as it is where there is no storage. */
export function withCause<M extends Message, Rest extends unknown[]>(
  { causes }: MessageContext,
  handler: (message: M, ...rest: Rest) => unknown,
): (message: M, ...rest: Rest) => unknown {
  if (causes === undefined) return handler
  return (message, ...rest) => causes.run(message, () => handler(message, ...rest))
}
