// The value tree of a configuration: what was written, and where. Numbers are whole (`integer`) or not (`float`), because
// nats-server tells them apart and so must whoever reads a setting.

/** Where something was written. */
export interface Place {
  readonly file: string
  /** Counted from 1. */
  readonly line: number
}

export type Content =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'integer'; readonly number: number }
  | { readonly kind: 'float'; readonly number: number }
  | { readonly kind: 'boolean'; readonly isTrue: boolean }
  | { readonly kind: 'datetime'; readonly date: Date }
  | { readonly kind: 'array'; readonly elements: readonly ConfigurationValue[] }
  | { readonly kind: 'block'; readonly settings: Block }

export interface ConfigurationValue {
  readonly place: Place
  readonly content: Content
}

/** One key with its value. Keys keep their case: variables are told apart by it. */
export interface Setting extends ConfigurationValue {
  readonly key: string
  /** Where the value starts; `place` is where the key is. */
  readonly valuePlace: Place
  /** Whether a `$key` refers to it, and the key may therefore be one that nobody else knows. */
  isVariable: boolean
  /** The setting of the same key that this one replaced. */
  readonly replaced: Place | undefined
}

/** In the order in which they were written. */
export type Block = ReadonlyMap<string, Setting>
