// An independent reader of what a server sends: written from the protocol's description, slow and plain.

export type ServerOperation =
  | { readonly type: 'INFO'; readonly information: unknown }
  | { readonly type: '+OK' | 'PING' | 'PONG' }
  | { readonly type: '-ERR'; readonly text: string }
  | {
      readonly type: 'MSG' | 'HMSG'
      readonly subject: string
      readonly sid: string
      readonly reply: string | undefined
      /** One character a byte. */
      readonly headers: string
      readonly body: string
    }

/** Reads whole operations; throws for anything that is left over or out of form. */
export function readServerOutput(bytes: Uint8Array): ServerOperation[] {
  const text = Buffer.from(bytes).toString('latin1')
  const operations: ServerOperation[] = []
  let at = 0
  while (at < text.length) {
    const lineEnd = text.indexOf('\r\n', at)
    if (lineEnd < 0) throw new Error(`no line end after ${JSON.stringify(text.slice(at, at + 80))}`)
    const line = text.slice(at, lineEnd)
    at = lineEnd + 2
    const [verb, ...words] = line.split(' ')
    if (verb === 'INFO') {
      operations.push({ type: verb, information: JSON.parse(line.slice(5)) })
    } else if (verb === '-ERR') {
      operations.push({ type: verb, text: /^-ERR '(.*)'$/.exec(line)![1]! })
    } else if (verb === 'MSG' || verb === 'HMSG') {
      const counts = words.splice(verb === 'MSG' ? -1 : -2).map(toCount)
      if (words.length < 2 || words.length > 3) throw new Error(`bad line ${JSON.stringify(line)}`)
      const [subject, sid, reply] = words as [string, string, string?]
      const total = counts.at(-1)!
      const headerBytes = verb === 'MSG' ? 0 : counts[0]!
      const payload = text.slice(at, at + total)
      at += total
      if (text.slice(at, at + 2) !== '\r\n')
        throw new Error(`no CRLF behind ${JSON.stringify(line)}`)
      at += 2
      const headers = payload.slice(0, headerBytes)
      operations.push({
        type: verb,
        subject,
        sid,
        reply,
        headers,
        body: payload.slice(headerBytes),
      })
    } else if (line === '+OK' || line === 'PING' || line === 'PONG') {
      operations.push({ type: line })
    } else throw new Error(`unknown operation ${JSON.stringify(line)}`)
  }
  return operations
}

function toCount(word: string): number {
  if (!/^\d+$/.test(word)) throw new Error(`not a count: ${JSON.stringify(word)}`)
  return Number(word)
}
