// Core publish-subscribe over TCP, peers side by side in one run.
import { peers, startPeer } from './support/peers.mjs'
import { findCount, measureThroughput, patterns, startGenerators } from './support/throughput.mjs'

const payloads = (process.env.PAYLOADS ?? '16,128').split(',').map(Number)
const generators = startGenerators()
const only = process.argv.slice(2)
const servers = []
for (const peer of peers) {
  if (only.length && !only.includes(peer.name)) continue
  if (peer.findVersion() === undefined) {
    console.log(`MISSING: ${peer.name}: ${peer.missing}`)
    continue
  }
  servers.push(await startPeer(peer))
}
for (const pattern of patterns) {
  for (const payloadBytes of payloads) {
    for (const server of servers) {
      const countForEach = await findCount(generators, {
        server,
        pattern,
        payloadBytes,
        durationMs: 1700,
      })
      const r = await measureThroughput(generators, { server, pattern, payloadBytes, countForEach })
      console.log(
        pattern.name,
        payloadBytes,
        server.peer.name,
        (r.messagesPerSecond / 1e6).toFixed(2),
        'M/s',
        r.durationMs.toFixed(0),
        'ms',
        r.cpuNsPerMessage?.toFixed(0),
        'ns cpu',
        (r.peakResidentBytes / 1e6).toFixed(0),
        'MB',
        r.delivered === r.expected ? '' : `LOST ${r.expected - r.delivered}`,
        r.failure ?? '',
      )
    }
  }
}
await generators.stop()
for (const server of servers) await server.stop()
