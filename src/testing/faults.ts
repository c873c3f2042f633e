// The faults that a test arms: each waits for so many occasions, meets them, and is over.
import { FanfareError, toMilliseconds, type Duration } from '../base/index.js'
import { assertPattern, matchesPattern } from '../topic/index.js'

export interface FaultOptions {
  /** How many occasions it meets; default 1. */
  readonly times?: number
}

/** What becomes of one publish. */
export type PublishFate =
  | { readonly type: 'lose' | 'duplicate' | 'lose-receipt' }
  | { readonly type: 'delay'; readonly durationMs: number }
  | { readonly type: 'refuse'; readonly error: FanfareError }

interface Armed<F> {
  readonly fate: F
  readonly isMet: (name: string) => boolean
  remaining: number
}

export class Faults {
  #publishes: Armed<PublishFate>[] = []
  #acknowledgements: Armed<'lose'>[] = []

  /**
   * The next message on a topic of `pattern` gets lost on its way: as if it had not been published, though the publisher is told
   * that it was. For live messages, which are delivered at most once; a durable one stays without a receipt.
   */
  lose(pattern: string, options?: FaultOptions): void {
    this.#armPublish(pattern, { type: 'lose' }, options)
  }

  /** The next message is published twice, as by a publisher that tries again because it saw no receipt. */
  duplicate(pattern: string, options?: FaultOptions): void {
    this.#armPublish(pattern, { type: 'duplicate' }, options)
  }

  /** The next message is stored, and its receipt gets lost: `publish` rejects with TIMEOUT when its time has passed. */
  loseReceipt(pattern: string, options?: FaultOptions): void {
    this.#armPublish(pattern, { type: 'lose-receipt' }, options)
  }

  /** The next message is on its way for `duration` of the broker's clock; others overtake it. */
  delay(pattern: string, duration: Duration, options?: FaultOptions): void {
    this.#armPublish(pattern, { type: 'delay', durationMs: toMilliseconds(duration) }, options)
  }

  /** The next durable publish is refused with `error`; default: TIMEOUT, retryable. */
  refuse(pattern: string, error?: FanfareError, options?: FaultOptions): void {
    this.#armPublish(pattern, { type: 'refuse', error: error ?? refusedByTest(pattern) }, options)
  }

  /**
   * The next acknowledgement of a consumer gets lost: the handler has done its work, and the message is handed out again when its
   * acknowledgement wait is over. That of exactly-once processing cannot get lost, as it is part of its transaction.
   */
  loseAcknowledgement(consumer: string, options?: FaultOptions): void {
    const isMet = (name: string): boolean => name === consumer
    this.#acknowledgements.push({ fate: 'lose', isMet, remaining: timesOf(options) })
  }

  /** Forgets the faults that have not happened. */
  clear(): void {
    this.#publishes = []
    this.#acknowledgements = []
  }

  /** @internal */
  ofPublish(topic: string): PublishFate | undefined {
    return meet(this.#publishes, topic)
  }

  /** @internal */
  losesAcknowledgement(consumer: string): boolean {
    return meet(this.#acknowledgements, consumer) !== undefined
  }

  #armPublish(pattern: string, fate: PublishFate, options: FaultOptions | undefined): void {
    assertPattern(pattern)
    const isMet = (topic: string): boolean => matchesPattern(pattern, topic)
    this.#publishes.push({ fate, isMet, remaining: timesOf(options) })
  }
}

function meet<F>(armed: Armed<F>[], name: string): F | undefined {
  const index = armed.findIndex(({ isMet }) => isMet(name))
  const found = armed[index]
  if (found === undefined) return undefined
  found.remaining -= 1
  if (found.remaining === 0) armed.splice(index, 1)
  return found.fate
}

function timesOf({ times = 1 }: FaultOptions = {}): number {
  if (Number.isInteger(times) && times >= 1) return times
  throw new FanfareError('OPTION_INVALID', `times must be a whole number from 1, not ${times}`, {
    details: { option: 'times', value: times },
  })
}

function refusedByTest(pattern: string): FanfareError {
  return new FanfareError('TIMEOUT', `a publish to ${pattern} was refused by the test`, {
    retryable: true,
  })
}
