// The option `compression`, checked and opened: loaded by brokers that compress.
import {
  openCompressor,
  type CompressionAlgorithm,
  type CompressionOptions,
  type Compressor,
} from '../codec/index.js'
import { oneOf, refuseUnknownOptions, wholeNumber } from './option-checks.js'

const ALGORITHMS = ['gzip', 'brotli', 'zstd'] as const
const COMPRESSION_OPTIONS: ReadonlySet<string> = new Set<keyof CompressionOptions>([
  'algorithm',
  'threshold',
])

/** Rejects with OPTION_INVALID, UNSUPPORTED. */
export async function toCompressor(
  compression: CompressionAlgorithm | CompressionOptions,
  mostBytes: number,
): Promise<Compressor> {
  const options = typeof compression === 'string' ? { algorithm: compression } : compression
  refuseUnknownOptions('compression', options, COMPRESSION_OPTIONS)
  oneOf('compression', options.algorithm, ALGORITHMS)
  if (options.threshold !== undefined) wholeNumber('compression.threshold', options.threshold, 0)
  return openCompressor(options, mostBytes)
}
