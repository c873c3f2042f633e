// A thousand clients at the same time, as a server restart brings them.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeEachClient, take } from './clients.js'
import { launch, type RunningServer } from './server-under-test.js'

describeEachClient('many connections', (kind, library) => {
  let server: RunningServer
  beforeAll(async () => {
    server = await launch(kind)
  })
  afterAll(() => server?.stop())

  it('reaches 1,000 subscribers that connected at once with one publish', async () => {
    const connections = await Promise.all(
      Array.from({ length: 1_000 }, () =>
        library.connect({ servers: server.url, timeout: 15_000, reconnect: false }),
      ),
    )
    try {
      const subscriptions = connections.map((connection) => connection.subscribe('everyone'))
      await Promise.all(connections.map((connection) => connection.flush()))
      connections[0]!.publish('everyone', 'hello')
      const messages = await Promise.all(subscriptions.map((each) => take(each, 1)))
      expect(messages.every(([message]) => message!.string() === 'hello')).toBe(true)
      await Promise.all(connections.map((connection) => connection.flush()))
      expect(subscriptions.every((each) => each.getReceived() === 1)).toBe(true)
    } finally {
      await Promise.all(connections.map((connection) => connection.close()))
    }
  })
})
