// Listens for HTTP and serves one application of web-standard requests.
import { createAdaptorServer } from '@hono/node-server'
import type { AddressInfo, Server as NetServer } from 'node:net'
import { FanfareError } from '../base/index.js'

export interface HttpApplication {
  readonly fetch: (request: Request) => Response | Promise<Response>
}

export class HttpListener {
  readonly #http: NetServer & { closeAllConnections?: () => void }

  constructor(application: HttpApplication) {
    this.#http = createAdaptorServer({ fetch: application.fetch }) as NetServer
  }

  /** Resolves with the port; rejects with ADDRESS_IN_USE or CONNECTION_FAILED. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#http.once('error', (error: NodeJS.ErrnoException) => {
        const isTaken = error.code === 'EADDRINUSE'
        reject(
          new FanfareError(
            isTaken ? 'ADDRESS_IN_USE' : 'CONNECTION_FAILED',
            `cannot serve HTTP on ${host}:${port}: ${isTaken ? 'the port is taken' : error.message}`,
            { cause: error },
          ),
        )
      })
      this.#http.listen(port, host, () => resolve((this.#http.address() as AddressInfo).port))
    })
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#http.close(() => resolve())
      this.#http.closeAllConnections?.()
    })
  }
}
