// What a content type asks of a reader: the whole event in the body, or a codec.
import { FanfareError } from '../base/index.js'
import type { Codec } from './codec.js'
import { findCodec, mediaTypeOf } from './codec-registry.js'
import type { Codecs } from './codecs.js'

/** The media type of a CloudEvent in structured mode; its format may follow after '+'. */
export const STRUCTURED = 'application/cloudevents'

/** Whether `Content-Type` says that the body holds the whole event. */
export function isStructured(contentType: string): boolean {
  const mediaType = mediaTypeOf(contentType)
  return mediaType === STRUCTURED || mediaType.startsWith(`${STRUCTURED}+`)
}

/** The codec for a content type. Throws DECODE_FAILED when none is known. */
export function pick(contentType: string, codecs: Codecs, own: Codec | undefined): Codec {
  const found =
    own !== undefined && mediaTypeOf(own.contentType) === mediaTypeOf(contentType)
      ? own
      : findCodec(codecs, contentType)
  if (found !== undefined) return found
  throw new FanfareError(
    'DECODE_FAILED',
    `no codec reads ${contentType}; give one to openBroker({ codecs: [ … ] }), or use message.bytes`,
    { details: { contentType } },
  )
}
