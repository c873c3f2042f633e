// Whole numbers as bytes, small ones in few: seven bits a byte, the lowest first, the top bit where more follow. Holds up
// to 2^53, which is why it divides where others shift.
import { FanfareError } from '../../base/index.js'

const LIMIT = 0x80
/** Up to here numbers are shifted as 32-bit integers. */
const SHIFTED = 0x80000000
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export class NumberWriter {
  #bytes = new Uint8Array(64)
  #end = 0

  /** A whole number, not negative. */
  write(value: number): void {
    this.#reserve(8)
    let rest = value
    while (rest >= SHIFTED) {
      this.#bytes[this.#end++] = (rest % LIMIT) + LIMIT
      rest = Math.floor(rest / LIMIT)
    }
    while (rest >= LIMIT) {
      this.#bytes[this.#end++] = (rest & 0x7f) | LIMIT
      rest >>>= 7
    }
    this.#bytes[this.#end++] = rest
  }

  /** A whole number, negative or not. */
  writeSigned(value: number): void {
    this.write(value < 0 ? -value * 2 - 1 : value * 2)
  }

  /** 32 bits that are not a small number. */
  writeWord(word: number): void {
    this.#reserve(4)
    for (let shift = 0; shift < 32; shift += 8) this.#bytes[this.#end++] = word >>> shift
  }

  writeText(text: string): void {
    const bytes = encoder.encode(text)
    this.write(bytes.length)
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /** A copy of what was written since the last call. */
  take(): Uint8Array {
    const bytes = this.#bytes.slice(0, this.#end)
    this.#end = 0
    return bytes
  }

  #reserve(length: number): void {
    if (this.#end + length <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#end + length))
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

export class NumberReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  read(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.#next()
      value += (byte & 0x7f) * scale
      if (byte < LIMIT) return value
      scale *= LIMIT
    }
  }

  readSigned(): number {
    const value = this.read()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** As a signed 32-bit integer. */
  readWord(): number {
    let word = 0
    for (let shift = 0; shift < 32; shift += 8) word |= this.#next() << shift
    return word
  }

  readText(): string {
    const length = this.read()
    const from = this.#at
    if (from + length > this.#bytes.length) throw tooShort()
    this.#at += length
    return decoder.decode(this.#bytes.subarray(from, this.#at))
  }

  #next(): number {
    if (this.#at >= this.#bytes.length) throw tooShort()
    return this.#bytes[this.#at++]!
  }
}

function tooShort(): FanfareError {
  return new FanfareError('LOG_DAMAGED', 'kept state ends too early')
}
