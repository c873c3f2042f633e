// Loads what compresses, for the brokers that do.
import type { CompressionOptions, Compressor } from './compressor.js'

/** Bodies over `mostBytes` are left as they are. Rejects with UNSUPPORTED where the runtime lacks the algorithm. */
export async function openCompressor(
  options: CompressionOptions,
  mostBytes: number,
): Promise<Compressor> {
  const { makeCompressor } = await import('./compressor.js')
  return makeCompressor(options, mostBytes)
}
