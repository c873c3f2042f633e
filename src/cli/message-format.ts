// Messages as the command line prints them: for people, and as JSON for programs.
import type { Message } from '../broker/index.js'

export function toText(message: Message, count: number, headersOnly: boolean): string {
  let text = `[#${count}] Received on "${message.topic}"`
  if (message.replyTo !== undefined) text += ` with reply "${message.replyTo}"`
  text += '\n'
  for (const [name, value] of message.headers) text += `${name}: ${value}\n`
  if (headersOnly) return `${text}\n`
  return `${text}${message.headers.size > 0 ? '\n' : ''}${bodyOf(message)}\n\n`
}

export function toJson(message: Message, headersOnly: boolean): string {
  const headers: Record<string, string[]> = {}
  for (const [name, value] of message.headers) (headers[name] ??= []).push(value)
  return JSON.stringify({
    topic: message.topic,
    ...(message.replyTo === undefined ? {} : { reply: message.replyTo }),
    ...(message.headers.size === 0 ? {} : { headers }),
    ...(headersOnly ? { bytes: message.bytes.length } : { data: bodyOf(message) }),
  })
}

/** The body as text; bytes that are no text are shown as replacement characters. */
export function bodyOf(message: Message): string {
  return new TextDecoder().decode(message.bytes)
}
