// The cluster engine on a real nats-server keeps the contract. NATS_SERVER names the program when it is not on the PATH.
import { afterAll, beforeAll, describe, it } from 'vitest'
import { conformance } from '../conformance/suite.js'
import { launch, serversUnderTest, type RunningServer } from '../interop/server-under-test.js'
import { openClusterPlace } from './cluster-place.js'

const kind = serversUnderTest().find(({ name }) => name === 'nats-server')

if (kind === undefined || kind.missing !== undefined) {
  describe('conformance of the cluster engine on nats-server', () => {
    it.skip(kind?.missing?.reason ?? 'SKIPPED: FANFARE_INTEROP asks for another server')
  })
} else {
  let server: RunningServer
  beforeAll(async () => {
    server = await launch(kind)
  })
  afterAll(() => server.stop())
  conformance('the cluster engine on nats-server', {
    openEngine: () => openClusterPlace(server.url),
  })
}
