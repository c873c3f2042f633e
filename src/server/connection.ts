// A byte stream to one client, as sessions see it: TCP, TLS and WebSocket are adapters behind this, and a simulation may be.

export interface Connection {
  readonly remoteAddress: string
  readonly remotePort: number
  /** Bytes given to `write` that the operating system has not taken yet. */
  readonly bufferedBytes: number
  /** Sends `bytes[from, to)`, which must stay untouched until `taken` is called (also when the connection is lost). */
  write(bytes: Uint8Array, from: number, to: number, taken: () => void): void
  /** Stops reading until `resume`. */
  pause(): void
  resume(): void
  /** Sends what is buffered, then closes. */
  end(): void
  /** Closes at once. */
  destroy(): void
}

/** What a connection reports. Set once by the session, before anything is read. */
export interface ConnectionHandler {
  /** `bytes[from, to)` is valid during the call only. */
  received(bytes: Uint8Array, from: number, to: number): void
  /** The peer is gone or `destroy` was called; nothing comes after it. */
  closed(reason: string): void
}
