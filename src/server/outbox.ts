// What waits to be sent to one client: messages are encoded straight into a borrowed slab, which is handed to the
// connection when it is full or the turn ends, and is given back when the operating system has taken it. An idle
// connection holds no memory here.
//
// Invariant: pendingBytes = bytes in the slab + bytes that the connection has buffered; beyond `maxPendingBytes` the
// owner is told once and must close. Hot: measured by `npm run bench:core`.
import { copyIntoSlab, type ByteArena, type Slab } from '../base/index.js'
import type { BytesMessage } from '../engine/index.js'
import {
  MESSAGE_LINE_OVERHEAD,
  writeCounts,
  writeLineEnd,
  writeMessageStart,
  writeReply,
} from '../wire/index.js'
import type { Connection } from './connection.js'
import type { FlushQueue } from './flush-queue.js'

/** The line last written for a subscription: the next one usually starts, or is, the same. */
export class LineMemo {
  readonly sid: Uint8Array
  /** The borrowing in which the line was written; its bytes are gone when that has ended. */
  borrowing = -1
  topic: unknown = undefined
  at = 0
  /** Up to the space after the sid. */
  startBytes = 0
  /** Up to and with the line's end; 0 when the line has a reply subject. */
  lineBytes = 0
  totalBytes = -1
  headerBytes = -1

  constructor(sid: Uint8Array) {
    this.sid = sid
  }
}

export interface OutboxOwner {
  /** Bytes are waiting for the operating system: the write deadline runs. */
  waiting(): void
  /** More than the limit waits, or nothing was taken for the write deadline. */
  tooSlow(reason: string): void
  /** What waits has fallen under the mark again. */
  caughtUp(): void
}

export interface OutboxLimits {
  readonly maxPendingBytes: number
  /** Publishers pause briefly while more than this waits. */
  readonly markBytes: number
}

/** A remainder smaller than this is copied out of its slab when the connection is already waiting. */
const SMALL_REMAINDER_BYTES = 16_384

export class Outbox {
  readonly #connection: Connection
  readonly #arena: ByteArena
  readonly #flushQueue: FlushQueue
  readonly #limits: OutboxLimits
  readonly #owner: OutboxOwner
  #slab: Slab | undefined
  #at = 0
  #borrowing = 0
  #isQueued = false
  #isOverMark = false
  #hasProgressed = false
  /** A slab was handed over since the pending bytes were last checked. */
  #hasHandedOver = false
  #isClosed = false
  /** Slabs handed to the connection, in order; undefined for bytes that were copied. */
  readonly #inFlight: (Slab | undefined)[] = []

  constructor(
    connection: Connection,
    arena: ByteArena,
    flushQueue: FlushQueue,
    limits: OutboxLimits,
    owner: OutboxOwner,
  ) {
    this.#connection = connection
    this.#arena = arena
    this.#flushQueue = flushQueue
    this.#limits = limits
    this.#owner = owner
  }

  get pendingBytes(): number {
    const unsent = this.#slab === undefined ? 0 : this.#at - this.#slab.start
    return unsent + this.#connection.bufferedBytes
  }

  /** Whether publishers should pause for this client. */
  get isOverMark(): boolean {
    return this.#isOverMark
  }

  /** How far the pending bytes are towards the limit, from 0 to 1. */
  get fullness(): number {
    return this.pendingBytes / this.#limits.maxPendingBytes
  }

