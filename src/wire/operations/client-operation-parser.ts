// Reads what clients send, in chunks cut anywhere. Two lanes: whole PUB and HPUB frames are read straight out of the
// chunk, with nothing allocated and nothing copied; everything else, a frame cut by the chunk's end included, goes
// byte by byte through a state machine that gathers one frame, bounded by the limits, in a buffer of its own.
//
// States:  VERB -> (LINE_END | BEFORE_ARGUMENTS -> ARGUMENTS) -> VERB
//          ARGUMENTS of PUB and HPUB -> PAYLOAD -> VERB
//          any -> STOPPED, after a protocol error or `stop()`
import { decodeExactly } from '../../base/index.js'
import { readCount, splitWords } from './arguments.js'
import type { ClientOperationSink, PublishFrame } from './client-operation.js'
import { protocolErrors, type ProtocolError } from './protocol-error.js'

export interface ParserLimits {
  /** Longest argument line in bytes; nats-server's max_control_line. */
  readonly maxControlLineBytes: number
  /** Largest headers plus body in bytes; nats-server's max_payload. */
  readonly maxPayloadBytes: number
}

const SPACE = 0x20
const TAB = 0x09
const CR = 0x0d
const LF = 0x0a

/** A gathering buffer larger than this is not kept for the next cut frame. */
const KEPT_BUFFER_BYTES = 4_096

/** What follows a verb: nothing that matters, arguments after white space, or arguments with or without it. */
const VERBS = {
  PING: 'ignored',
  PONG: 'ignored',
  '+OK': 'ignored',
  PUB: 'spaced',
  HPUB: 'spaced',
  SUB: 'spaced',
  UNSUB: 'spaced',
  CONNECT: 'plain',
  INFO: 'plain',
  '-ERR': 'spaced',
} as const

type Verb = keyof typeof VERBS

const verbPrefixes = new Set(
  Object.keys(VERBS).flatMap((verb) => Array.from(verb, (_, i) => verb.slice(0, i + 1))),
)

type State =
  'VERB' | 'LINE_END' | 'AFTER_VERB' | 'BEFORE_ARGUMENTS' | 'ARGUMENTS' | 'PAYLOAD' | 'STOPPED'

export class ClientOperationParser {
  readonly #sink: ClientOperationSink
  readonly #frame: PublishFrame
  readonly #limits: ParserLimits
  #state: State = 'VERB'
  #verb = ''
  #isHeld = false
  /** The frame being gathered: its arguments, then its payload. */
  #gathered = new Uint8Array(0)
  #gatheredBytes = 0
  /** Length of the gathered arguments, and of the whole frame with the payload's line end; valid in PAYLOAD. */
  #argumentBytes = 0
  #frameBytes = 0

  constructor(sink: ClientOperationSink, frame: PublishFrame, limits: ParserLimits) {
    this.#sink = sink
    this.#frame = frame
    this.#limits = limits
  }

  /** Bytes held for a frame that is not complete yet. */
  get pendingBytes(): number {
    return this.#gatheredBytes
  }

  /** Ignores all further input. */
  stop(): void {
    this.#state = 'STOPPED'
    this.#gathered = new Uint8Array(0)
    this.#gatheredBytes = 0
  }

  /** Makes `feed` return after the operation at hand, until `resume`. */
  hold(): void {
    this.#isHeld = true
  }

  resume(): void {
    this.#isHeld = false
  }

  /**
   * Takes `bytes[from, to)`. Every complete operation reaches the sink before the call returns. Returns the position up to
   * which input was taken: `to`, unless the sink called `hold`.
   */
  feed(bytes: Uint8Array, from: number, to: number): number {
    let at = from
    while (at < to && this.#state !== 'STOPPED' && !this.#isHeld) {
      if (this.#state === 'VERB' && this.#verb === '') {
        const next = this.#readWholePublish(bytes, at, to)
        if (next > 0) {
          at = next
          continue
        }
      }
      at = this.#step(bytes, at, to)
    }
    return this.#state === 'STOPPED' ? to : at
  }

