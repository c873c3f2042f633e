// Durable publishing, consuming and replaying, peers side by side in one run: the raw floor, Fanfare at three levels, and what
// one would take otherwise. `node bench/durable.mjs --help` lists the options.
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { contenders } from './support/durable/contenders.mjs'
import { startContestant } from './support/durable/contestant.mjs'
import { formatDurableReport } from './support/durable/report.mjs'
import { installLibraries } from './support/in-process/installation.mjs'
import { describeMachine } from './support/machine.mjs'
import { writeSection } from './support/markdown.mjs'
import { formatNumber } from './support/numbers.mjs'
import { findMemoryFileSystem } from './support/place.mjs'

const works = ['publish', 'consume', 'replay']

const help = `Usage: npm run bench:durable -- [options]
  --quick             one short round of 128 B and 16 KiB, 1 and 1,000 in flight
  --only LIST         some of ${works.join(',')}
  --payloads LIST     payload sizes in bytes (128,1024,16384)
  --in-flight LIST    unconfirmed messages (1,10,1000,10000)
  --peers LIST        some of the contenders, by name, separated by ';':
                      ${contenders.map(({ name }) => name).join('; ')}
  --rounds N          rounds of each cell (3)
  --duration MS       how long a round lasts (1500)
  --directory PATH    where data is put (the system's temporary directory)
  --json FILE         write every round's numbers
  --write             refresh the tables in bench/README.md`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    payloads: { type: 'string' },
    'in-flight': { type: 'string' },
    peers: { type: 'string' },
    rounds: { type: 'string' },
    duration: { type: 'string' },
    directory: { type: 'string', default: tmpdir() },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const toNumbers = (list) => list.split(',').map(Number)

const wanted = {
  works: values.only?.split(',') ?? works,
  payloads: toNumbers(values.payloads ?? (values.quick ? '128,16384' : '128,1024,16384')),
  windows: toNumbers(values['in-flight'] ?? (values.quick ? '1,1000' : '1,10,1000,10000')),
  contenders: values.peers?.split(';').map((name) => name.trim()),
  rounds: Number(values.rounds ?? (values.quick ? 1 : 3)),
  durationMs: Number(values.duration ?? (values.quick ? 500 : 1_500)),
  root: values.directory,
}

async function run() {
  const results = {
    machine: describeMachine(),
    rounds: wanted.rounds,
    contenders: findContenders(),
    publish: [],
    consume: [],
    replay: [],
  }
  const contestants = await startAll(results)
  try {
    for (const work of wanted.works) results[work] = await measureAll(work, contestants)
  } finally {
    for (const contestant of contestants) await contestant.stop()
  }
  return results
}

function findContenders() {
  const chosen = contenders.filter(
    ({ name }) => wanted.contenders === undefined || wanted.contenders.includes(name),
  )
  return chosen.map(({ name, driverName, settings, missing, isOurs, findVersion }) => {
    const version = findVersion()
    if (version === undefined) console.error(`\n*** MISSING: ${name}: ${missing} ***\n`)
    return { name, driverName, settings, missing, isOurs, version }
  })
}

/** All run at once, but only one at a time has work. */
async function startAll({ contenders: found }) {
  const contestants = []
  for (const contender of contenders) {
    if (!found.some(({ name, version }) => name === contender.name && version !== undefined))
      continue
    try {
      contestants.push(await startContestant(contender, { root: wanted.root }))
    } catch (error) {
      console.error(`\n*** DID NOT START: ${error.message} ***\n`)
    }
  }
  return contestants
}

async function measureAll(work, contestants) {
  const results = []
  for (const payloadBytes of wanted.payloads) {
    const windows = work === 'replay' ? [undefined] : wanted.windows
    for (const inFlight of windows) {
      results.push(...(await measureCell({ work, payloadBytes, inFlight }, contestants)))
    }
  }
  return results
}

/** Every contender in each round, so that a disturbance of the machine meets all of them. */
async function measureCell({ work, payloadBytes, inFlight }, contestants) {
  const { durationMs } = wanted
  const fill = ['fill', { payloadBytes, durationMs }]
  const measured = [work, { inFlight, durationMs }]
  const steps = work === 'publish' ? [measured] : [fill, measured]
  const cells = contestants.map((contestant) => ({ contestant, rounds: [] }))
  for (let round = 0; round < wanted.rounds; round += 1) {
    for (const { contestant, rounds } of cells) {
      const result = await contestant.measure({ payloadBytes, steps })
      rounds.push(result)
      report([work, `${payloadBytes} B`, inFlight ?? '', contestant.contender.name], result)
    }
  }
  return cells
    .filter(({ rounds }) => rounds.some(({ isAbsent }) => !isAbsent))
    .map(({ contestant, rounds }) => ({
      payloadBytes,
      inFlight,
      contender: contestant.contender.name,
      rounds,
    }))
}

function report(words, { failure, isAbsent, messages, elapsedMs, medianMs, percentile99Ms }) {
  if (isAbsent) return
  const latency =
    medianMs === undefined
      ? ''
      : `, p50 ${formatNumber(medianMs * 1000)} µs, p99 ${formatNumber(percentile99Ms * 1000)} µs`
  const text = failure ?? `${formatNumber(messages / elapsedMs)} K/s${latency}`
  console.error(
    words
      .map((word) => String(word).padEnd(9))
      .join(' ')
      .padEnd(52),
    text,
  )
}

if (values.help) {
  console.log(help)
} else {
  const inMemory = findMemoryFileSystem(wanted.root)
  if (inMemory !== undefined) {
    console.error(`\n*** ${wanted.root} is ${inMemory}: nothing is synced there ***\n`)
  }
  installLibraries()
  const results = await run()
  const text = formatDurableReport(results)
  console.log(text)
  if (values.json) writeFileSync(values.json, JSON.stringify(results, null, 2) + '\n')
  if (values.write) {
    writeSection(fileURLToPath(new URL('README.md', import.meta.url)), { name: 'durable', text })
  }
}
