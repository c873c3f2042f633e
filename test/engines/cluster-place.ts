// A place for the conformance suite on a server: every engine is a connection of its own.
import { openClusterEngine, type ClusterEngine } from '../../src/cluster/index.js'
import type { Place } from '../conformance/stage.js'

export async function openClusterPlace(
  url: string,
  stop: () => Promise<void> = async () => {},
): Promise<Place> {
  const engines: ClusterEngine[] = []
  const another = async () => {
    const engine = await openClusterEngine({ servers: [url] })
    engines.push(engine)
    return engine
  }
  return {
    engine: await another(),
    another,
    async close() {
      await Promise.all(engines.map((engine) => engine.close()))
      await stop()
    },
  }
}
