// Compresses bodies that are worth it. Small ones and whoever cannot wait take the calling thread; large ones whose publisher
// awaits a receipt take the thread pool, one at a time, as commits need the pool as well.
import { FanfareError, findZlib, type Zlib } from '../base/index.js'
import { acceptedEncodings } from './decompress.js'

export type CompressionAlgorithm = 'gzip' | 'brotli' | 'zstd'

export interface CompressionOptions {
  readonly algorithm: CompressionAlgorithm
  /** Bodies of fewer bytes travel as they are; default 1,024. */
  readonly threshold?: number
}

export interface Compressor {
  /** What `Content-Encoding` says of what it made. */
  readonly encoding: string
  /** What `Accept-Encoding` says of a request whose answer may be compressed. */
  readonly accepted: string
  /** Whether a body has the size to be compressed at all. */
  isWorthwhile(bodyBytes: number): boolean
  /** Whether a body is so large that compressing it holds the thread up for a millisecond or more. */
  isSlow(bodyBytes: number): boolean
  /** Undefined when it would not get smaller. */
  compress(body: Uint8Array): Uint8Array | undefined
  /** The same on the thread pool. */
  compressLater(body: Uint8Array): Promise<Uint8Array | undefined>
}

export const DEFAULT_THRESHOLD_BYTES = 1_024
/** Gzip takes about a millisecond for so much JSON. */
const SLOW_BYTES = 64 * 1024

interface Way {
  readonly encoding: string
  readonly sync: 'gzipSync' | 'brotliCompressSync' | 'zstdCompressSync'
  readonly later: 'gzip' | 'brotliCompress' | 'zstdCompress'
}

const WAYS: Readonly<Record<CompressionAlgorithm, Way>> = {
  gzip: { encoding: 'gzip', sync: 'gzipSync', later: 'gzip' },
  brotli: { encoding: 'br', sync: 'brotliCompressSync', later: 'brotliCompress' },
  zstd: { encoding: 'zstd', sync: 'zstdCompressSync', later: 'zstdCompress' },
}

/** Brotli's own default, 11, is meant for files that are compressed once: it takes a hundred times as long. */
const BROTLI_QUALITY = 4

/** Bodies over `mostBytes`, which receivers would refuse to inflate, are left alone. Throws UNSUPPORTED. */
export function makeCompressor(
  { algorithm, threshold = DEFAULT_THRESHOLD_BYTES }: CompressionOptions,
  mostBytes: number,
): Compressor {
  const { encoding, sync, later } = WAYS[algorithm]
  const zlib = findZlib() as (Zlib & Partial<AnyWay>) | undefined
  const compressNow = zlib?.[sync]
  const compressOnPool = zlib?.[later]
  if (zlib === undefined || compressNow === undefined || compressOnPool === undefined) {
    throw new FanfareError(
      'UNSUPPORTED',
      `this runtime cannot compress by ${algorithm}${algorithm === 'zstd' ? ' (Node can from 22.15 on)' : ''}; it can by ${acceptedEncodings().join(', ') || 'none'}`,
      { details: { algorithm } },
    )
  }
  const options =
    algorithm === 'brotli'
      ? { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }
      : {}
  let last: Promise<unknown> = Promise.resolve()
  const onPool = (body: Uint8Array): Promise<Uint8Array> =>
    new Promise((resolve, reject) =>
      compressOnPool(body, options, (error, made) => (error ? reject(error) : resolve(made))),
    )
  const ifSmaller = (body: Uint8Array, made: Uint8Array): Uint8Array | undefined =>
    made.length < body.length ? made : undefined
  return {
    encoding,
    accepted: acceptedEncodings().join(', '),
    isWorthwhile: (bodyBytes) => bodyBytes >= threshold && bodyBytes <= mostBytes,
    isSlow: (bodyBytes) => bodyBytes >= SLOW_BYTES,
    compress: (body) => ifSmaller(body, compressNow(body, options)),
    compressLater(body) {
      const made = last.then(() => onPool(body))
      last = made.catch(() => undefined)
      return made.then((bytes) => ifSmaller(body, bytes))
    },
  }
}

type CompressNow = (body: Uint8Array, options: object) => Uint8Array
type CompressOnPool = (
  body: Uint8Array,
  options: object,
  done: (error: Error | null, made: Uint8Array) => void,
) => void

type AnyWay = Record<Way['sync'], CompressNow> & Record<Way['later'], CompressOnPool>
