// What a life of an engine tells the checker, in order. `ask` is told before the engine is asked, so that nothing can appear
// that was not announced; the rest is told when the engine has promised or shown it.
export type Entry =
  // ---- publishing
  | {
      readonly kind: 'ask-publish'
      readonly number: number
      readonly stream: string
      readonly id?: string
      readonly rollUp?: 'topic'
      readonly expected?: number
      readonly isDelayed?: boolean
      readonly transaction?: number
    }
  | { readonly kind: 'stored'; readonly number: number; readonly sequence: number }
  | { readonly kind: 'duplicate'; readonly number: number; readonly sequence: number }
  | { readonly kind: 'refused'; readonly number: number; readonly code: string }
  // ---- transactions
  | {
      readonly kind: 'ask-transaction'
      readonly transaction: number
      readonly numbers: readonly number[]
      readonly consumer?: string
      readonly acknowledged?: number
    }
  | { readonly kind: 'transaction-done'; readonly transaction: number }
  | { readonly kind: 'transaction-refused'; readonly transaction: number; readonly code: string }
  // ---- removal
  | {
      readonly kind: 'ask-removal'
      readonly removal: number
      readonly stream: string
      /** Sequences below this. */
      readonly before: number
      /** Only this sequence. */
      readonly only?: number
      readonly topic?: string
    }
  | { readonly kind: 'removed'; readonly removal: number }
  /** It may hold all the same, until the directory is opened again. */
  | { readonly kind: 'removal-refused'; readonly removal: number }
  // ---- streams
  | { readonly kind: 'ask-create'; readonly stream: string }
  | { readonly kind: 'created'; readonly stream: string }
  | { readonly kind: 'ask-delete'; readonly stream: string }
  | { readonly kind: 'deleted'; readonly stream: string }
  // ---- consuming
  | {
      readonly kind: 'handed-out'
      readonly consumer: string
      readonly number: number
      readonly sequence: number
      readonly token: number
      readonly deliveryCount: number
    }
  | {
      readonly kind: 'ask-verdict'
      readonly consumer: string
      readonly number: number
      readonly verdict: Verdict
    }
  /** An acknowledgement that was asked to be safe, is. */
  | { readonly kind: 'settled'; readonly consumer: string; readonly number: number }
  /** The wait of a hand-out is over. */
  | { readonly kind: 'expired'; readonly consumer: string; readonly number: number }
  /** The member left: nothing of it is in flight. */
  | { readonly kind: 'left'; readonly consumer: string }
  | { readonly kind: 'dead-lettered'; readonly consumer: string; readonly sequence: number }
  // ---- what was found
  | {
      readonly kind: 'found-stream'
      readonly stream: string
      readonly sequences: readonly number[]
      /** In step with the sequences; 0: its bytes are not what was published. */
      readonly numbers: readonly number[]
      readonly topics: readonly number[]
      readonly lastSequence: number
    }
  | {
      readonly kind: 'found-letters'
      readonly stream: string
      readonly letters: readonly {
        readonly consumer: string
        readonly number: number
        readonly sequence: number
        readonly reason: string
      }[]
    }
  | { readonly kind: 'found-consumer'; readonly consumer: string; readonly lastToken: number }
  | { readonly kind: 'finding'; readonly text: string }
  /** All that is there has been told. */
  | { readonly kind: 'inventory-done' }
  | { readonly kind: 'working' }
  /** Something that must never be happened. */
  | { readonly kind: 'fault'; readonly text: string }

export type Verdict = 'acknowledge' | 'acknowledge-safely' | 'release' | 'retry' | 'reject'

/** Takes the entries of a life. */
export interface Diary {
  write(entry: Entry): void
  /** Returns when what was written is with the checker; called before anything can come of what was asked. */
  flush(): void
}
