// npm run crash: thousands of crashes with fresh seeds: prepares, builds, and runs test/crash with other amounts than every run of the
// tests can afford. `npm run crash -- --help` lists the options; what is printed first runs the same again.
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { giveUp, prepare, root } from './prepare.mjs'

/** What each suite does by default, and the file and the variable of the environment that it knows. */
const SUITES = {
  process: { amount: 2_000, file: 'process-crash', what: 'kills of a process with a mixed load' },
  once: {
    amount: 1_000,
    file: 'exactly-once',
    what: 'kills of a process that transforms exactly once',
  },
  power: {
    amount: 300,
    file: 'power-loss',
    what: 'seeds for each trouble of a disk that stands still',
  },
  flips: { amount: 1_000, file: 'damage', what: 'bits turned over at rest' },
  keys: { amount: 500, file: 'key-order', what: 'seeds of order by key' },
}

const help = `Usage: npm run crash -- [options]
${Object.entries(SUITES)
  .map(([name, { amount, what }]) => `  --${name} N`.padEnd(16) + `${what} (${amount}; 0: none)`)
  .join('\n')}
  --only LIST   some of ${Object.keys(SUITES).join(',')}
  --seed N      the first seed of each suite (a random one)
  --keep DIR    where directories and diaries of failures are kept`

const { values } = parseArgs({
  options: {
    ...Object.fromEntries(Object.keys(SUITES).map((name) => [name, { type: 'string' }])),
    only: { type: 'string' },
    seed: { type: 'string' },
    keep: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(help)
  process.exit()
}

const only = values.only?.split(',') ?? Object.keys(SUITES)
const unknown = only.find((name) => SUITES[name] === undefined)
if (unknown !== undefined) {
  console.error(`--only knows no '${unknown}'.\n${help}`)
  process.exit(1)
}
const amounts = only
  .map((name) => [name, Number(values[name] ?? SUITES[name].amount)])
  .filter(([, amount]) => amount > 0)
const seed = Number(values.seed ?? randomInt(1, 1_000_000_000))

await prepare({ build: true }).catch(giveUp)
console.log(
  `npm run crash -- --seed ${seed} ${amounts.map(([name, n]) => `--${name} ${n}`).join(' ')}`,
)
const files = amounts.map(([name]) => `test/crash/${SUITES[name].file}.test.ts`)
const vitest = spawn(
  process.execPath,
  [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...files],
  { cwd: root, stdio: 'inherit', env: environment() },
)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => vitest.kill(signal))
vitest.on('close', (code) => {
  process.exitCode = code ?? 1
})

function environment() {
  const variables = { FANFARE_CRASH_SEED: String(seed) }
  for (const [name, amount] of amounts) {
    variables[`FANFARE_CRASH_${name.toUpperCase()}`] = String(amount)
  }
  if (values.keep !== undefined) variables.FANFARE_CRASH_KEEP = resolve(values.keep)
  return { ...process.env, ...variables }
}
