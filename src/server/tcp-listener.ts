// TCP sockets as Connections. All sockets of a listener share one read buffer, which lies in the arena: a read is handled
// whole before the next one starts, so an idle connection costs no buffer and what is read can be copied onwards
// within one typed array (see base/byte-arena.ts).
import { createServer, Socket, type AddressInfo, type Server as NetServer } from 'node:net'
import { FanfareError, type ByteArena, type Slab } from '../base/index.js'
import type { Connection, ConnectionHandler } from './connection.js'

export interface TcpListenerOptions {
  readonly host: string
  /** 0 picks a free port. */
  readonly port: number
}

/** Called for each new client; returns the handler, or undefined to leave the connection unread. */
export type AcceptConnection = (connection: Connection) => ConnectionHandler | undefined

/** The parts of Node's socket that have no public name: how a socket gets a read buffer of the user's. */
interface SocketInternals {
  _handle: object | null
  _server: unknown
  server: unknown
}

/** A handshake burst of this many connections waits in the kernel rather than being refused. */
const BACKLOG = 4_096

export class TcpListener {
  readonly #net: NetServer
  readonly #arena: ByteArena
  readonly #readSlab: Slab
  readonly #readBuffer: Uint8Array

  constructor(arena: ByteArena, accept: AcceptConnection) {
    this.#arena = arena
    this.#readSlab = arena.borrow()
    this.#readBuffer = this.#readSlab.bytes.subarray(this.#readSlab.start, this.#readSlab.end)
    this.#net = createServer({ noDelay: true, pauseOnConnect: true, keepAlive: true }, (socket) => {
      const tcp = new TcpConnection(this.#rewrap(socket), this.#readSlab)
      const handler = accept(tcp)
      if (handler !== undefined) tcp.start(handler)
    })
  }

  /** Resolves when listening; rejects with ADDRESS_IN_USE or CONNECTION_FAILED. */
  listen(options: TcpListenerOptions): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#net.once('error', (error: NodeJS.ErrnoException) =>
        reject(toListenError(error, options)),
      )
      this.#net.listen({ host: options.host, port: options.port, backlog: BACKLOG }, () => {
        this.#net.removeAllListeners('error')
        this.#net.on('error', () => {})
        resolve(this.#net.address() as AddressInfo)
      })
    })
  }

  /** Accepts nobody any more; connections stay. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#net.close(() => resolve())
    })
  }

  release(): void {
    this.#arena.release(this.#readSlab)
  }

  /**
   * The same connection as a socket that reads into the arena. Node gives a server's sockets no `onread` option, so the
   * handle is moved to a socket that has it; where that is not possible, the socket itself is used and TcpConnection
   * copies what it reads (measured: a quarter slower at 128 B and at 16 KiB).
   */
  #rewrap(socket: Socket): Socket {
    const internals = socket as unknown as SocketInternals
    const handle = internals._handle
    if (handle === null || !('useUserBuffer' in handle)) return socket
    const rewrapped = new Socket({
      handle,
      allowHalfOpen: false,
      onread: {
        buffer: this.#readBuffer,
        callback: (byteCount: number) => {
          rewrapped.emit(READ_EVENT, byteCount)
          return true
        },
      },
    } as never)
    const moved = rewrapped as unknown as SocketInternals
    moved._server = internals._server
    moved.server = internals.server
    internals._handle = null
    return rewrapped
  }
}

const READ_EVENT = Symbol('read')

class TcpConnection implements Connection {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly #socket: Socket
  readonly #readSlab: Slab
  #handler: ConnectionHandler | undefined
  #error: string | undefined

  constructor(socket: Socket, readSlab: Slab) {
    this.#socket = socket
    this.#readSlab = readSlab
    this.remoteAddress = socket.remoteAddress ?? ''
    this.remotePort = socket.remotePort ?? 0
    socket.on('error', (error) => (this.#error = error.message))
    socket.on('close', () => this.#handler?.closed(this.#error ?? 'Client Closed'))
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  start(handler: ConnectionHandler): void {
    this.#handler = handler
    const { bytes, start } = this.#readSlab
    this.#socket.on(READ_EVENT as never, (byteCount: number) => {
      handler.received(bytes, start, start + byteCount)
    })
    this.#socket.on('data', (chunk: Buffer) => this.#receivedElsewhere(chunk, handler))
    this.#socket.resume()
  }

  write(bytes: Uint8Array, from: number, to: number, taken: () => void): void {
    this.#socket.write(Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from), taken)
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** Input that was read into a buffer of Node's: moved into the arena piece by piece. */
  #receivedElsewhere(chunk: Buffer, handler: ConnectionHandler): void {
    const { bytes, start, end } = this.#readSlab
    for (let at = 0; at < chunk.length; at += end - start) {
      const piece = chunk.subarray(at, at + end - start)
      bytes.set(piece, start)
      handler.received(bytes, start, start + piece.length)
    }
  }
}

function toListenError(error: NodeJS.ErrnoException, options: TcpListenerOptions): FanfareError {
  const where = `${options.host}:${options.port}`
  if (error.code === 'EADDRINUSE') {
    return new FanfareError('ADDRESS_IN_USE', `${where} is taken: another server listens there`, {
      cause: error,
      details: { host: options.host, port: options.port },
    })
  }
  return new FanfareError('CONNECTION_FAILED', `cannot listen on ${where}: ${error.message}`, {
    cause: error,
  })
}
