// What an engine can do, declared by the engine itself: the conformance suite selects its cases by it, and callers ask
// it before they promise anything.

export interface Capabilities {
  /** A name for messages and reports: 'embedded', 'cluster'. */
  readonly engine: string
  /** Messages stay inside this process, so a published value reaches a receiver without being encoded. */
  readonly inProcess: boolean
  /** `publish` tells how many receivers it reached. */
  readonly countsReceivers: boolean
  /** `hasInterest` has an answer. */
  readonly knowsInterest: boolean
  /** A filter is asked before it is a group member's turn; otherwise after, and members of a group must not filter. */
  readonly filtersGroups: boolean
  /** Largest headers plus body in bytes that the engine takes now. */
  readonly maxPayloadBytes: number
}
