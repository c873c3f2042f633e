// A connection that the test is the other end of: it keeps what is written, and takes it when told to. What was handed
// over is compared again when it is taken: it must stay untouched until then.
import type { Connection } from '../../src/server/connection.js'

interface Write {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
  readonly copy: Uint8Array
  readonly taken: () => void
}

export class FakeConnection implements Connection {
  readonly remoteAddress = '127.0.0.1'
  readonly remotePort = 1
  isPaused = false
  hasEnded = false
  isDestroyed = false
  readonly #waiting: Write[] = []
  readonly #sent: Uint8Array[] = []

  get bufferedBytes(): number {
    return this.#waiting.reduce((sum, { from, to }) => sum + to - from, 0)
  }

  get waitingWrites(): number {
    return this.#waiting.length
  }

  write(bytes: Uint8Array, from: number, to: number, taken: () => void): void {
    this.#waiting.push({ bytes, from, to, copy: bytes.slice(from, to), taken })
  }

  /** Takes the oldest writes, as an operating system does. */
  take(count = this.#waiting.length): void {
    for (const { bytes, from, to, copy, taken } of this.#waiting.splice(0, count)) {
      if (Buffer.compare(bytes.subarray(from, to), copy) !== 0) {
        throw new Error('bytes changed between write and taken')
      }
      this.#sent.push(copy)
      taken()
    }
  }

  /** Everything that was taken so far. */
  get sent(): Uint8Array {
    return Buffer.concat(this.#sent)
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  end(): void {
    this.hasEnded = true
  }

  destroy(): void {
    this.isDestroyed = true
  }
}
