// Publishes to one stream that wait for their commit, oldest first. Neighbours of one sink are kept as one run, so that a commit
// of ten thousand messages is one call.
import type { FanfareError } from '../base/index.js'
import type { ReceiptSink, Stream } from '../engine/index.js'

interface Run {
  readonly sink: ReceiptSink
  token: number
  sequence: number
  count: number
  readonly isDuplicate: boolean
}

export class Receipts {
  readonly #stream: Stream
  readonly #sinkFailed: (error: unknown) => void
  #runs: Run[] = []
  #head = 0

  /** `sinkFailed` is told what a sink throws; it harms no other. */
  constructor(stream: Stream, sinkFailed: (error: unknown) => void) {
    this.#stream = stream
    this.#sinkFailed = sinkFailed
  }

  get isEmpty(): boolean {
    return this.#head === this.#runs.length
  }

  accepted(sink: ReceiptSink, token: number, sequence: number): void {
    const last = this.isEmpty ? undefined : this.#runs[this.#runs.length - 1]
    if (
      last?.sink === sink &&
      !last.isDuplicate &&
      last.token + last.count === token &&
      last.sequence + last.count === sequence
    ) {
      last.count += 1
      return
    }
    this.#runs.push({ sink, token, sequence, count: 1, isDuplicate: false })
  }

  /** The id of message `token` was accepted before, as `sequence`, which may itself still wait. */
  duplicated(sink: ReceiptSink, token: number, sequence: number): void {
    this.#runs.push({ sink, token, sequence, count: 1, isDuplicate: true })
  }

  /** Everything up to `through` is committed. */
  committed(through: number): void {
    while (!this.isEmpty) {
      const run = this.#runs[this.#head]!
      if (run.sequence > through) break
      const count = Math.min(run.count, through - run.sequence + 1)
      const { sink, token, sequence } = run
      if (count === run.count) this.#head += 1
      else {
        run.token += count
        run.sequence += count
        run.count -= count
      }
      this.#tell(() => {
        if (run.isDuplicate) sink.duplicate(this.#stream, token, sequence)
        else sink.committed(this.#stream, token, sequence, count)
      })
    }
    this.#shrink()
  }

  /** Everything from `from` on is lost. */
  failed(from: number, error: FanfareError): void {
    const waiting = this.#runs.slice(this.#head)
    this.#runs = []
    this.#head = 0
    const lost: Run[] = []
    for (const run of waiting) {
      const kept = Math.max(0, Math.min(run.count, from - run.sequence))
      if (kept > 0) this.#runs.push({ ...run, count: kept })
      if (kept < run.count) {
        lost.push({ ...run, token: run.token + kept, count: run.count - kept })
      }
    }
    for (const run of lost) this.#tell(() => run.sink.refused(run.token, run.count, error))
  }

  #tell(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#sinkFailed(error)
    }
  }

  #shrink(): void {
    if (this.#head === this.#runs.length) {
      this.#runs.length = 0
      this.#head = 0
    } else if (this.#head > 1_024) {
      this.#runs.splice(0, this.#head)
      this.#head = 0
    }
  }
}
