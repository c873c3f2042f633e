// Takes the messages of a durable consumer one at a time, whatever its options: asks for one, and for the next when the caller
// has done with it, so that nothing is handed out that nobody looks at.
import { systemClock, type FanfareError, type Timer } from '../base/index.js'
import type { Consumer, ConsumerMember, ConsumerReceiver, HandOut } from '../engine/index.js'
import { decodeHeaderBlock } from '../wire/index.js'
import type { PrintedStoredMessage } from './message-format.js'

/** A message that is in hand until it is acknowledged, or the puller leaves. */
export interface PulledMessage extends PrintedStoredMessage {
  readonly token: number
  readonly attempt: number
}

/** Far longer than any process lives. */
const FOR_EVER_MS = 1e12

export class ConsumerPuller implements ConsumerReceiver {
  readonly #consumer: Consumer
  readonly #member: ConsumerMember
  /** Settles the `next` that waits. */
  #settle: ((outcome: PulledMessage | FanfareError | undefined) => void) | undefined

  constructor(consumer: Consumer) {
    this.#consumer = consumer
    this.#member = consumer.join(this)
  }

  /**
   * The next message; undefined when none came in `timeoutMs` (default: no limit), or `signal` was aborted. Rejects when the
   * consumer ends. One call at a time.
   */
  async next(
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<PulledMessage | undefined> {
    const { timeoutMs = FOR_EVER_MS, signal } = options
    if (signal?.aborted === true) return undefined
    let timer: Timer | undefined
    const stop = (): void => this.#settle?.(undefined)
    const outcome = await new Promise<PulledMessage | FanfareError | undefined>((resolve) => {
      this.#settle = resolve
      timer = systemClock.startTimer(timeoutMs, stop, { keepsProcessAlive: true })
      signal?.addEventListener('abort', stop, { once: true })
      this.#member.grant(1)
    })
    this.#settle = undefined
    timer?.cancel()
    signal?.removeEventListener('abort', stop)
    if (outcome === undefined) this.#member.revoke()
    if (outcome instanceof Error) throw outcome
    return outcome
  }

  /** Resolves when the acknowledgement is as safe as the stream. */
  acknowledge({ token }: PulledMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#consumer.acknowledge(token, (error) =>
        error === undefined ? resolve() : reject(error),
      )
    })
  }

  /** Gives back what is in hand. */
  leave(): void {
    this.#member.leave()
  }

  deliver({ message, token, deliveryCount }: HandOut): void {
    // The message is valid during the call only.
    const { handle, headerBlock, body } = message.retain()
    const headers = headerBlock.length === 0 ? [] : decodeHeaderBlock(headerBlock).fields
    const stated = Date.parse(headers.find(([name]) => name.toLowerCase() === 'ce-time')?.[1] ?? '')
    this.#settle?.({
      stream: this.#consumer.streamName,
      sequence: message.sequence,
      topic: handle.name,
      time: new Date(Number.isNaN(stated) ? message.timeMs : stated),
      headers,
      bytes: body,
      token,
      attempt: deliveryCount,
    })
  }

  ended(reason: FanfareError): void {
    this.#settle?.(reason)
  }
}
