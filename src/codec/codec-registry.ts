// The codecs that a receiver knows, by the content type that a message names. JSON, text and bytes are always among them.
import { bytesCodec, jsonCodec, textCodec, type Codec } from './codec.js'
import type { Codecs } from './codecs.js'

/** Content types are remembered as they are written, up to this many. */
const MOST_REMEMBERED = 256

const registries = new WeakMap<Codecs, CodecRegistry>()

class CodecRegistry {
  readonly #byMediaType = new Map<string, Codec>()
  readonly #found = new Map<string, Codec | undefined>()

  constructor({ preferred, others }: Codecs) {
    for (const codec of [preferred, ...others, jsonCodec, textCodec, bytesCodec]) {
      const mediaType = mediaTypeOf(codec.contentType)
      if (!this.#byMediaType.has(mediaType)) this.#byMediaType.set(mediaType, codec)
    }
  }

  find(contentType: string): Codec | undefined {
    if (this.#found.has(contentType)) return this.#found.get(contentType)
    if (this.#found.size >= MOST_REMEMBERED) this.#found.clear()
    const mediaType = mediaTypeOf(contentType)
    // RFC 6839: what ends in +json can be read as JSON.
    const found =
      this.#byMediaType.get(mediaType) ??
      (mediaType.endsWith('+json') ? this.#byMediaType.get(jsonCodec.contentType) : undefined)
    this.#found.set(contentType, found)
    return found
  }
}

/** The codec for what a message says of itself, such as `application/json; charset=utf-8`. */
export function findCodec(codecs: Codecs, contentType: string): Codec | undefined {
  if (contentType === codecs.preferred.contentType) return codecs.preferred
  let registry = registries.get(codecs)
  if (registry === undefined) registries.set(codecs, (registry = new CodecRegistry(codecs)))
  return registry.find(contentType)
}

/** Without parameters, in lower case. */
export function mediaTypeOf(contentType: string): string {
  const end = contentType.indexOf(';')
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}
