// MurmurHash3 x86_128 (Austin Appleby, public domain): spreads bytes over 128 bits, so that two ids out of billions do not
// meet by chance. It keeps no secret: whoever wants two ids to collide can make them.

const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

/** Writes the hash of `bytes[from, to)` into the four words of `hash`. */
export function murmurHash(
  bytes: Uint8Array,
  from: number,
  to: number,
  seed: number,
  hash: Int32Array,
): void {
  let h1 = seed | 0
  let h2 = h1
  let h3 = h1
  let h4 = h1
  let at = from
  for (; at + 16 <= to; at += 16) {
    h1 = rotate(h1 ^ mix(wordAt(bytes, at), C1, 15, C2), 19) + h2
    h1 = (Math.imul(h1, 5) + 0x561ccd1b) | 0
    h2 = rotate(h2 ^ mix(wordAt(bytes, at + 4), C2, 16, C3), 17) + h3
    h2 = (Math.imul(h2, 5) + 0x0bcaa747) | 0
    h3 = rotate(h3 ^ mix(wordAt(bytes, at + 8), C3, 17, C4), 15) + h4
    h3 = (Math.imul(h3, 5) + 0x96cd1c35) | 0
    h4 = rotate(h4 ^ mix(wordAt(bytes, at + 12), C4, 18, C1), 13) + h1
    h4 = (Math.imul(h4, 5) + 0x32ac3b17) | 0
  }
  // Of the rest, words that are not there are 0, which mixes to 0.
  const length = to - from
  h1 ^= mix(restAt(bytes, at, to), C1, 15, C2) ^ length
  h2 ^= mix(restAt(bytes, at + 4, to), C2, 16, C3) ^ length
  h3 ^= mix(restAt(bytes, at + 8, to), C3, 17, C4) ^ length
  h4 ^= mix(restAt(bytes, at + 12, to), C4, 18, C1) ^ length

  h1 = (h1 + h2 + h3 + h4) | 0
  h2 = finish(h2 + h1)
  h3 = finish(h3 + h1)
  h4 = finish(h4 + h1)
  h1 = (finish(h1) + h2 + h3 + h4) | 0
  hash[0] = h1
  hash[1] = h2 + h1
  hash[2] = h3 + h1
  hash[3] = h4 + h1
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

/** A word of which bytes from `to` on count as 0. */
function restAt(bytes: Uint8Array, at: number, to: number): number {
  let word = 0
  for (let i = Math.min(to, at + 4) - 1; i >= at; i--) word = (word << 8) | bytes[i]!
  return word
}

function mix(word: number, first: number, bits: number, second: number): number {
  return Math.imul(rotate(Math.imul(word, first), bits), second)
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

function finish(word: number): number {
  let h = word ^ (word >>> 16)
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return h ^ (h >>> 16)
}
