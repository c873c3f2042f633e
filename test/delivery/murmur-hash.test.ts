// The hash against its author's own check and a published vector.
import { describe, expect, it } from 'vitest'
import { murmurHash } from '../../src/delivery/ledger/murmur-hash.js'

function hashBytes(bytes: Uint8Array, seed: number): Uint8Array {
  const words = new Int32Array(4)
  murmurHash(bytes, 0, bytes.length, seed, words)
  const result = new DataView(new ArrayBuffer(16))
  words.forEach((word, i) => result.setInt32(4 * i, word, true))
  return new Uint8Array(result.buffer)
}

describe('murmurHash', () => {
  it("passes SMHasher's verification of MurmurHash3_x86_128", () => {
    const key = Uint8Array.from({ length: 256 }, (_, i) => i)
    const hashes = new Uint8Array(16 * 256)
    for (let i = 0; i < 256; i++) hashes.set(hashBytes(key.subarray(0, i), 256 - i), 16 * i)
    const check = new DataView(hashBytes(hashes, 0).buffer).getUint32(0, true)
    expect(check.toString(16)).toBe('b3ece62a')
  })

  it.each([
    ['', '00000000000000000000000000000000'],
    ['I will not buy this record, it is scratched.', 'a0a9683b25ac5e40d9af2895890dddf5'],
    ["I will not buy this tobacconist's, it is scratched.", '9b5b7ba2ef3f7866889adeaf00f3f98e'],
  ])('gives the published hash of "%s", wherever its bytes lie', (text, published) => {
    const bytes = new TextEncoder().encode(`..${text}.`)
    const words = new Int32Array(4)
    murmurHash(bytes, 2, bytes.length - 1, 0, words)
    const hex = [...words].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
    expect(hex).toBe(published)
  })
})
