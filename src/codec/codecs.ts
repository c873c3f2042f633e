// The codecs of a broker. Which of them reads a message is found by codec-registry.ts, once a message says what it is.
import type { Codec } from './codec.js'

/** What a body may inflate to, unless the broker says otherwise. */
export const DEFAULT_MAX_INFLATED_BYTES = 16 * 1024 * 1024

export interface Codecs {
  /** What writes, and reads what does not say what it is. */
  readonly preferred: Codec
  /** What reads besides, the earlier one first where two have one media type. JSON, text and bytes are always known. */
  readonly others: readonly Codec[]
}

/** The same codecs, with another one in front. */
export function withPreferred({ preferred, others }: Codecs, codec: Codec): Codecs {
  return { preferred: codec, others: [preferred, ...others] }
}
