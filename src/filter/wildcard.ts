// Texts with stars: cut at the stars once, then found piece by piece, each at its first place behind the one before. No
// pattern makes this walk back.

/** The literal pieces between the stars: one more than there are stars. */
export type Wildcard = readonly string[]

/** The pieces, or what is wrong with the text. */
export function readWildcard(
  text: string,
): { readonly pieces: Wildcard } | { readonly fault: string } {
  const pieces = ['']
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!
    if (character === '*') {
      if (text[i + 1] === '*') return { fault: 'two stars in a row: one says the same' }
      pieces.push('')
    } else if (character !== '\\') pieces[pieces.length - 1] += character
    else {
      const escaped = text[++i]
      if (escaped !== '*' && escaped !== '\\') {
        return { fault: "a backslash stands before '*' or another backslash" }
      }
      pieces[pieces.length - 1] += escaped
    }
  }
  return { pieces }
}

export function matchesWildcard(pieces: Wildcard, text: string): boolean {
  const first = pieces[0]!
  const last = pieces[pieces.length - 1]!
  if (pieces.length === 1) return text === first
  if (!text.startsWith(first) || !text.endsWith(last)) return false
  const end = text.length - last.length
  let at = first.length
  for (let i = 1; i < pieces.length - 1; i++) {
    const found = text.indexOf(pieces[i]!, at)
    if (found < 0) return false
    at = found + pieces[i]!.length
  }
  return at <= end
}
