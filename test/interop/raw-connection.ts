// A client that is nothing but a socket: it sends the bytes it is told to and keeps what it receives, so that tests can
// break the protocol on purpose and compare answers byte for byte.
import { connect, type Socket } from 'node:net'

const answerBoundMs = 5_000

export class RawConnection {
  readonly #socket: Socket
  readonly #watchers = new Set<() => void>()
  #received = ''
  #isClosed = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      this.#received += chunk.toString('latin1')
      this.#notify()
    })
    // A reset is one of the ways in which a server closes; 'close' follows it.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#isClosed = true
      this.#notify()
    })
  }

  /** Resolves when the server has sent its INFO, which is then not among what was received. */
  static async open(
    server: { host: string; port: number },
    { awaitInfo = true }: { awaitInfo?: boolean } = {},
  ): Promise<RawConnection> {
    const connection = new RawConnection(connect(server.port, server.host))
    if (awaitInfo) await connection.receive(/^INFO .*\r\n/)
    return connection
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** What the server sent and no `receive` has taken yet, one character a byte. */
  get received(): string {
    return this.#received
  }

  /** Sends one character as one byte. */
  send(bytes: string): void {
    this.#socket.write(bytes, 'latin1')
  }

  /** Takes everything up to the end of the first match; rejects when the connection closes or the bound passes. */
  async receive(pattern: RegExp, boundMs: number = answerBoundMs): Promise<string> {
    const find = () => pattern.exec(this.#received)
    await this.#until(() => find() !== null || this.#isClosed, `${pattern}`, boundMs)
    const match = find()
    if (match === null) throw new Error(`closed before ${pattern}, after ${this.#quoted()}`)
    const end = match.index + match[0].length
    const taken = this.#received.slice(0, end)
    this.#received = this.#received.slice(end)
    return taken
  }

  /** Takes everything that is left once the server has closed the connection. */
  async receiveUntilClosed(boundMs: number = answerBoundMs): Promise<string> {
    await this.#until(() => this.#isClosed, 'the close', boundMs)
    const taken = this.#received
    this.#received = ''
    return taken
  }

  /** Takes what arrives before the close or the match, whichever is first. */
  async receiveUntilClosedOr(pattern: RegExp): Promise<{ answer: string; closed: boolean }> {
    await this.#until(() => this.#isClosed || pattern.test(this.#received), `${pattern}`)
    const answer = this.#received
    this.#received = ''
    return { answer, closed: this.#isClosed }
  }

  /** Stops reading, so that the server's output to this client piles up. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  close(): void {
    this.#socket.destroy()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #notify(): void {
    for (const look of [...this.#watchers]) look()
  }

  #until(isMet: () => boolean, what: string, boundMs: number = answerBoundMs): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!isMet()) return
        clearTimeout(timer)
        this.#watchers.delete(look)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#watchers.delete(look)
        reject(new Error(`waited ${boundMs} ms for ${what}, received ${this.#quoted()}`))
      }, boundMs)
      this.#watchers.add(look)
      look()
    })
  }

  #quoted(): string {
    return JSON.stringify(this.#received.slice(-400))
  }
}
