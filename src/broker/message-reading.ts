// What reads messages that came as bytes, what few publishes need, and failed answers: loaded when a broker is opened (load-parts.ts),
// and handed over here. Reading a message cannot wait, so it is there before the first one.
import { assert } from '../base/index.js'
import type { toPublishedAttributes } from './causation.js'
import type { AttributeOptions, PublishedAttributes } from './cloud-event.js'
import type { readFailure, toFailedAnswer } from './failed-answers.js'
import type { MessageContext } from './message-context.js'
import type { ReceivedMessage } from './received-message.js'

interface MessageReading {
  readonly ReceivedMessage: typeof ReceivedMessage
  readonly toPublishedAttributes: typeof toPublishedAttributes
  readonly readFailure: typeof readFailure
  readonly toFailedAnswer: typeof toFailedAnswer
}

let provided: MessageReading | undefined

export function provideReading(reading: MessageReading): void {
  provided = reading
}

export function messageReading(): MessageReading {
  assert(provided !== undefined, 'loadParts comes before the first message')
  return provided
}

/** What a publisher says of a message. Throws HEADER_INVALID, OPTION_INVALID. */
export function attributesOf(
  options: AttributeOptions | undefined,
  { causes }: MessageContext,
): PublishedAttributes | undefined {
  const cause = options?.cause ?? causes?.getStore()
  if (cause === undefined && options?.headers === undefined && options?.attributes === undefined) {
    return options as PublishedAttributes | undefined
  }
  return messageReading().toPublishedAttributes(options ?? {}, cause)
}
