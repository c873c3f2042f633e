// One subscriber that stops reading must not harm anybody: it is cut off at max_pending, the others lose nothing.
import { expect, it } from 'vitest'
import { clientLibraries } from './clients.js'
import { RawConnection } from './raw-connection.js'
import { describeEachServer, launch } from './server-under-test.js'

const othersCount = 20
const roundCount = 100
const marksPerRound = 10
// Larger together than what the kernel buffers between two sockets on one machine (about 6 MB) plus max_pending.
const bulkBytes = 512 * 1024

describeEachServer('a slow consumer', (kind) => {
  it('is cut off, and twenty others lose nothing', async () => {
    await using server = await launch(kind, {
      configuration: 'max_pending: 2MB, write_deadline: "1s"',
    })
    using slow = await RawConnection.open(server)
    slow.send('CONNECT {"verbose":false,"name":"sleeper"}\r\nSUB flood.> 1\r\nPING\r\n')
    await slow.receive(/PONG\r\n/)
    slow.pause()

    const [library] = clientLibraries
    const connect = () => library!.connect({ servers: server.url, reconnect: false })
    const publisher = await connect()
    const others = await Promise.all(Array.from({ length: othersCount }, connect))
    const received = others.map(() => [] as number[])
    others.forEach((connection, index) =>
      connection.subscribe('flood.mark', {
        callback: (_error, message) => void received[index]!.push(Number(message.string())),
      }),
    )
    await Promise.all(others.map((connection) => connection.flush()))

    const bulk = new Uint8Array(bulkBytes)
    for (let round = 0; round < roundCount; round += 1) {
      publisher.publish('flood.bulk', bulk)
      for (let mark = 0; mark < marksPerRound; mark += 1) {
        publisher.publish('flood.mark', `${round * marksPerRound + mark}`)
      }
      await publisher.flush()
    }
    await Promise.all(others.map((connection) => connection.flush()))

    const everything = Array.from({ length: roundCount * marksPerRound }, (_, index) => index)
    for (const marks of received) expect(marks).toEqual(everything)

    expect(server.logs()).toMatch(/Slow Consumer/)
    const read = async (path: string) =>
      (await (await fetch(`${server.monitorUrl}/${path}`)).json()) as Record<string, unknown>
    // nats-server counts the same client again when the write that is under way times out as well.
    const { slow_consumers: cutOffCount } = await read('varz')
    expect(cutOffCount).toBeGreaterThanOrEqual(1)
    expect(cutOffCount).toBeLessThanOrEqual(2)
    await expect
      .poll(async () => (await read('varz')).connections, { timeout: 10_000 })
      .toBe(othersCount + 1)
    const closed = (await read('connz?state=closed')) as {
      connections: { name: string; reason: string }[]
    }
    expect(closed.connections.find(({ name }) => name === 'sleeper')?.reason).toMatch(
      /^Slow Consumer \((?:Pending Bytes|Write Deadline)\)$/,
    )

    slow.resume()
    // nats-server cuts it in the middle of a frame and says nothing. An error, where there is one, comes after whole
    // frames and is the last that the client reads.
    const rest = await slow.receiveUntilClosed(10_000)
    if (rest.includes('-ERR')) expect(rest).toMatch(/\r\n-ERR 'Slow Consumer'\r\n$/)
    await Promise.all([publisher, ...others].map((connection) => connection.close()))
  })
})