  /**
   * The fast lane: a PUB or HPUB frame that lies whole and plainly written in `bytes[at, to)` goes to the sink; the
   * position after it is returned. Anything else returns 0 and is left to the state machine.
   * Measured by `npm run bench:core`: this and the outbox's copy are what a small message costs.
   */
  #readWholePublish(bytes: Uint8Array, at: number, to: number): number {
    let i = at
    const hasHeaders = bytes[i] === 0x48
    if (hasHeaders) i += 1
    if (bytes[i] !== 0x50 || bytes[i + 1] !== 0x55 || bytes[i + 2] !== 0x42) return 0
    if (bytes[i + 3] !== SPACE) return 0
    const first = (i += 4)
    let second = 0
    let third = 0
    let fourth = 0
    let words = 1
    for (; i < to; i++) {
      const byte = bytes[i]!
      if (byte > SPACE) continue
      if (byte !== SPACE) break
      words += 1
      if (words === 2) second = i + 1
      else if (words === 3) third = i + 1
      else fourth = i + 1
    }
    const lineTo = i
    if (lineTo + 2 > to || bytes[lineTo] !== CR || bytes[lineTo + 1] !== LF) return 0
    if (lineTo - first > this.#limits.maxControlLineBytes) return 0

    // [subject] [reply]? [header bytes]? [total bytes]
    const numbers = hasHeaders ? 2 : 1
    if (words < 1 + numbers || words > 2 + numbers || second - 1 === first) return 0
    const hasReply = words === 2 + numbers
    if (hasReply && third - 1 === second) return 0
    const lastWord = words === 2 ? second : words === 3 ? third : fourth
    const total = readCount(bytes, lastWord, lineTo)
    const headerBytes = hasHeaders ? readCount(bytes, hasReply ? third : second, lastWord - 1) : 0
    if (total < 0 || headerBytes < 0 || headerBytes > total) return 0
    if (total > this.#limits.maxPayloadBytes) return 0
    const payloadFrom = lineTo + 2
    const payloadTo = payloadFrom + total
    if (payloadTo + 2 > to || bytes[payloadTo] !== CR || bytes[payloadTo + 1] !== LF) return 0

    const frame = this.#frame
    frame.buffer = bytes
    frame.subjectStart = first
    frame.subjectEnd = second - 1
    frame.replyStart = hasReply ? second : 0
    frame.replyEnd = hasReply ? third - 1 : 0
    frame.headersStart = payloadFrom
    frame.headersEnd = frame.bodyStart = payloadFrom + headerBytes
    frame.bodyEnd = payloadTo
    this.#sink.publish(frame)
    return payloadTo + 2
  }

  /** Takes what the current state wants of `bytes[at, to)`; returns the position after it. */
  #step(bytes: Uint8Array, at: number, to: number): number {
    switch (this.#state) {
      case 'VERB':
        return this.#readVerb(bytes[at]!, at)
      case 'AFTER_VERB':
        if (bytes[at] !== SPACE && bytes[at] !== TAB) this.#fail(protocolErrors.unknownOperation)
        else this.#state = 'BEFORE_ARGUMENTS'
        return at + 1
      case 'BEFORE_ARGUMENTS':
        if (bytes[at] === SPACE || bytes[at] === TAB) return at + 1
        this.#state = 'ARGUMENTS'
        return at
      case 'LINE_END':
      case 'ARGUMENTS':
        return this.#readLine(bytes, at, to)
      case 'PAYLOAD':
        return this.#readPayload(bytes, at, to)
      case 'STOPPED':
        return to
    }
  }

