// Puts a server together: the broker's port, and the monitoring endpoints beside it when they are asked for.
import { Server, type ServerParts } from './server.js'
import type { ServerOptions } from './server-options.js'

/**
 * Starts a server. Rejects with OPTION_INVALID or ADDRESS_IN_USE, and then nothing is left running.
 *
 * @example const server = await startServer({ port: 4222 }, { engine: broker.engine })
 */
export async function startServer(options: ServerOptions, parts: ServerParts): Promise<Server> {
  const server = new Server(options, parts)
  await server.start()
  try {
    await startMonitoring(server)
  } catch (error) {
    await server.stop()
    throw error
  }
  return server
}

/** HTTP is loaded when it is asked for: it takes longer to load than all the rest. */
async function startMonitoring(server: Server): Promise<void> {
  const { httpHost, httpPort } = server.options
  if (httpPort === undefined) return
  const [{ HttpListener }, { monitoringApplication }] = await Promise.all([
    import('./http-listener.js'),
    import('./monitoring.js'),
  ])
  const listener = new HttpListener(monitoringApplication(server))
  const port = await listener.listen(httpHost, httpPort)
  server.attachMonitoring({ port, close: () => listener.close() })
}
