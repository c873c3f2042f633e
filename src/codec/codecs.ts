// The codecs that a receiver knows, by the content type that a message names. JSON, text and bytes are always among them.
import { bytesCodec, jsonCodec, textCodec, type Codec } from './codec.js'

/** What a body may inflate to, unless the broker says otherwise. */
export const DEFAULT_MAX_INFLATED_BYTES = 16 * 1024 * 1024

/** Content types are remembered as they are written, up to this many. */
const MOST_REMEMBERED = 256

export class Codecs {
  /** What writes, and reads what does not say what it is. */
  readonly preferred: Codec
  readonly #byMediaType = new Map<string, Codec>()
  readonly #found = new Map<string, Codec | undefined>()

  /** Of two codecs for one media type the earlier one counts. */
  constructor(preferred: Codec, others: readonly Codec[] = []) {
    this.preferred = preferred
    for (const codec of [preferred, ...others, jsonCodec, textCodec, bytesCodec]) {
      const mediaType = mediaTypeOf(codec.contentType)
      if (!this.#byMediaType.has(mediaType)) this.#byMediaType.set(mediaType, codec)
    }
  }

  /** The same codecs, with another one in front. */
  preferring(codec: Codec): Codecs {
    return new Codecs(codec, [...this.#byMediaType.values()])
  }

  /** The codec for what a message says of itself, such as `application/json; charset=utf-8`. */
  find(contentType: string): Codec | undefined {
    if (contentType === this.preferred.contentType) return this.preferred
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

/** Without parameters, in lower case. */
export function mediaTypeOf(contentType: string): string {
  const end = contentType.indexOf(';')
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase()
}