  #readVerb(byte: number, at: number): number {
    const verb = this.#verb + String.fromCharCode(byte).toUpperCase()
    if (!verbPrefixes.has(verb)) {
      this.#fail(protocolErrors.unknownOperation)
      return at + 1
    }
    this.#verb = verb
    if (verb in VERBS) {
      const follows = VERBS[verb as Verb]
      if (follows === 'ignored') this.#state = 'LINE_END'
      else this.#state = follows === 'spaced' ? 'AFTER_VERB' : 'BEFORE_ARGUMENTS'
    }
    return at + 1
  }

  #readLine(bytes: Uint8Array, at: number, to: number): number {
    let lineTo = at
    while (lineTo < to && bytes[lineTo] !== LF) lineTo++
    const isKept = this.#state === 'ARGUMENTS'
    if (isKept) {
      const limit = this.#limits.maxControlLineBytes
      // One byte more than the limit is kept, for the CR that may end the line.
      this.#gather(bytes, at, Math.min(lineTo, at + limit + 2 - this.#gatheredBytes))
      const endsInCr = this.#gathered[this.#gatheredBytes - 1] === CR
      if (this.#gatheredBytes - (endsInCr ? 1 : 0) > limit) {
        this.#fail(protocolErrors.maxControlLine)
        return to
      }
    }
    if (lineTo === to) return to
    if (isKept && this.#gathered[this.#gatheredBytes - 1] === CR) this.#gatheredBytes -= 1
    this.#finishLine()
    return lineTo + 1
  }

  #finishLine(): void {
    const verb = this.#verb as Verb
    const length = this.#gatheredBytes
    switch (verb) {
      case 'PUB':
      case 'HPUB':
        this.#beginPayload()
        return
      case 'SUB':
        this.#finishSubscribe(splitWords(this.#gathered, 0, length, true))
        return
      case 'UNSUB':
        this.#finishUnsubscribe(splitWords(this.#gathered, 0, length, true))
        return
      case 'CONNECT':
        this.#finishText((text) => this.#sink.connect(text))
        return
      case '-ERR':
        this.#finishText((text) => this.#sink.peerError(text))
        return
      case 'PING':
        this.#reset()
        this.#sink.ping()
        return
      case 'PONG':
        this.#reset()
        this.#sink.pong()
        return
      case 'INFO':
        this.#finishText((text) => this.#sink.peerInfo(text))
        return
      case '+OK':
        this.#reset()
        return
    }
  }

  #finishText(take: (text: string) => void): void {
    const text = decodeExactly(this.#gathered, 0, this.#gatheredBytes)
    this.#reset()
    take(text)
  }

  #finishSubscribe(words: number[]): void {
    if (words.length !== 4 && words.length !== 6) return this.#failArguments('SUB')
    const subject = this.#word(words, 0)
    const queue = words.length === 6 ? this.#word(words, 1) : ''
    const sid = this.#word(words, words.length / 2 - 1)
    this.#reset()
    this.#sink.subscribe(subject, queue, sid)
  }

  #finishUnsubscribe(words: number[]): void {
    if (words.length !== 2 && words.length !== 4) return this.#failArguments('UNSUB')
    const sid = this.#word(words, 0)
    const max = words.length === 4 ? readCount(this.#gathered, words[2]!, words[3]!) : -1
    this.#reset()
    this.#sink.unsubscribe(sid, max > 0 ? max : undefined)
  }

  #word(words: number[], index: number): string {
    return decodeExactly(this.#gathered, words[2 * index]!, words[2 * index + 1]!)
  }

  /** The argument line of PUB or HPUB is complete: checks it and makes room for the payload. */
  #beginPayload(): void {
    const hasHeaders = this.#verb === 'HPUB'
    const numbers = hasHeaders ? 2 : 1
    const words = splitWords(this.#gathered, 0, this.#gatheredBytes)
    const count = words.length / 2
    if (count < 1 + numbers || count > 2 + numbers) return this.#failArguments(this.#verb)
    const total = readCount(this.#gathered, words[2 * count - 2]!, words[2 * count - 1]!)
    const headerBytes = hasHeaders
      ? readCount(this.#gathered, words[2 * count - 4]!, words[2 * count - 3]!)
      : 0
    if (total < 0 || headerBytes < 0 || headerBytes > total) return this.#failArguments(this.#verb)
    if (total > this.#limits.maxPayloadBytes) return this.#fail(protocolErrors.maxPayload)
    this.#argumentBytes = this.#gatheredBytes
    this.#frameBytes = this.#gatheredBytes + total + 2
    this.#reserve(this.#frameBytes)
    this.#state = 'PAYLOAD'
  }

  #readPayload(bytes: Uint8Array, at: number, to: number): number {
    const end = Math.min(to, at + this.#frameBytes - this.#gatheredBytes)
    this.#gather(bytes, at, end)
    // The first byte past the payload tells already whether its line end is missing.
    const endAt = this.#frameBytes - 2
    const isBroken =
      (this.#gatheredBytes > endAt && this.#gathered[endAt] !== CR) ||
      (this.#gatheredBytes > endAt + 1 && this.#gathered[endAt + 1] !== LF)
    if (isBroken) this.#fail(protocolErrors.unknownOperation)
    else if (this.#gatheredBytes === this.#frameBytes) this.#finishPayload()
    return end
  }

  #finishPayload(): void {
    const buffer = this.#gathered
    const words = splitWords(buffer, 0, this.#argumentBytes)
    const count = words.length / 2
    const hasHeaders = this.#verb === 'HPUB'
    const hasReply = count === (hasHeaders ? 4 : 3)
    const headerBytes = hasHeaders
      ? readCount(buffer, words[2 * count - 4]!, words[2 * count - 3]!)
      : 0
    const frame = this.#frame
    frame.buffer = buffer
    frame.subjectStart = words[0]!
    frame.subjectEnd = words[1]!
    frame.replyStart = hasReply ? words[2]! : 0
    frame.replyEnd = hasReply ? words[3]! : 0
    frame.headersStart = this.#argumentBytes
    frame.headersEnd = frame.bodyStart = this.#argumentBytes + headerBytes
    frame.bodyEnd = this.#frameBytes - 2
    this.#reset()
    this.#sink.publish(frame)
  }

  #gather(bytes: Uint8Array, from: number, to: number): void {
    if (to <= from) return
    this.#reserve(this.#gatheredBytes + to - from)
    this.#gathered.set(bytes.subarray(from, to), this.#gatheredBytes)
    this.#gatheredBytes += to - from
  }

  #reserve(byteCount: number): void {
    if (this.#gathered.length >= byteCount) return
    // Small buffers grow generously, large ones to the frame's own size.
    const grown = new Uint8Array(
      byteCount <= KEPT_BUFFER_BYTES ? Math.max(256, byteCount * 2) : byteCount,
    )
    grown.set(this.#gathered.subarray(0, this.#gatheredBytes))
    this.#gathered = grown
  }

  #reset(): void {
    this.#state = 'VERB'
    this.#verb = ''
    this.#gatheredBytes = 0
    if (this.#gathered.length > KEPT_BUFFER_BYTES) this.#gathered = new Uint8Array(0)
  }

  #failArguments(verb: string): void {
    const line = decodeExactly(this.#gathered, 0, Math.min(this.#gatheredBytes, 64))
    this.#fail(protocolErrors.badArguments(`${verb} with bad arguments: ${JSON.stringify(line)}`))
  }

  #fail(error: ProtocolError): void {
    this.stop()
    this.#sink.protocolError(error)
  }
}
