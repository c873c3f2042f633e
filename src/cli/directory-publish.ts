// `fanfare pub --directory`: stores messages in the streams of a data directory, and prints their receipts.
import { FanfareError } from '../base/index.js'
import type { Broker, PublishOptions, Receipt } from '../broker/index.js'
import { print } from './output.js'

export interface DurableFlags {
  readonly ttl?: number
  readonly delay?: number
  readonly expectLastSequence?: number
}

/** Publishes that wait for their receipts at a time. */
const MOST_WAITING = 1_000

/** What `pub` needs of where it publishes to. */
export interface Outlet {
  /** Resolves when it may go on. */
  send(topic: string, body: string, options: PublishOptions): Promise<void>
  /** Resolves when everything is where it goes. */
  end(): Promise<void>
}

/** Prints receipts in the order of the messages. */
export class ReceiptPrinter implements Outlet {
  readonly #broker: Broker
  readonly #format: { readonly json: boolean; readonly quiet: boolean }
  #waiting: Promise<Receipt>[] = []

  constructor(broker: Broker, format: { readonly json: boolean; readonly quiet: boolean }) {
    this.#broker = broker
    this.#format = format
  }

  async send(topic: string, body: string, options: PublishOptions): Promise<void> {
    const receipt = this.#broker.publish(topic, body, options)
    // Its failure is met by `end`; until then it is not unhandled.
    receipt.catch(() => undefined)
    this.#waiting.push(receipt)
    if (this.#waiting.length >= MOST_WAITING) await this.end()
  }

  async end(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    for (const receipt of waiting) this.#print(await this.#settled(receipt))
  }

  async #settled(receipt: Promise<Receipt>): Promise<Receipt> {
    try {
      return await receipt
    } catch (error) {
      if (!FanfareError.is(error) || error.code !== 'NO_STREAM') throw error
      const { topic } = error.details
      throw new FanfareError(
        'NO_STREAM',
        `no stream captures '${String(topic)}'; make one: fanfare stream add NAME '${String(topic)}' --directory …`,
        { details: error.details, cause: error },
      )
    }
  }

  #print(receipt: Receipt): void {
    if (this.#format.quiet) return
    const { stream, sequence, isDuplicate, durability } = receipt
    if (this.#format.json) print(`${JSON.stringify(receipt)}\n`)
    else if (isDuplicate) print(`Stored before in ${stream} as #${sequence} (duplicate)\n`)
    else print(`Stored in ${stream} as #${sequence} (${durability})\n`)
  }
}

export function toPublishOptions({ ttl, delay, expectLastSequence }: DurableFlags): PublishOptions {
  return {
    ...(ttl === undefined ? {} : { ttl }),
    ...(delay === undefined ? {} : { delay }),
    ...(expectLastSequence === undefined ? {} : { expect: { lastSequence: expectLastSequence } }),
  }
}
