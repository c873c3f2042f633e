// What a consumer does with messages that were given up: writes each as a dead letter in the commit that settles it, one
// after the other. While that cannot be done the message stays unsettled, and it is tried again.
import { FanfareError, type Alarm } from '../base/index.js'
import type { ConsumerLedger } from '../delivery/index.js'
import type { ConsumerSettings, DeadLetterReason, StoredMessage } from '../engine/index.js'
import type { ConsumerHome } from './consumer-home.js'
import { deadLetterTopic, writeDeadLetter } from './dead-letter-box.js'
import type { StreamSite } from './stream-site.js'

const RETRY_MS = 1_000

/** The consumer's side. */
export interface DeskOwner {
  settings(): ConsumerSettings
  ledger(): ConsumerLedger
  read(id: number): Promise<StoredMessage | undefined>
  /** Writes what changed in the ledger, with the unit at hand. */
  note(): void
  /** The message is settled and its letter committed. */
  settled(id: number): void
  /** Something became possible. */
  changed(): void
}

interface GivenUp {
  readonly id: number
  readonly deliveryCount: number
  readonly reason: DeadLetterReason
  readonly error: string
}

export class DeadLetterDesk {
  readonly #site: StreamSite
  readonly #home: ConsumerHome
  readonly #owner: DeskOwner
  #alarm: Alarm | undefined
  #isWorking = false
  #isClosed = false
  #lastTold: string | undefined

  constructor(site: StreamSite, home: ConsumerHome, owner: DeskOwner) {
    this.#site = site
    this.#home = home
    this.#owner = owner
  }

  /** Messages that wait to become dead letters. */
  get waiting(): number {
    return this.#owner.ledger().failed
  }

  /** Begins to write what was given up, unless it is at it or waits to try again. */
  work(): void {
    if (this.#isWorking || this.#isClosed || this.#alarm !== undefined) return
    if (this.#owner.ledger().failed === 0) return
    this.#isWorking = true
    this.#writeAll().then(
      () => this.#finish(),
      (error: unknown) => this.#tryAgain(toFanfareError(error), 0),
    )
  }

  close(): void {
    this.#isClosed = true
    this.#site.alarms.cancel(this.#alarm)
  }

  #finish(): void {
    this.#isWorking = false
    this.#lastTold = undefined
    this.#owner.changed()
  }

  async #writeAll(): Promise<void> {
    for (;;) {
      const [next] = this.#owner.ledger().failures()
      if (next === undefined || this.#isClosed) return
      await this.#write(next)
    }
  }

  async #write(failure: GivenUp): Promise<void> {
    const { id } = failure
    const message = await this.#owner.read(id)
    const ledger = this.#owner.ledger()
    if (message === undefined) {
      ledger.forget(id)
      this.#owner.note()
      return
    }
    const { deadLetter } = this.#owner.settings()
    if (deadLetter === undefined) this.#drop(failure)
    else await this.#keep(failure, message, deadLetter.stream)
    this.#owner.settled(id)
  }

  /** The consumer has no dead letters: an event is all that remains. */
  #drop({ id, reason, error }: GivenUp): void {
    this.#owner.ledger().bury(id)
    this.#owner.note()
    this.#site.report({
      type: 'message-dropped',
      stream: this.#home.name,
      consumer: this.#owner.settings().name,
      sequence: id,
      reason,
      error,
    })
  }

  async #keep(failure: GivenUp, message: StoredMessage, stream: string): Promise<void> {
    const box = await this.#site.openDeadLetterBox(this.#home.name, stream)
    const consumer = this.#owner.settings().name
    const { reason, error, deliveryCount: attempts, id } = failure
    const topic = message.handle.name
    const address = this.#site.topic(deadLetterTopic(this.#home.name, consumer, topic))
    const terms = { stream: this.#home.name, consumer, reason, error, attempts }
    const letter = writeDeadLetter(message, terms, address)
    const refusal = box.findRefusal(address, letter)
    if (refusal !== undefined) throw refusal
    await this.#commit(() => {
      box.write(address, letter)
      // A letter that failed once more is replaced by its new one.
      if (id < 0) box.settle(-id)
      this.#owner.ledger().bury(id)
      this.#owner.note()
    })
    const { sequence } = message
    this.#site.report({
      type: 'dead-lettered',
      stream: this.#home.name,
      consumer,
      topic,
      sequence,
      reason,
      error,
    })
  }

  #commit(accept: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#site.store.beginUnit()
      try {
        accept()
      } finally {
        this.#site.store.endUnit((error) => (error ? reject(error) : resolve()))
      }
    })
  }

  #tryAgain(error: FanfareError, sequence: number): void {
    this.#isWorking = false
    if (this.#isClosed) return
    this.#alarm = this.#site.alarms.set(RETRY_MS, () => {
      this.#alarm = undefined
      this.work()
    })
    if (this.#lastTold === error.code) return
    this.#lastTold = error.code
    const consumer = this.#owner.settings().name
    this.#site.report({
      type: 'dead-letter-failed',
      stream: this.#home.name,
      consumer,
      sequence,
      error,
    })
  }
}

function toFanfareError(error: unknown): FanfareError {
  if (FanfareError.is(error)) return error
  return new FanfareError('DEAD_LETTER_FAILED', 'a dead letter could not be written', {
    cause: error,
  })
}
