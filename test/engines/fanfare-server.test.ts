// The cluster engine on Fanfare's own server keeps the contract: client, wire, session and embedded engine together.
import { EmbeddedEngine } from '../../src/embedded/index.js'
import { Server } from '../../src/server/index.js'
import { conformance } from '../conformance/suite.js'
import { openClusterPlace } from './cluster-place.js'

conformance("the cluster engine on Fanfare's server", {
  async openEngine() {
    const engine = new EmbeddedEngine()
    const server = new Server({ host: '127.0.0.1', port: 0 }, { engine })
    await server.start()
    return openClusterPlace(server.url, async () => {
      await server.stop()
      await engine.close()
    })
  },
})
