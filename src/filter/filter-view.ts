// What a filter asks of a message. Parts are asked for when a condition speaks of them, the body last.

export interface FilterView {
  readonly topic: string
  /** The CloudEvents type, or the topic. */
  readonly type: string
  readonly key: string | undefined
  /** Values by name, those of `ce-` in lower case; a list where a name came more than once. The object has no prototype. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** False: the body is something else, and no condition on the data holds of it, `exists: false` included. */
  readonly isJson: boolean
  /**
   * The body's value: parsed, or a value that JSON could be made of and that is looked at as JSON would show it. Undefined: there is
   * none. Asked for only where it is JSON.
   */
  readonly data: unknown
}
