// Randomness, so that tests can replace it, and the identifiers made of it.

export interface Random {
  /** A whole number from 0 to 2^32 - 1. */
  nextUint32(): number
}

/** Fast and seedable (xorshift32): fair picks and jitter, never secrets. */
export class SeededRandom implements Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0 || 0x9e3779b9
  }

  nextUint32(): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x >>> 0
    return this.#state
  }
}

/** From the platform's secure source, drawn 1 KiB at a time. */
class SystemRandom implements Random {
  readonly #pool = new Uint32Array(256)
  #used = 256

  nextUint32(): number {
    if (this.#used === this.#pool.length) {
      globalThis.crypto.getRandomValues(this.#pool)
      this.#used = 0
    }
    return this.#pool[this.#used++]!
  }
}

export const systemRandom: Random = new SystemRandom()

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const PREFIX_LENGTH = 12
const SUFFIX_LENGTH = 10

/**
 * Makes identifiers in the form of NATS's NUIDs: 22 characters of base 62, a random prefix and a counted suffix, so
 * that one costs no randomness. Unique among processes by the prefix (71 bits), unguessable only as far as that.
 */
export class IdentifierSource {
  readonly #prefix: string
  #count: number

  constructor(random: Random = systemRandom) {
    let prefix = ''
    for (let i = 0; i < PREFIX_LENGTH; i++) prefix += ALPHABET[random.nextUint32() % 62]
    this.#prefix = prefix
    this.#count = random.nextUint32()
  }

  next(): string {
    let rest = this.#count++
    let suffix = ''
    for (let i = 0; i < SUFFIX_LENGTH; i++) {
      suffix = ALPHABET[rest % 62]! + suffix
      rest = Math.floor(rest / 62)
    }
    return this.#prefix + suffix
  }
}
