// Generators of topics and patterns over a small alphabet, where collisions are likely, and what matching means, written
// as naively as it can be.
import fc from 'fast-check'

const tokens = ['a', 'b', 'c'] as const
const most = 4

export const topics: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...tokens), { minLength: 1, maxLength: most })
  .map((parts) => parts.join('.'))

export const patterns: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(fc.constantFrom(...tokens, '*'), { maxLength: most - 1 }),
    fc.constantFrom(...tokens, '*', '>'),
  )
  .map(([parts, last]) => [...parts, last].join('.'))

/** Every topic over the alphabet of up to `longest` tokens. */
export function everyTopic(longest: number): string[] {
  const found: string[] = []
  const grow = (parts: readonly string[]): void => {
    if (parts.length > 0) found.push(parts.join('.'))
    if (parts.length < longest) for (const token of tokens) grow([...parts, token])
  }
  grow([])
  return found
}

/** A pattern as a regular expression. */
export function naivelyMatches(pattern: string, topic: string): boolean {
  const source = pattern
    .split('.')
    .map((token) => (token === '*' ? '[^.]+' : token === '>' ? '.+' : token))
    .join('\\.')
  return new RegExp(`^${source}$`).test(topic)
}
