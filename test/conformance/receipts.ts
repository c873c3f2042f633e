// What became of durable publishes, one by one, however the engine cuts its receipts into ranges.
import type { FanfareError } from '../../src/base/index.js'
import type { ReceiptSink, Stream } from '../../src/engine/index.js'
import { Arrivals } from './stage.js'

export type Outcome =
  | { readonly kind: 'committed'; readonly stream: string; readonly sequence: number }
  | { readonly kind: 'duplicate'; readonly stream: string; readonly sequence: number }
  | { readonly kind: 'refused'; readonly error: FanfareError }

export interface Receipt {
  readonly token: number
  readonly outcome: Outcome
}

export class Receipts extends Arrivals<Receipt> implements ReceiptSink {
  readonly #during: ((receipt: Receipt) => void) | undefined

  constructor(during?: (receipt: Receipt) => void) {
    super()
    this.#during = during
  }

  committed(stream: Stream, token: number, sequence: number, count: number): void {
    for (let i = 0; i < count; i++) {
      this.#tell(token + i, { kind: 'committed', stream: stream.name, sequence: sequence + i })
    }
  }

  duplicate(stream: Stream, token: number, sequence: number): void {
    this.#tell(token, { kind: 'duplicate', stream: stream.name, sequence })
  }

  refused(token: number, count: number, error: FanfareError): void {
    for (let i = 0; i < count; i++) this.#tell(token + i, { kind: 'refused', error })
  }

  /** The outcome of a message, once there is one. */
  async of(token: number): Promise<Outcome> {
    const look = () => this.items.find((receipt) => receipt.token === token)
    await this.until(() => look() !== undefined, `one for message ${token}`)
    return look()!.outcome
  }

  get tokens(): number[] {
    return this.items.map(({ token }) => token)
  }

  /** The sequences in the order of the receipts, refusals left out. */
  get sequences(): number[] {
    return this.items.flatMap(({ outcome }) =>
      outcome.kind === 'refused' ? [] : [outcome.sequence],
    )
  }

  /** 'committed', 'duplicate' or the code of the refusal, in the order in which they came. */
  get verdicts(): string[] {
    return this.items.map(({ outcome }) => describeOutcome(outcome))
  }

  #tell(token: number, outcome: Outcome): void {
    const receipt = { token, outcome }
    this.add(receipt)
    this.#during?.(receipt)
  }
}

/** 'committed', 'duplicate' or the code of the refusal. */
export function describeOutcome(outcome: Outcome): string {
  return outcome.kind === 'refused' ? outcome.error.code : outcome.kind
}
