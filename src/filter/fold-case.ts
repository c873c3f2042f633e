// Texts in a form in which upper and lower case are the same: each code point in upper and then in lower case, whatever the
// language and its neighbours. So 'straße' is 'STRASSE', and every sigma is one.

const ASCII = /^[\x00-\x7f]*$/ // eslint-disable-line no-control-regex -- the range of a byte without its top bit

export function foldCase(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase()
  let folded = ''
  for (const character of text)
    for (const upper of character.toUpperCase()) folded += upper.toLowerCase()
  return folded
}
