// Emitting within one process, Fanfare beside the libraries one would otherwise take.
// `node bench/process.mjs --help` lists the options.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { getInstalledVersions, installLibraries } from './support/in-process/installation.mjs'
import { layers } from './support/in-process/layers.mjs'
import { libraries } from './support/in-process/libraries.mjs'
import { formatLayers, formatProcessReport } from './support/in-process/report.mjs'
import { workloads } from './support/in-process/workloads.mjs'
import { describeMachine } from './support/machine.mjs'
import { writeSection } from './support/markdown.mjs'

const help = `Usage: npm run bench:process -- [options]
  --quick        one short round
  --only WHAT    libraries: beside others; layers: what each layer of Fanfare adds
  --peers LIST   some of ${libraries.map(({ name }) => name).join(',')}
  --rounds N     rounds of each cell (5)
  --json FILE    write every round's numbers
  --write        refresh the tables in bench/README.md`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    peers: { type: 'string' },
    rounds: { type: 'string' },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const wantedRounds = Number(values.rounds ?? (values.quick ? 1 : 5))
const durationMs = values.quick ? 200 : 600
const programOf = (name) =>
  fileURLToPath(new URL(`support/in-process/${name}.mjs`, import.meta.url))
const brokerModule = fileURLToPath(new URL('../dist/broker/index.js', import.meta.url))
const rootPackage = fileURLToPath(new URL('../package.json', import.meta.url))

function findLibraries() {
  const versions = getInstalledVersions()
  versions.set('EventEmitter', process.version)
  if (existsSync(brokerModule))
    versions.set('fanfare', JSON.parse(readFileSync(rootPackage)).version)
  else
    console.error(
      '\n*** MISSING: fanfare: dist/broker/index.js does not exist: npm run build ***\n',
    )
  const chosen = values.peers?.split(',') ?? libraries.map(({ name }) => name)
  return libraries
    .filter(({ name }) => chosen.includes(name))
    .map(({ name, note, hasWildcards }) => ({
      name,
      note,
      hasWildcards,
      version: versions.get(name),
    }))
}

function run() {
  const results = {
    machine: describeMachine(),
    rounds: wantedRounds,
    libraries: findLibraries(),
    cells: [],
  }
  const present = results.libraries.filter(({ version }) => version !== undefined)
  workloads.forEach((workload, workloadIndex) => {
    const cells = present
      .filter(({ hasWildcards }) => hasWildcards || !workload.isWildcard)
      .map(({ name }) => ({ workload: workload.name, library: name, rounds: [] }))
    results.cells.push(...cells)
    for (let round = 0; round < wantedRounds; round += 1) {
      for (const { library, rounds } of cells) {
        const result = measure('measure-library', library, workloadIndex)
        rounds.push(result)
        const rate = `${(result.emitsPerSecond / 1e6).toFixed(2)} M/s`
        console.error(workload.name.padEnd(46), library.padEnd(14), result.failure ?? rate)
      }
    }
  })
  return results
}

function runLayers() {
  const cells = layers.map(({ name, base }) => ({ name, base, rounds: [] }))
  for (let round = 0; round < wantedRounds; round += 1) {
    cells.forEach(({ name, rounds }, index) => {
      const result = measure('measure-layer', index)
      rounds.push(result)
      console.error(name.padEnd(61), result.failure ?? `${result.nanoseconds.toFixed(0)} ns`)
    })
  }
  return cells
}

function measure(program, ...terms) {
  try {
    const output = execFileSync(
      process.execPath,
      [programOf(program), ...terms.map(String), `${durationMs}`],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    )
    return JSON.parse(output)
  } catch (error) {
    const complaint = `${error.stderr ?? ''}`.match(/^\w*Error.*$/m)?.[0]
    return { failure: complaint ?? error.message }
  }
}

if (values.help) {
  console.log(help)
} else {
  installLibraries()
  const results = values.only === 'layers' ? undefined : run()
  const layerCells = values.only === 'libraries' ? undefined : runLayers()
  const machine = describeMachine()
  const sections = [
    results && { name: 'process', text: formatProcessReport(results) },
    layerCells && {
      name: 'layers',
      text: formatLayers(layerCells, { machine, rounds: wantedRounds }),
    },
  ].filter(Boolean)
  const text = sections.map((section) => section.text).join('\n\n')
  console.log(text)
  if (values.json)
    writeFileSync(values.json, JSON.stringify({ ...results, layers: layerCells }, null, 2) + '\n')
  if (values.write) {
    const file = fileURLToPath(new URL('README.md', import.meta.url))
    for (const section of sections) writeSection(file, section)
  }
}
