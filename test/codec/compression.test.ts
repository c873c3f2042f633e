// Bodies compressed and back: every algorithm that this runtime has, within the bound, and nothing worse than a coded error for
// anything else.
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decompress,
  DEFAULT_MAX_INFLATED_BYTES,
  openCompressor,
  type CompressionAlgorithm,
} from '../../src/codec/index.js'
import { acceptedEncodings } from '../../src/codec/decompress.js'

const MOST = 1_000_000
const hasZstd = acceptedEncodings().includes('zstd')
const algorithms: readonly CompressionAlgorithm[] = [
  'gzip',
  'brotli',
  ...(hasZstd ? ['zstd' as const] : []),
]

const repetitive = fc
  .tuple(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.integer({ min: 20, max: 200 }))
  .map(
    ([piece, times]) => new Uint8Array(Buffer.concat(Array.from({ length: times }, () => piece))),
  )

function codeOf(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return (error as { code?: string }).code
  }
}

describe.each(algorithms)('compression by %s', (algorithm) => {
  it('gives back what went in, at once and from the thread pool', async () => {
    const compressor = await openCompressor({ algorithm }, MOST)
    await fc.assert(
      fc.asyncProperty(repetitive, async (body) => {
        for (const made of [compressor.compress(body), await compressor.compressLater(body)]) {
          if (made === undefined) continue
          expect(made.length).toBeLessThan(body.length)
          expect(Buffer.from(decompress(made, compressor.encoding, body.length))).toEqual(
            Buffer.from(body),
          )
        }
      }),
      { numRuns: 50 },
    )
  })

  it('makes nothing of what would not get smaller', async () => {
    const compressor = await openCompressor({ algorithm }, MOST)
    const noise = new Uint8Array(500).map((_, i) => (i * 2_654_435_761) >>> 13)
    expect(compressor.compress(noise.subarray(0, 8))).toBeUndefined()
    expect(await compressor.compressLater(noise.subarray(0, 8))).toBeUndefined()
  })

  it('stops at the bound: a bomb costs no more than that', async () => {
    const compressor = await openCompressor({ algorithm }, MOST)
    const bomb = compressor.compress(new Uint8Array(64 * 1024 * 1024))!
    expect(bomb.length).toBeLessThan(100_000)
    expect(codeOf(() => decompress(bomb, compressor.encoding, 1_000_000))).toBe('PAYLOAD_TOO_LARGE')
    expect(codeOf(() => decompress(bomb, compressor.encoding))).toBe('PAYLOAD_TOO_LARGE')
  })

  it('takes exactly as much as the bound allows', async () => {
    const compressor = await openCompressor({ algorithm }, MOST)
    const made = compressor.compress(new Uint8Array(10_000))!
    expect(decompress(made, compressor.encoding, 10_000)).toHaveLength(10_000)
    expect(codeOf(() => decompress(made, compressor.encoding, 9_999))).toBe('PAYLOAD_TOO_LARGE')
  })

  it('fails with a code for bytes that are damaged', async () => {
    const compressor = await openCompressor({ algorithm }, MOST)
    const made = compressor.compress(new TextEncoder().encode('abc'.repeat(1_000)))!
    const damaged = [
      made.subarray(0, made.length - 5),
      made.map((byte) => byte ^ 0x55),
      new Uint8Array(0),
    ]
    for (const bytes of damaged) {
      expect(codeOf(() => decompress(bytes, compressor.encoding))).toBe('DECODE_FAILED')
    }
  })
})

describe('decompress', () => {
  const body = new TextEncoder().encode('hello')

  it('reads what HTTP allows: names in any case, deflate, identity, two codings one after the other', () => {
    expect(decompress(gzipSync(body), 'GZip')).toEqual(gunzipped(body))
    expect(decompress(gzipSync(body), ' x-gzip ')).toEqual(gunzipped(body))
    expect(decompress(deflateSync(body), 'deflate')).toEqual(gunzipped(body))
    expect(decompress(body, 'identity')).toBe(body)
    expect(decompress(brotliCompressSync(gzipSync(body)), 'gzip, br')).toEqual(gunzipped(body))
  })

  it.each(['snappy', '__proto__', 'gzip, gzip, gzip', '', 'gzip;q=1'])(
    'refuses %j by a code that names it',
    (encoding) => {
      expect(() => decompress(body, encoding)).toThrow(
        expect.objectContaining({ code: 'DECODE_FAILED' }),
      )
      expect(() => decompress(body, encoding)).toThrow(`Content-Encoding: ${encoding}`)
    },
  )

  it('refuses zstd by a code where the runtime has none', () => {
    if (hasZstd) return
    expect(codeOf(() => decompress(body, 'zstd'))).toBe('DECODE_FAILED')
  })
})

describe('a compressor', () => {
  it('is for bodies from its threshold on, and not for those that receivers would refuse', async () => {
    const compressor = await openCompressor({ algorithm: 'gzip' }, DEFAULT_MAX_INFLATED_BYTES)
    expect(
      [1_023, 1_024, DEFAULT_MAX_INFLATED_BYTES].map((n) => compressor.isWorthwhile(n)),
    ).toEqual([false, true, true])
    expect(compressor.isWorthwhile(DEFAULT_MAX_INFLATED_BYTES + 1)).toBe(false)
    const eager = await openCompressor({ algorithm: 'gzip', threshold: 0 }, MOST)
    expect(eager.isWorthwhile(0)).toBe(true)
  })

  it('is refused where the runtime lacks the algorithm', async () => {
    if (hasZstd) return
    await expect(openCompressor({ algorithm: 'zstd' }, MOST)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    })
  })
})

function gunzipped(body: Uint8Array): Buffer {
  return Buffer.from(body)
}
