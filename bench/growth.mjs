// Whether publishing stays as fast, and memory as small, when everything else grows; how long a directory takes to open again;
// how late receipts are while other work goes on. `node bench/growth.mjs --help` lists the options.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { formatGrowthReport } from './support/growth/report.mjs'
import { directories, families, scaleCounts, scaleDirectory } from './support/growth/rows.mjs'
import { scenarios } from './support/growth/steadiness.mjs'
import { describeMachine } from './support/machine.mjs'
import { writeSection } from './support/markdown.mjs'
import { findMemoryFileSystem, withDirectory } from './support/place.mjs'

const works = [...families.map(({ name }) => name), 'reopening', 'steadiness']

const help = `Usage: npm run bench:growth -- [options]
  --quick             one short round at a hundredth of full size
  --only LIST         some of ${works.join(',')}
  --scale SHARE       of full size, which is 10 M messages (0.1)
  --rounds N          rounds of each row (3)
  --duration MS       how long publishing is measured (1500)
  --directory PATH    where data is put (the system's temporary directory)
  --json FILE         write every round's numbers
  --write             refresh the tables in bench/README.md`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    scale: { type: 'string' },
    rounds: { type: 'string' },
    duration: { type: 'string' },
    directory: { type: 'string', default: tmpdir() },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const wanted = {
  works: values.only?.split(',') ?? works,
  scale: Number(values.scale ?? (values.quick ? 0.01 : 0.1)),
  rounds: Number(values.rounds ?? (values.quick ? 1 : 3)),
  durationMs: Number(values.duration ?? (values.quick ? 400 : 1_500)),
  root: values.directory,
}

const program = fileURLToPath(new URL('support/growth/measure.mjs', import.meta.url))
const runProgram = promisify(execFile)

async function run() {
  const results = {
    machine: describeMachine(),
    rounds: wanted.rounds,
    scale: wanted.scale,
    families: [],
    reopening: [],
    steadiness: [],
  }
  for (const family of families) {
    if (wanted.works.includes(family.name)) results.families.push(await runFamily(family))
  }
  if (wanted.works.includes('reopening')) results.reopening = await runReopening()
  if (wanted.works.includes('steadiness')) results.steadiness = await runSteadiness()
  return results
}

async function runFamily({ measurement, unit, counts }) {
  const { durationMs, scale } = wanted
  const rows = scaleCounts(counts, scale).map((count) => ({ count, rounds: [] }))
  await interleave(rows, `${unit}:`, ({ count }) =>
    withDirectory(wanted.root, (directory) =>
      measure(measurement, { directory, count, durationMs }),
    ),
  )
  return { unit, rows }
}

async function runReopening() {
  const rows = directories.map((row) => {
    const size = scaleDirectory(row, wanted.scale)
    return { ...size, size, rounds: [] }
  })
  await interleave(rows, 'reopening:', ({ size }) =>
    withDirectory(wanted.root, async (directory) => {
      await measure('buildDirectory', { ...size, directory })
      const killed = await measure('reopenDirectory', { ...size, directory })
      const closed = await measure('reopenDirectory', { ...size, directory })
      return {
        afterKillMs: killed.elapsedMs,
        afterCloseMs: closed.elapsedMs,
        residentBytes: closed.residentBytes,
      }
    }),
  )
  return rows
}

async function runSteadiness() {
  const rows = scenarios.map(({ name }) => ({ name, rounds: [] }))
  await interleave(rows, 'steadiness:', ({ name: scenarioName }) =>
    withDirectory(wanted.root, (directory) =>
      measure('measureSteadiness', { directory, scenarioName, durationMs: wanted.durationMs }),
    ),
  )
  return rows
}

async function interleave(rows, title, measureRow) {
  for (let round = 0; round < wanted.rounds; round += 1) {
    for (const row of rows) {
      const result = await measureRow(row).catch(({ message }) => ({ failure: message }))
      row.rounds.push(result)
      console.error(title, row.name ?? row.count, JSON.stringify(result))
    }
  }
}

/** In a process of its own. The one that builds a directory ends by killing itself. */
async function measure(name, parameters) {
  const programArguments = ['--expose-gc', program, name, JSON.stringify(parameters)]
  try {
    const { stdout } = await runProgram(process.execPath, programArguments)
    return JSON.parse(stdout)
  } catch (error) {
    if (name === 'buildDirectory' && error.signal === 'SIGKILL') return {}
    const complaint = `${error.stderr ?? ''}`.match(/^\w*Error.*$/m)?.[0]
    throw new Error(complaint ?? error.message.split('\n')[0], { cause: error })
  }
}

if (values.help) {
  console.log(help)
} else {
  const inMemory = findMemoryFileSystem(wanted.root)
  if (inMemory !== undefined) {
    console.error(`\n*** ${wanted.root} is ${inMemory}: nothing is synced there ***\n`)
  }
  const results = await run()
  const text = formatGrowthReport(results)
  console.log(text)
  if (values.json) writeFileSync(values.json, JSON.stringify(results, null, 2) + '\n')
  if (values.write) {
    writeSection(fileURLToPath(new URL('README.md', import.meta.url)), { name: 'growth', text })
  }
}
