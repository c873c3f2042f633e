// The words of a protocol line: where they lie, what number they spell.

const SPACE = 0x20
const TAB = 0x09
const CR = 0x0d

/** Nine digits, as nats-server: more cannot be a size that anybody means. */
const MOST_DIGITS = 9

/**
 * Positions of the words in `bytes[from, to)`: start and end of the first, of the second, … In SUB and UNSUB a CR between
 * words is a gap too (nats-server: splitArg).
 */
export function splitWords(bytes: Uint8Array, from: number, to: number, crIsGap = false): number[] {
  const words: number[] = []
  let start = -1
  for (let i = from; i < to; i++) {
    const byte = bytes[i]
    const isGap = byte === SPACE || byte === TAB || (crIsGap && byte === CR)
    if (isGap && start >= 0) {
      words.push(start, i)
      start = -1
    } else if (!isGap && start < 0) start = i
  }
  if (start >= 0) words.push(start, to)
  return words
}

/** The decimal number in `bytes[from, to)`, or -1 when it is none or has more than nine digits. */
export function readCount(bytes: Uint8Array, from: number, to: number): number {
  if (to <= from || to - from > MOST_DIGITS) return -1
  let count = 0
  for (let i = from; i < to; i++) {
    const digit = bytes[i]! - 0x30
    if (digit < 0 || digit > 9) return -1
    count = count * 10 + digit
  }
  return count
}
