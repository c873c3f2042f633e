// Core publish-subscribe over TCP, peers side by side in one run: throughput, request and reply
// latency, and memory. `node bench/core.mjs --help` lists the options.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { formatCoreReport } from './support/core-report.mjs'
import { latencyLoads, measureLatency, startParties } from './support/latency.mjs'
import { describeMachine } from './support/machine.mjs'
import { writeSection } from './support/markdown.mjs'
import { measureMemory, memoryUnits } from './support/memory.mjs'
import { peers, startPeer } from './support/peers.mjs'
import { findCount, measureThroughput, patterns, startGenerators } from './support/throughput.mjs'

const help = `Usage: npm run bench:core -- [options]
  --quick             one short round of 16 B and 1 KiB
  --only LIST         some of 1:1,1:8,8:8,latency,memory
  --payloads LIST     payload sizes in bytes (16,128,1024,16384)
  --peers LIST        some of ${peers.map((peer) => peer.name).join(',')}
  --rounds N          rounds of each cell (3)
  --json FILE         write every round's numbers
  --write             refresh the tables in bench/README.md`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    payloads: { type: 'string' },
    peers: { type: 'string' },
    rounds: { type: 'string' },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const wanted = {
  only: values.only?.split(',') ?? [...patterns.map(({ name }) => name), 'latency', 'memory'],
  payloads: (values.payloads ?? (values.quick ? '16,1024' : '16,128,1024,16384'))
    .split(',')
    .map(Number),
  peers: values.peers?.split(',') ?? peers.map((peer) => peer.name),
  rounds: Number(values.rounds ?? (values.quick ? 1 : 3)),
  durationMs: values.quick ? 600 : 1_700,
}

async function run() {
  const results = {
    machine: describeMachine(),
    rounds: wanted.rounds,
    peers: findPeers(),
    throughput: [],
    latency: [],
    memory: [],
  }
  const present = peers.filter((peer) =>
    results.peers.some(({ name, version }) => name === peer.name && version !== undefined),
  )
  results.throughput = await withServers(present, 'throughput', runThroughput)
  if (wanted.only.includes('latency')) {
    const answering = present.filter((peer) => peer.protocolName !== 'raw')
    results.latency = await withServers(answering, 'latency', runLatency)
  }
  if (wanted.only.includes('memory')) results.memory = await runMemory(present)
  return results
}

/** All servers run at once, but only one at a time has work. */
async function withServers(present, purpose, work) {
  const servers = []
  try {
    for (const peer of present) {
      try {
        servers.push(await startPeer(peer, { purpose }))
      } catch (error) {
        console.error(`\n*** DID NOT START: ${error.message} ***\n`)
      }
    }
    return await work(servers)
  } finally {
    for (const server of servers) await server.stop()
  }
}

function findPeers() {
  const chosen = peers.filter((peer) => wanted.peers.includes(peer.name))
  return chosen.map((peer) => {
    const { name, settings, missing } = peer
    const version = peer.findVersion()
    if (version === undefined) console.error(`\n*** MISSING: ${name}: ${missing} ***\n`)
    return { name, version, settings, missing }
  })
}

async function runThroughput(servers) {
  const generators = startGenerators()
  const results = []
  try {
    for (const pattern of patterns.filter(({ name }) => wanted.only.includes(name))) {
      for (const payloadBytes of wanted.payloads) {
        results.push(...(await runCell({ generators, servers, pattern, payloadBytes })))
      }
    }
  } finally {
    await generators.stop()
  }
  return results
}

async function runCell({ generators, servers, pattern, payloadBytes }) {
  const cells = []
  for (const server of servers) {
    const { durationMs } = wanted
    const countForEach = await findCount(generators, { server, pattern, payloadBytes, durationMs })
    cells.push({ server, countForEach, rounds: [] })
  }
  await interleave(cells, async ({ server, countForEach, rounds }) => {
    const cell = { server, pattern, payloadBytes, countForEach }
    const result = await measureThroughput(generators, cell)
    rounds.push(result)
    const rate = (result.messagesPerSecond / 1e6).toFixed(2)
    report(`${pattern.name} ${payloadBytes} B`, server.peer, result.failure ?? `${rate} M/s`)
  })
  return cells.map(({ server, rounds }) => ({
    pattern: pattern.name,
    payloadBytes,
    peer: server.peer.name,
    rounds,
  }))
}

async function runLatency(servers) {
  const parties = startParties()
  const results = []
  try {
    for (const load of latencyLoads) {
      const cells = servers.map((server) => ({ server, rounds: [] }))
      await interleave(cells, async ({ server, rounds }) => {
        const { durationMs } = wanted
        const result = await measureLatency(parties, { server, load, durationMs })
        rounds.push(result)
        const { medianMs, percentile99Ms } = result
        const text = `p50 ${medianMs?.toFixed(3)} ms, p99 ${percentile99Ms?.toFixed(3)} ms`
        report(load.name, server.peer, result.failure ?? text)
      })
      const { name, ratePerSecond } = load
      for (const { server, rounds } of cells) {
        results.push({ load: name, ratePerSecond, peer: server.peer.name, rounds })
      }
    }
  } finally {
    await parties.stop()
  }
  return results
}

async function runMemory(present) {
  const results = []
  for (const unit of memoryUnits) {
    const cells = present
      .filter((peer) => peer.protocolName !== 'raw')
      .map((peer) => ({ peer, rounds: [] }))
    await interleave(cells, async ({ peer, rounds }) => {
      const result = await measureMemory({ peer, unit })
      rounds.push(result)
      report(`memory of one ${unit.name}`, peer, result.failure ?? `${result.bytes.toFixed(0)} B`)
    })
    for (const { peer, rounds } of cells) {
      results.push({ unit: unit.name, peer: peer.name, rounds })
    }
  }
  return results
}

/** Every peer in each round, so that a disturbance of the machine meets all of them. */
async function interleave(cells, measure) {
  for (let round = 0; round < wanted.rounds; round += 1) {
    for (const cell of cells) await measure(cell)
  }
}

function report(work, peer, text) {
  console.error(`${work.padEnd(34)} ${peer.name.padEnd(12)} ${text}`)
}

if (values.help) {
  console.log(help)
} else {
  const results = await run()
  const text = formatCoreReport(results)
  console.log(text)
  if (values.json) writeFileSync(values.json, JSON.stringify(results, null, 2) + '\n')
  if (values.write) {
    writeSection(fileURLToPath(new URL('README.md', import.meta.url)), { name: 'core', text })
  }
}
