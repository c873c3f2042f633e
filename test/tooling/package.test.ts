// The package as its users get it: packed, installed into an empty folder, imported, run and compiled against.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { environmentOfAUser } from './temporary-project.js'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports: Readonly<Record<string, unknown>>
}

const checkout = join(import.meta.dirname, '..', '..')
const manifest = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as Manifest
const consumer = mkdtempSync(join(tmpdir(), 'fanfare-package-'))
const tarball = join(consumer, `${manifest.name}-${manifest.version}.tgz`)
const attw = join(checkout, 'node_modules/@arethetypeswrong/cli/dist/index.js')
const subpaths = Object.keys(manifest.exports).map((path) => manifest.name + path.slice(1))

/** npm's words for a registry that cannot be reached; the install tests nothing then. */
const NO_NETWORK = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|ETIMEDOUT|ENOTCACHED)\b/

/** npm and the compiler share the machine with the other tests. */
const PATIENT = { timeout: 60_000 }

let unreachable = false

beforeAll(() => {
  run('npm', ['pack', '--pack-destination', consumer], checkout)
  write('package.json', JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  const flags = ['--prefer-offline', '--omit=peer', '--no-audit', '--no-fund']
  const install = spawn('npm', ['install', ...flags, tarball], consumer)
  unreachable = install.status !== 0 && NO_NETWORK.test(install.stderr)
  if (unreachable) console.warn('SKIPPED: the package is not tested, npm reaches no registry')
  else expect(install.status, install.stderr).toBe(0)
}, PATIENT.timeout)

afterAll(() => rmSync(consumer, { recursive: true, force: true }))

describe('installed into an empty folder', PATIENT, () => {
  beforeEach(({ skip }) => skip(unreachable))

  it('brings no build stamp, no source and no test', () => {
    const installed = join(consumer, 'node_modules', manifest.name)
    for (const name of ['dist/.stamp', 'src', 'test', 'scripts', '.prepare']) {
      expect(existsSync(join(installed, name)), name).toBe(false)
    }
  })

  it.each(subpaths)('imports %s', (name) => {
    const attributes = name.endsWith('.json') ? `, { with: { type: 'json' } }` : ''
    const script = `const door = await import('${name}'${attributes}); console.log(Object.keys(door).length)`
    const names = run(process.execPath, ['--input-type=module', '--eval', script], consumer)
    expect(Number(names)).toBeGreaterThan(0)
  })

  it('lets a message through', () => {
    write(
      'hello.mjs',
      `import { openBroker } from '${manifest.name}'
       const broker = await openBroker()
       broker.subscribe('greeting', ({ data }) => console.log(data))
       broker.emit('greeting', 'hello')
       await broker.close()`,
    )
    expect(run(process.execPath, ['hello.mjs'], consumer)).toBe('hello')
  })

  it('runs its executable', () => {
    const executable = join(consumer, 'node_modules', '.bin', 'fanfare')
    expect(run(executable, ['--version'], consumer)).toBe(manifest.version)
  })

  it.each(['5.2', '7.0'])('compiles with TypeScript %s', (version) => {
    const directory = join(consumer, `typescript-${version}`)
    mkdirSync(directory, { recursive: true })
    const flags = [
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--no-save',
      '--prefix',
      directory,
    ]
    const install = spawn('npm', ['install', ...flags, `typescript@~${version}.0`], directory)
    expect(install.status, install.stderr).toBe(0)
    write(
      'catalog.ts',
      `import { command, event, openBroker, query, type StandardSchema } from '${manifest.name}'
      declare function shape<T>(): StandardSchema<T>
      const Placed = event('order.placed', shape<{ id: number }>())
      const Price = event('price.{symbol}', shape<{ bid: number }>())
      const Double = query('math.double', shape<number>(), { reply: shape<number>() })
      const Ship = command('parcel.ship', shape<{ id: number }>())
      const broker = await openBroker({ catalog: [Placed, Price, Double, Ship] })
      broker.emit('price.AAPL', { bid: 1 })
      broker.subscribe('order.*', ({ data }): number => data.id)
      broker.subscribe([Price, 'order.placed'], (message) => {
        const { data } = message
        return message.type === 'price' ? message.data.bid : data
      })
      export const answer: number = await broker.request('math.double', 2)
      await broker.consume('a', 'order.*', ({ data }): number => data.id)
      // @ts-expect-error: not in the catalog
      broker.emit('order.plced', { id: 1 })
      // @ts-expect-error: a query is requested
      broker.emit(Double, 1)
      // @ts-expect-error: a field of another type
      broker.emit(Placed, { id: 'one' })`,
    )
    const compiler = join(directory, 'node_modules', 'typescript', 'bin', 'tsc')
    const lib = ['ES2023', 'ESNext.Disposable', 'DOM']
    compile('catalog.ts', { lib, types: [] }, compiler)
  })

  it('compiles in a strict program, and its core in one for a browser', () => {
    const doors = subpaths.filter((name) => !name.endsWith('.json'))
    const imports = doors.map((name, index) => `export * as door${index} from '${name}'`)
    const program = `import { event, openBroker } from '${manifest.name}'
      const broker = await openBroker()
      broker.subscribe('greeting', (message): string => message.topic)
      // @ts-expect-error: a topic is a string
      broker.emit(1, 'hello')
      export const definition = event('greeting')`
    write('whole.ts', imports.join('\n'))
    write('core.ts', program)
    compile('whole.ts', { lib: ['ES2023', 'ESNext.Disposable'], types: ['node'] })
    compile('core.ts', { lib: ['ES2023', 'ESNext.Disposable', 'DOM'], types: [] })
  })
})

it('has nothing that publint calls wrong', PATIENT, async () => {
  const { messages, pkg } = await publint({ pkgDir: checkout, pack: 'npm', level: 'warning' })
  expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
})

it('has types that every way of resolving finds', PATIENT, () => {
  const outcome = spawn(process.execPath, [attw, tarball, '--profile', 'esm-only'], consumer)
  expect(outcome.status, outcome.stdout).toBe(0)
})

function compile(
  file: string,
  options: Readonly<Record<string, unknown>>,
  compiler = join(checkout, 'node_modules', 'typescript', 'bin', 'tsc'),
): void {
  const compilerOptions = {
    ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true },
    ...{ target: 'ES2022', module: 'NodeNext', skipLibCheck: false },
    typeRoots: [join(checkout, 'node_modules', '@types')],
    ...options,
  }
  write('tsconfig.json', JSON.stringify({ compilerOptions, files: [file] }))
  run(process.execPath, [compiler, '-p', 'tsconfig.json'], consumer)
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(consumer, path)), { recursive: true })
  writeFileSync(join(consumer, path), text)
}

function run(command: string, commandArguments: readonly string[], cwd: string): string {
  const outcome = spawn(command, commandArguments, cwd)
  expect(outcome.status, outcome.stdout + outcome.stderr).toBe(0)
  return outcome.stdout.trim()
}

function spawn(command: string, commandArguments: readonly string[], cwd: string) {
  return spawnSync(command, commandArguments, { cwd, env: environmentOfAUser(), encoding: 'utf8' })
}
