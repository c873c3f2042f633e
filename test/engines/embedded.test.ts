// The engine inside this process keeps the contract.
import { EmbeddedEngine } from '../../src/embedded/index.js'
import { conformance } from '../conformance/suite.js'

conformance('the embedded engine', {
  async openEngine() {
    const engine = new EmbeddedEngine()
    return { engine, another: async () => engine, close: () => engine.close() }
  },
})
