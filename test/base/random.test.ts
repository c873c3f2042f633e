// Randomness that a test can replace, and the identifiers made of it.
import { describe, expect, it } from 'vitest'
import { IdentifierSource, SeededRandom, systemRandom } from '../../src/base/index.js'

describe('SeededRandom', () => {
  it('gives the same numbers for the same seed, within 32 bits, also for seed 0', () => {
    for (const seed of [0, 1, 0xffffffff]) {
      const [first, second] = [new SeededRandom(seed), new SeededRandom(seed)]
      const numbers = Array.from({ length: 100 }, () => first.nextUint32())
      expect(Array.from({ length: 100 }, () => second.nextUint32())).toEqual(numbers)
      expect(new Set(numbers).size).toBe(100)
      for (const number of numbers) {
        expect(Number.isInteger(number) && number >= 0 && number < 2 ** 32).toBe(true)
      }
    }
  })
})

describe('IdentifierSource', () => {
  it('makes 22 characters of base 62, never the same twice, with a prefix of its own', () => {
    const [first, second] = [new IdentifierSource(), new IdentifierSource(systemRandom)]
    const made = Array.from({ length: 5_000 }, () => [first.next(), second.next()]).flat()
    expect(new Set(made).size).toBe(10_000)
    for (const identifier of made) expect(identifier).toMatch(/^[0-9A-Za-z]{22}$/)
    expect(new Set(made.map((identifier) => identifier.slice(0, 12))).size).toBe(2)
  })

  it('is made of the randomness that it is given', () => {
    const [first, second] = [7, 7].map((seed) => new IdentifierSource(new SeededRandom(seed)))
    expect(first!.next()).toBe(second!.next())
  })
})
