// The values of CloudEvents attributes as NATS headers carry them (binding 1.0.3, section 3.1.3.2).

/** Text that stands for itself. */
const PLAIN = /^[\x21\x23\x24\x26-\x7e]*$/

/** Half of a pair, which has no bytes; written as the replacement character, as TextEncoder does. */
const LONE_SURROGATE = /\p{Surrogate}/gu

/** Percent-encodes space, `"`, `%` and everything outside U+0021 to U+007E. */
export function encodeAttribute(value: string): string {
  if (PLAIN.test(value)) return value
  const wellFormed = value.replace(LONE_SURROGATE, '\ufffd')
  return wellFormed.replace(/[^\x21\x23\x24\x26-\x7e]+/g, encodeURIComponent)
}

/**
 * Takes quotes off, then undoes percent-encoding. A value that is not well-formed stands for itself: there are publishers that
 * do not encode, and a message is not lost for it.
 */
export function decodeAttribute(value: string): string {
  const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"')
  const text = isQuoted ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