  /** Writes one message for the subscription that `memo` belongs to. Headers are left out when not wanted. */
  writeMessage(memo: LineMemo, message: BytesMessage, wantsHeaders: boolean): void {
    if (this.#isClosed) return
    const headerBytes = wantsHeaders ? message.headersEnd - message.headersStart : 0
    const bodyBytes = message.bodyEnd - message.bodyStart
    const totalBytes = headerBytes + bodyBytes
    const lineBytes =
      message.handle.bytes.length +
      memo.sid.length +
      (message.replyEnd - message.replyStart) +
      MESSAGE_LINE_OVERHEAD
    let slab = this.#slab
    if (slab === undefined || this.#at + lineBytes + totalBytes + 2 > slab.end) {
      slab = this.#makeRoom()
    }
    this.#at = this.#writeLine(slab, memo, message, headerBytes, totalBytes)
    if (this.#at + totalBytes + 2 <= slab.end) {
      const buffer = message.buffer
      let at = this.#at
      if (headerBytes > 0) {
        at = copyIntoSlab(buffer, message.headersStart, message.headersEnd, slab, at)
      }
      at = copyIntoSlab(buffer, message.bodyStart, message.bodyEnd, slab, at)
      this.#at = writeLineEnd(slab, at)
    } else {
      if (headerBytes > 0)
        this.#writePieces(message.buffer, message.headersStart, message.headersEnd)
      this.#writePieces(message.buffer, message.bodyStart, message.bodyEnd)
      this.#at = writeLineEnd(this.#roomFor(2), this.#at)
    }
    // Only now, so that an error that ends the connection comes behind a whole frame.
    if (this.#hasHandedOver) this.#checkPending()
  }

  /** Writes a control line or any other ready bytes. */
  writeBytes(bytes: Uint8Array): void {
    if (this.#isClosed) return
    this.#roomFor(1)
    this.#writePieces(bytes, 0, bytes.length)
  }

  flush(): void {
    this.#isQueued = false
    this.#handOver()
    if (this.#connection.bufferedBytes === 0 && !this.#isOverMark) return
    if (!this.#isClosed) this.#owner.waiting()
    this.#checkPending()
  }

  /** Whether the operating system has taken anything since the last call. */
  takeProgress(): boolean {
    const hasProgressed = this.#hasProgressed
    this.#hasProgressed = false
    return hasProgressed
  }

  /** Drops what is not handed over yet and takes nothing more. */
  close(): void {
    this.#isClosed = true
    if (this.#slab !== undefined) this.#arena.release(this.#slab)
    this.#slab = undefined
  }

  #writeLine(
    slab: Slab,
    memo: LineMemo,
    message: BytesMessage,
    headerBytes: number,
    totalBytes: number,
  ): number {
    const at = this.#at
    const hasReply = message.replyEnd > message.replyStart
    const hasHeaders = headerBytes > 0
    const isKnown =
      memo.borrowing === this.#borrowing &&
      memo.topic === message.handle &&
      memo.headerBytes > 0 === hasHeaders
    if (
      isKnown &&
      !hasReply &&
      memo.lineBytes > 0 &&
      memo.totalBytes === totalBytes &&
      memo.headerBytes === headerBytes
    ) {
      return copyIntoSlab(slab.bytes, memo.at, memo.at + memo.lineBytes, slab, at)
    }
    const startTo = isKnown
      ? copyIntoSlab(slab.bytes, memo.at, memo.at + memo.startBytes, slab, at)
      : writeMessageStart(slab, at, hasHeaders, message.handle.bytes, memo.sid)
    const replyTo = hasReply
      ? writeReply(slab, startTo, message.buffer, message.replyStart, message.replyEnd)
      : startTo
    const lineTo = writeCounts(slab, replyTo, hasHeaders ? headerBytes : -1, totalBytes)
    memo.borrowing = this.#borrowing
    memo.topic = message.handle
    memo.at = at
    memo.startBytes = startTo - at
    memo.lineBytes = hasReply ? 0 : lineTo - at
    memo.totalBytes = totalBytes
    memo.headerBytes = headerBytes
    return lineTo
  }

  /** Copies over as many slabs as it takes. */
  #writePieces(source: Uint8Array, from: number, to: number): void {
    let read = from
    while (read < to) {
      const slab = this.#roomFor(1)
      const end = Math.min(to, read + slab.end - this.#at)
      this.#at = copyIntoSlab(source, read, end, slab, this.#at)
      read = end
    }
  }

  #roomFor(byteCount: number): Slab {
    const slab = this.#slab
    return slab !== undefined && this.#at + byteCount <= slab.end ? slab : this.#makeRoom()
  }

  #makeRoom(): Slab {
    if (this.#slab !== undefined) {
      this.#handOver()
      this.#hasHandedOver = true
    }
    if (!this.#isQueued) {
      this.#isQueued = true
      this.#flushQueue.add(this)
    }
    const slab = this.#arena.borrow()
    this.#slab = slab
    this.#at = slab.start
    this.#borrowing += 1
    return slab
  }

  #handOver(): void {
    const slab = this.#slab
    if (slab === undefined) return
    const end = this.#at
    this.#slab = undefined
    if (end === slab.start || this.#isClosed) {
      this.#arena.release(slab)
      return
    }
    if (end - slab.start <= SMALL_REMAINDER_BYTES && this.#connection.bufferedBytes > 0) {
      // A slow client must not hold a whole slab for a few bytes.
      this.#inFlight.push(undefined)
      const copy = slab.bytes.slice(slab.start, end)
      this.#arena.release(slab)
      this.#connection.write(copy, 0, copy.length, this.#taken)
      return
    }
    this.#inFlight.push(slab)
    this.#connection.write(slab.bytes, slab.start, end, this.#taken)
  }

  readonly #taken = (): void => {
    this.#hasProgressed = true
    const slab = this.#inFlight.shift()
    if (slab !== undefined) this.#arena.release(slab)
    if (this.#isOverMark && !this.#isClosed) this.#checkPending()
  }

  #checkPending(): void {
    this.#hasHandedOver = false
    if (this.#isClosed) return
    const pendingBytes = this.pendingBytes
    if (pendingBytes > this.#limits.maxPendingBytes) {
      this.#owner.tooSlow('Pending Bytes')
      return
    }
    const wasOverMark = this.#isOverMark
    // Half of the mark, so that a client on the edge does not stop and start its publishers at every write.
    this.#isOverMark =
      pendingBytes > (wasOverMark ? this.#limits.markBytes / 2 : this.#limits.markBytes)
    if (wasOverMark && !this.#isOverMark) this.#owner.caughtUp()
  }
}
