// What a filter asks of a message. Parts are asked for when a condition speaks of them, the body last.

/** The answer for a body that is no JSON: no condition on the data holds of it, `exists: false` included. */
export const NOT_JSON: unique symbol = Symbol('not JSON')

export interface FilterView {
  readonly topic: string
  /** The CloudEvents type, or the topic. */
  readonly type: string
  readonly key: string | undefined
  /** Values by name, those of `ce-` in lower case; a list where a name came more than once. The object has no prototype. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /**
   * The body's value as JSON has it: parsed, or a value that JSON could be made of and that is looked at as JSON would show it.
   * Undefined: there is none. NOT_JSON: it is something else.
   */
  readonly data: unknown
}
