// Compressed bodies and back: what `Content-Encoding` names (RFC 9110, section 8.4), undone within the call and within a bound,
// as a few bytes can claim to be gigabytes. What compresses is in compressor.ts, and loaded only where it is wanted.
import { FanfareError, findZlib, type Zlib } from '../base/index.js'
import { DEFAULT_MAX_INFLATED_BYTES } from './codecs.js'

type Decompress = 'gunzipSync' | 'inflateSync' | 'brotliDecompressSync' | 'zstdDecompressSync'

/** The registered names of content codings, and what undoes them. Node has zstd from 22.15 on. */
const DECOMPRESS: Readonly<Record<string, Decompress>> = {
  gzip: 'gunzipSync',
  'x-gzip': 'gunzipSync',
  deflate: 'inflateSync',
  br: 'brotliDecompressSync',
  zstd: 'zstdDecompressSync',
}

/** More than one coding helps nobody; each may inflate what the one before made. */
const MOST_CODINGS = 2

/**
 * The body as it was before it was compressed as `contentEncoding` says. Throws PAYLOAD_TOO_LARGE when it would have more than
 * `maxBytes`, DECODE_FAILED for a coding that is unknown here and for bytes that are damaged.
 */
export function decompress(
  body: Uint8Array,
  contentEncoding: string,
  maxBytes = DEFAULT_MAX_INFLATED_BYTES,
): Uint8Array {
  const codings = contentEncoding.toLowerCase().split(',', MOST_CODINGS + 1)
  const applied = codings.map((coding) => coding.trim()).filter((coding) => coding !== 'identity')
  if (applied.length > MOST_CODINGS) throw unknownEncoding(contentEncoding)
  // They are listed in the order in which they were applied.
  return applied.reduceRight((bytes, coding) => undo(bytes, coding, maxBytes), body)
}

/** What `Accept-Encoding` may name: the codings that can be undone here. */
export function acceptedEncodings(): string[] {
  const zlib = findZlib()
  if (zlib === undefined) return []
  return ['gzip', 'br', 'zstd'].filter((coding) => DECOMPRESS[coding]! in zlib)
}

function undo(bytes: Uint8Array, coding: string, maxBytes: number): Uint8Array {
  const name = Object.hasOwn(DECOMPRESS, coding) ? DECOMPRESS[coding]! : undefined
  const zlib = findZlib() as Partial<Record<Decompress, Zlib['gunzipSync']>> | undefined
  const work = name === undefined ? undefined : zlib?.[name]
  if (work === undefined) throw unknownEncoding(coding)
  try {
    return work(bytes, { maxOutputLength: maxBytes })
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new FanfareError(
        'PAYLOAD_TOO_LARGE',
        `a body of ${bytes.length} bytes (${coding}) inflates to more than ${maxBytes}; openBroker({ maxInflatedBytes }) allows more`,
        { details: { contentEncoding: coding, maxInflatedBytes: maxBytes } },
      )
    }
    throw new FanfareError(
      'DECODE_FAILED',
      `the body is not what Content-Encoding: ${coding} says`,
      {
        cause: error,
        details: { contentEncoding: coding },
      },
    )
  }
}

function unknownEncoding(contentEncoding: string): FanfareError {
  return new FanfareError(
    'DECODE_FAILED',
    `this runtime cannot undo Content-Encoding: ${contentEncoding}; it knows ${acceptedEncodings().join(', ') || 'none'}`,
    { details: { contentEncoding } },
  )
}
