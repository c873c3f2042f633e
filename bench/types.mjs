// What a catalog costs the compiler: 500 definitions alone, and with 100 subscriptions by pattern, on each supported compiler.
// `node bench/types.mjs --help` lists the options.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { installLibraries } from './support/in-process/installation.mjs'
import { describeMachine, formatMachine } from './support/machine.mjs'
import { formatTable, writeSection } from './support/markdown.mjs'
import { getMedian } from './support/rounds.mjs'
import { writeDefinitions, writeSubscriptions } from './support/types/program.mjs'

const help = `Usage: npm run bench:types -- [options]
  --quick            one round
  --rounds N         rounds of each program (5)
  --definitions N    definitions of the catalog (500)
  --subscriptions N  subscriptions by pattern (100)
  --write            refresh the table in bench/README.md`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    definitions: { type: 'string', default: '500' },
    subscriptions: { type: 'string', default: '100' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const root = fileURLToPath(new URL('../', import.meta.url))
const compilers = ['typescript-5.9', 'typescript-7']
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5))
const goalSeconds = 2

function run() {
  const directory = mkdtempSync(join(tmpdir(), 'fanfare-types-'))
  try {
    const programs = writePrograms(directory)
    return compilers.map((compiler) => ({ compiler, ...measure(compiler, programs) }))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The compilers see the types that users see: those of `dist`. */
function writePrograms(directory) {
  mkdirSync(join(directory, 'node_modules', '@types'), { recursive: true })
  symlinkSync(root, join(directory, 'node_modules', 'fanfare'), 'dir')
  const nodeTypes = join(root, 'node_modules', '@types', 'node')
  symlinkSync(nodeTypes, join(directory, 'node_modules', '@types', 'node'), 'dir')
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  const definitions = writeDefinitions(Number(values.definitions))
  const subscriptions = writeSubscriptions(Number(values.subscriptions))
  return [
    writeProgram(directory, 'definitions', definitions),
    writeProgram(directory, 'subscriptions', `${definitions}\n${subscriptions}`),
  ]
}

function writeProgram(directory, name, text) {
  writeFileSync(join(directory, `${name}.ts`), text)
  const compilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, types: ['node'] },
    ...{ target: 'ES2022', lib: ['ES2023', 'ESNext.Disposable'], module: 'NodeNext' },
  }
  const project = join(directory, `${name}.json`)
  writeFileSync(project, JSON.stringify({ compilerOptions, files: [`${name}.ts`] }))
  return project
}

/** Rounds alternate, so that a slow moment of the machine meets both programs. */
function measure(compiler, [definitions, subscriptions]) {
  const entry = fileURLToPath(new URL(`node_modules/${compiler}/bin/tsc`, import.meta.url))
  const alone = []
  const both = []
  for (let round = 0; round < rounds; round += 1) {
    alone.push(compile(entry, definitions))
    both.push(compile(entry, subscriptions))
  }
  const more = both.map(({ seconds }, round) => seconds - alone[round].seconds)
  return {
    version: execFileSync(process.execPath, [entry, '--version'], { encoding: 'utf8' }).trim(),
    alone: getMedian(alone.map(({ seconds }) => seconds)),
    both: getMedian(both.map(({ seconds }) => seconds)),
    more: getMedian(more),
    instantiations: both[0].instantiations - alone[0].instantiations,
  }
}

/** What the compiler itself says of its time; a program that does not compile fails here. */
function compile(entry, project) {
  const command = [entry, '-p', project, '--extendedDiagnostics']
  const report = execFileSync(process.execPath, command, { encoding: 'utf8' })
  const read = (name) =>
    Number.parseFloat(report.match(new RegExp(`^${name}:\\s+([\\d.]+)`, 'm'))[1])
  return { seconds: read('Total time'), instantiations: read('Instantiations') }
}

function format(results) {
  const seconds = (value) => `${value.toFixed(2)} s`
  const rows = results.map(({ version, alone, both, more, instantiations }) => [
    version,
    seconds(alone),
    seconds(both),
    seconds(more),
    `${Math.round(instantiations / 1000)} K`,
  ])
  const head = ['compiler', 'definitions', 'and subscriptions', 'more', 'instantiations more']
  const { definitions, subscriptions } = values
  return [
    formatMachine(describeMachine(), { rounds }),
    `${definitions} definitions, ${subscriptions} subscriptions by pattern; medians.`,
    '',
    formatTable({ head, rows }),
  ].join('\n')
}

if (values.help) {
  console.log(help)
} else {
  installLibraries()
  const results = run()
  const text = format(results)
  console.log(text)
  const slow = results.filter(({ more }) => more > goalSeconds)
  for (const { version } of slow) console.error(`${version} is over the goal of ${goalSeconds} s`)
  if (slow.length > 0) process.exitCode = 1
  if (values.write) {
    writeSection(fileURLToPath(new URL('README.md', import.meta.url)), { name: 'types', text })
  }
}
