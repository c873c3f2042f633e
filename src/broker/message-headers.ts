// The headers of a message: names keep their case (ADR-4) and may come more than once; our own `ce-` names are found in
// any case, as the CloudEvents binding for NATS asks.
import { FanfareError } from '../base/index.js'
import { assertHeaderField } from '../wire/index.js'

export type HeadersInput =
  Readonly<Record<string, string | readonly string[]>> | Iterable<readonly [string, string]>

export class MessageHeaders implements Iterable<readonly [name: string, value: string]> {
  static readonly none = new MessageHeaders([])
  readonly #fields: readonly (readonly [string, string])[]

  constructor(fields: readonly (readonly [string, string])[]) {
    this.#fields = fields
  }

  /** Throws HEADER_INVALID for what could not travel: names and values are checked here, for every engine alike. */
  static from(input: HeadersInput | undefined): MessageHeaders {
    if (input === undefined) return MessageHeaders.none
    if (typeof input !== 'object' || input === null) throw invalidHeaders(input)
    if (Symbol.iterator in input) {
      return new MessageHeaders([...(input as Iterable<readonly [string, string]>)].map(toField))
    }
    const fields: (readonly [string, string])[] = []
    for (const [name, value] of Object.entries(input)) {
      for (const single of Array.isArray(value) ? (value as string[]) : [value as string]) {
        fields.push(toField([name, single]))
      }
    }
    return new MessageHeaders(fields)
  }

  get size(): number {
    return this.#fields.length
  }

  /** The first value of exactly this name. */
  get(name: string): string | undefined {
    return this.#fields.find(([candidate]) => candidate === name)?.[1]
  }

  /** Every value of exactly this name, in order. */
  getAll(name: string): string[] {
    return this.#fields.filter(([candidate]) => candidate === name).map(([, value]) => value)
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  /** The first value of a name in any case. */
  find(name: string): string | undefined {
    const wanted = name.toLowerCase()
    return this.#fields.find(([candidate]) => candidate.toLowerCase() === wanted)?.[1]
  }

  [Symbol.iterator](): Iterator<readonly [string, string]> {
    return this.#fields[Symbol.iterator]()
  }
}

function toField(field: readonly [string, string]): readonly [string, string] {
  if (!Array.isArray(field)) throw invalidHeaders(field)
  const [name, value] = field as readonly [string, string]
  assertHeaderField(name, value)
  return [name, value]
}

function invalidHeaders(input: unknown): FanfareError {
  return new FanfareError(
    'HEADER_INVALID',
    `headers must be an object or pairs of name and value, not ${String(input)}`,
  )
}
