// What waits to be sent to one client: messages are encoded straight into a borrowed slab, which is handed to the
// connection when it is full or the turn ends, and is given back when the operating system has taken it. An idle
// connection holds no memory here.
//
// Invariant: pendingBytes = bytes in the slab, or borrowed from another's (shared-frame.ts), and bytes that the connection
// has buffered; beyond `maxPendingBytes` the owner is told once and must close. Hot: measured by `npm run bench:core`.
import { copyIntoSlab, type ByteArena, type Slab } from '../base/index.js'
import type { BytesMessage } from '../engine/index.js'
import {
  MESSAGE_LINE_OVERHEAD,
  writeCounts,
  writeLineEnd,
  writeMessageStart,
  writeReply,
} from '../wire/operations/index.js'
import type { Connection } from './connection.js'
import type { FlushQueue } from './flush-queue.js'
import type { SharedFrame } from './shared-frame.js'

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
  /** More than the mark waits. */
  fellBehind(): void
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
  /** How many pieces the operating system has taken. */
  takenCount = 0
  readonly #connection: Connection
  readonly #arena: ByteArena
  readonly #flushQueue: FlushQueue
  readonly #limits: OutboxLimits
  readonly #owner: OutboxOwner
  #slab: Slab | undefined
  #at = 0
  /** A piece of another outbox's slab, to be sent as it is; never beside a slab of its own. */
  #borrowed: Slab | undefined
  #borrowedFrom = 0
  #borrowedTo = 0
  #borrowing = 0
  #isQueued = false
  #isOverMark = false
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
    const borrowed = this.#borrowed === undefined ? 0 : this.#borrowedTo - this.#borrowedFrom
    return unsent + borrowed + this.#connection.bufferedBytes
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
    const shared = this.#flushQueue.sharedFrame
    const isShared = shared.isOf(message, memo.sid, headerBytes > 0)
    if (isShared && this.#borrow(shared)) {
      if (this.#hasHandedOver) this.#checkPending()
      return
    }
    if (this.#borrowed !== undefined) this.#settle()
    const lineBytes =
      message.handle.bytes.length +
      memo.sid.length +
      (message.replyEnd - message.replyStart) +
      MESSAGE_LINE_OVERHEAD
    let slab = this.#slab
    if (slab === undefined || this.#at + lineBytes + totalBytes + 2 > slab.end) {
      slab = this.#makeRoom()
    }
    const from = this.#at
    this.#at = this.#writeLine(slab, memo, message, headerBytes, totalBytes)
    if (this.#at + totalBytes + 2 <= slab.end) {
      const buffer = message.buffer
      let at = this.#at
      if (headerBytes > 0) {
        at = copyIntoSlab(buffer, message.headersStart, message.headersEnd, slab, at)
      }
      at = copyIntoSlab(buffer, message.bodyStart, message.bodyEnd, slab, at)
      this.#at = writeLineEnd(slab, at)
      if (!isShared) shared.set(message, memo.sid, headerBytes > 0, slab, from, this.#at)
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
    if (this.#borrowed !== undefined) this.#settle()
    this.#roomFor(1)
    this.#writePieces(bytes, 0, bytes.length)
  }

  flush(): void {
    this.#isQueued = false
    this.#handOver()
    this.#handOverBorrowed()
    if (this.#connection.bufferedBytes === 0 && !this.#isOverMark) return
    if (!this.#isClosed) this.#owner.waiting()
    this.#checkPending()
  }

  /** Drops what is not handed over yet and takes nothing more. */
  close(): void {
    this.#isClosed = true
    if (this.#slab !== undefined) this.#release(this.#slab)
    this.#slab = undefined
    this.#handOverBorrowed()
  }

  /** Takes the shared frame as the next to send, without copying it; false when it must be copied after all. */
  #borrow(shared: SharedFrame): boolean {
    const slab = shared.slab
    if (slab === undefined || slab === this.#slab) return false
    if (slab === this.#borrowed && shared.from === this.#borrowedTo) {
      this.#borrowedTo = shared.to
      return true
    }
    // Own bytes come first, and few borrowed ones are cheaper copied than sent by a call of their own.
    if (this.#slab !== undefined) return false
    if (this.#borrowed !== undefined) {
      if (this.#borrowedTo - this.#borrowedFrom <= SMALL_REMAINDER_BYTES) return false
      this.#handOverBorrowed()
      this.#hasHandedOver = true
    }
    this.#arena.retain(slab)
    this.#borrowed = slab
    this.#borrowedFrom = shared.from
    this.#borrowedTo = shared.to
    this.#queue()
    return true
  }

  /** Sends or copies what is borrowed, so that own bytes can follow. */
  #settle(): void {
    const borrowed = this.#borrowed
    if (borrowed === undefined) return
    if (this.#borrowedTo - this.#borrowedFrom > SMALL_REMAINDER_BYTES) {
      this.#handOverBorrowed()
      this.#hasHandedOver = true
      return
    }
    this.#borrowed = undefined
    this.#writePieces(borrowed.bytes, this.#borrowedFrom, this.#borrowedTo)
    this.#release(borrowed)
  }

  #handOverBorrowed(): void {
    const borrowed = this.#borrowed
    if (borrowed === undefined) return
    this.#borrowed = undefined
    this.#send(borrowed, this.#borrowedFrom, this.#borrowedTo)
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
    this.#queue()
    const slab = this.#arena.borrow()
    this.#slab = slab
    this.#at = slab.start
    this.#borrowing += 1
    return slab
  }

  #handOver(): void {
    const slab = this.#slab
    if (slab === undefined) return
    this.#slab = undefined
    this.#send(slab, slab.start, this.#at)
  }

  /** Gives a piece of a slab to the connection, and the slab back when the piece is taken. */
  #send(slab: Slab, from: number, to: number): void {
    if (from === to || this.#isClosed) {
      this.#release(slab)
      return
    }
    if (to - from <= SMALL_REMAINDER_BYTES && this.#connection.bufferedBytes > 0) {
      // A slow client must not hold a whole slab for a few bytes.
      this.#inFlight.push(undefined)
      const copy = slab.bytes.slice(from, to)
      this.#release(slab)
      this.#connection.write(copy, 0, copy.length, this.#taken)
      return
    }
    this.#inFlight.push(slab)
    this.#connection.write(slab.bytes, from, to, this.#taken)
  }

  #release(slab: Slab): void {
    const shared = this.#flushQueue.sharedFrame
    if (shared.slab === slab) shared.clear()
    this.#arena.release(slab)
  }

  #queue(): void {
    if (this.#isQueued) return
    this.#isQueued = true
    this.#flushQueue.add(this)
  }

  readonly #taken = (): void => {
    this.takenCount += 1
    const slab = this.#inFlight.shift()
    if (slab !== undefined) this.#release(slab)
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
    if (wasOverMark === this.#isOverMark) return
    if (wasOverMark) this.#owner.caughtUp()
    else this.#owner.fellBehind()
  }
}
