// Messages as the command line prints them: for people, and as JSON for programs.
import type { Command } from 'commander'
import type { Message } from '../broker/index.js'

/** What is printed of a message: of one that is received, and of one that a stream keeps. */
export interface PrintedMessage {
  readonly topic: string
  readonly headers: Iterable<readonly [name: string, value: string]>
  readonly bytes: Uint8Array
}

export interface PrintedStoredMessage extends PrintedMessage {
  readonly stream: string
  readonly sequence: number
  readonly time: Date
  /** Of a message that a consumer hands out. */
  readonly attempt?: number
}

/** How messages are printed; everything is off by default. */
export interface MessageFormat {
  readonly headersOnly?: boolean
  /** Bodies only, one a line. */
  readonly raw?: boolean
  readonly json?: boolean
}

export function withMessageFormat(command: Command): Command {
  return command
    .option('--headers-only', 'leave the bodies out')
    .option('-r, --raw', 'bodies only, one a line')
    .option('-j, --json', 'one JSON object a line')
}

export function toText(message: Message, count: number, headersOnly: boolean): string {
  let text = `[#${count}] Received on "${message.topic}"`
  if (message.replyTo !== undefined) text += ` with reply "${message.replyTo}"`
  return `${text}\n${toContentText(message, headersOnly)}\n`
}

export function toJson(message: Message, headersOnly: boolean): string {
  return JSON.stringify({
    topic: message.topic,
    ...(message.replyTo === undefined ? {} : { reply: message.replyTo }),
    ...toContent(message, headersOnly),
  })
}

/** One line of JSON, or a paragraph. */
export function formatStored(message: PrintedStoredMessage, format: MessageFormat): string {
  const { stream, sequence, topic, time, attempt } = message
  const headersOnly = format.headersOnly === true
  if (format.json === true) {
    const place = { stream, sequence, topic, time, ...(attempt === undefined ? {} : { attempt }) }
    return `${JSON.stringify({ ...place, ...toContent(message, headersOnly) })}\n`
  }
  if (format.raw === true) return `${bodyOf(message)}\n`
  const again = attempt === undefined || attempt === 1 ? '' : `, attempt ${attempt}`
  const heading = `[${stream} #${sequence}] "${topic}" at ${time.toISOString()}${again}`
  return `${heading}\n${toContentText(message, headersOnly)}\n`
}

/** Headers and body, for people. */
export function toContentText(message: PrintedMessage, headersOnly: boolean): string {
  const headers = [...message.headers].map(([name, value]) => `${name}: ${value}\n`).join('')
  if (headersOnly) return headers
  return `${headers}${headers === '' ? '' : '\n'}${bodyOf(message)}\n`
}

/** Headers and body, for programs. */
export function toContent(message: PrintedMessage, headersOnly: boolean): object {
  const headers: Record<string, string[]> = {}
  for (const [name, value] of message.headers) (headers[name] ??= []).push(value)
  return {
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(headersOnly ? { bytes: message.bytes.length } : { data: bodyOf(message) }),
  }
}

/** The body as text; bytes that are no text are shown as replacement characters. */
export function bodyOf(message: Pick<PrintedMessage, 'bytes'>): string {
  return new TextDecoder().decode(message.bytes)
}
