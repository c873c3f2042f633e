// The placeholders of `pub`, `request` and `reply`, as the `nats` command has them.
import { IdentifierSource, systemClock } from '../base/index.js'

const identifiers = new IdentifierSource()

/** Fills `{{Count}}`, `{{Time}}`, `{{Unix}}`, `{{ID}}` and, for replies, `{{Request}}`. */
export function fillTemplate(body: string, count: number, request = ''): string {
  if (!body.includes('{{')) return body
  const nowMs = systemClock.nowMs()
  const values: Readonly<Record<string, string>> = {
    Count: String(count),
    Time: new Date(nowMs).toISOString(),
    Unix: String(Math.floor(nowMs / 1_000)),
    ID: identifiers.next(),
    Request: request,
  }
  return body.replace(/\{\{\s*\.?(\w+)\s*\}\}/g, (whole, name: string) => values[name] ?? whole)
}
