// What a consumer does with messages that were given up: writes them as dead letters in the commit that settles them, in
// order. While that cannot be done they stay unsettled, and it is tried again.
import { FanfareError, type Alarm } from '../base/index.js'
import type { ConsumerLedger, LedgerFailure } from '../delivery/ledger/index.js'
import type { BytesMessage, ConsumerSettings, StoredMessage } from '../engine/index.js'
import type { TopicHandle } from '../topic/index.js'
import type { ConsumerHome } from './consumer-home.js'
import { deadLetterTopic, writeDeadLetter } from './dead-letter-box.js'
import type { StreamSite } from './stream-site.js'

const RETRY_MS = 1_000

/** Letters written in one commit. */
const MOST_AT_ONCE = 128

/** The consumer's side. */
export interface DeskOwner {
  settings(): ConsumerSettings
  ledger(): ConsumerLedger
  read(id: number): Promise<StoredMessage | undefined>
  /** Writes what changed in the ledger, with the unit at hand. */
  note(): void
  /** Settles it with the unit at hand. */
  bury(failure: LedgerFailure): void
  /** The unit could not be committed. */
  unbury(failure: LedgerFailure): void
  /** The message is settled and its letter committed. */
  settled(failure: LedgerFailure): void
  /** Something became possible. */
  changed(): void
}

/** A failure as it will be kept; without a message when the stream has let it go meanwhile. */
interface Letter {
  readonly failure: LedgerFailure
  readonly topic: string
  readonly sequence: number
  readonly address: TopicHandle
  readonly message: BytesMessage | undefined
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
    while (!this.#isClosed && this.#owner.ledger().failed > 0) {
      const batch = [...take(this.#owner.ledger().failures(), MOST_AT_ONCE)]
      const { deadLetter } = this.#owner.settings()
      if (deadLetter === undefined) this.#drop(batch)
      else await this.#keep(batch, deadLetter.stream)
    }
  }

  /** The consumer has no dead letters: events are all that remains. */
  #drop(batch: readonly LedgerFailure[]): void {
    for (const failure of batch) this.#owner.bury(failure)
    this.#owner.note()
    for (const failure of batch) {
      this.#owner.settled(failure)
      const { id, reason, error } = failure
      const { name: consumer } = this.#owner.settings()
      const stream = this.#home.name
      this.#site.report({ type: 'message-dropped', stream, consumer, sequence: id, reason, error })
    }
  }

  /** Writes the letters of a batch and settles their messages, in one commit; stops at the first that is refused. */
  async #keep(batch: readonly LedgerFailure[], stream: string): Promise<void> {
    const { name: consumer } = this.#owner.settings()
    const box = await this.#site.openDeadLetterBox(this.#home.name, stream, consumer)
    const letters = await this.#makeLetters(batch)
    const ledger = this.#owner.ledger()
    const kept: Letter[] = []
    let refusal: FanfareError | undefined
    const accept = (): void => {
      for (const letter of letters) {
        const { failure, address, message } = letter
        if (!ledger.isFailure(failure.id)) continue
        refusal = message === undefined ? undefined : box.findRefusal(address, message)
        if (refusal !== undefined) break
        if (message !== undefined) box.write(address, message)
        // A letter that failed once more is replaced by its new one.
        if (failure.id < 0) box.settle(-failure.id)
        this.#owner.bury(failure)
        kept.push(letter)
      }
      this.#owner.note()
    }
    // Taken back at once when it cannot be: what is kept of the consumer next must not have it.
    await this.#commit(accept, () => {
      for (const { failure } of kept) this.#owner.unbury(failure)
    })
    for (const letter of kept) this.#tellKept(letter)
    if (refusal !== undefined) throw refusal
  }

  async #makeLetters(batch: readonly LedgerFailure[]): Promise<Letter[]> {
    const { name: consumer } = this.#owner.settings()
    const stream = this.#home.name
    const letters: Letter[] = []
    for (const failure of batch) {
      const original = await this.#owner.read(failure.id)
      const topic = original?.handle.name ?? ''
      const sequence = original?.sequence ?? 0
      const address = this.#site.topic(deadLetterTopic(stream, consumer, topic))
      const { reason, error, deliveryCount: attempts } = failure
      const terms = { stream, consumer, reason, error, attempts }
      const message = original && writeDeadLetter(original, terms, address)
      letters.push({ failure, topic, sequence, address, message })
    }
    return letters
  }

  #tellKept({ failure, topic, sequence, message }: Letter): void {
    this.#owner.settled(failure)
    if (message === undefined) return
    const { reason, error } = failure
    const { name: consumer } = this.#owner.settings()
    const stream = this.#home.name
    this.#site.report({ type: 'dead-lettered', stream, consumer, topic, sequence, reason, error })
  }

  #commit(accept: () => void, takeBack: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#site.store.beginUnit()
      try {
        accept()
      } finally {
        this.#site.store.endUnit((error) => {
          if (error === undefined) return resolve()
          takeBack()
          reject(error)
        })
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

function* take<T>(items: Iterable<T>, most: number): Generator<T> {
  let count = 0
  for (const item of items) {
    if (count++ >= most) return
    yield item
  }
}
