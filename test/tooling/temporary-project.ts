// A project of its own in a temporary folder with the real scripts, for tests of what they do on a clean checkout. Compiler
// and test runner are stand-ins installed from beside it, so that npm ci is real and takes no network.
import { spawn, type ChildProcess } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const checkout = join(import.meta.dirname, '..', '..')

/** Copies src to the folder after --outDir, and fails where a source says so. */
const COMPILER = `
import { cpSync, readFileSync, readdirSync } from 'node:fs'
for (const name of readdirSync('src', { recursive: true })) {
  if (!name.endsWith('.js') || !readFileSync('src/' + name, 'utf8').includes('TYPE ERROR')) continue
  console.log('src/' + name + '(1,1): error TS2322: on standard output')
  console.error('and more on standard error')
  process.exit(2)
}
cpSync('src', process.argv[process.argv.indexOf('--outDir') + 1], { recursive: true })
`

/** Says what it was asked, and closes as the real reporter does. */
const TEST_RUNNER = `
const [, , ...asked] = process.argv
console.log('asked ' + asked.filter((argument) => !argument.startsWith('--reporter')).join(' '))
process.send?.({ closingLine: '3 passed, 1 failed, 2 skipped' })
process.exitCode = 7
`

/** A server that runs until a signal, and leaves with a code of its own. */
const SERVER = `
export async function main(asked) {
  const alive = setInterval(() => {}, 1000)
  for (const [signal, code] of [['SIGINT', 0], ['SIGTERM', 5]]) {
    process.on(signal, () => {
      console.log('stopped by ' + signal)
      process.exitCode = code
      clearInterval(alive)
    })
  }
  console.log('serving ' + process.pid + ' ' + asked.join(' '))
}
`

export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly environment?: Record<string, string>
}

export class TemporaryProject {
  readonly #parent: string
  readonly root: string
  readonly #children = new Set<ChildProcess>()

  constructor(name = 'project') {
    this.#parent = mkdtempSync(join(tmpdir(), 'fanfare-tooling-'))
    this.root = join(this.#parent, name)
    mkdirSync(this.root)
    cpSync(join(checkout, 'scripts'), join(this.root, 'scripts'), { recursive: true })
    this.#writeManifests()
    this.write('stubs/typescript/bin/tsc', COMPILER)
    this.write('stubs/vitest/vitest.mjs', TEST_RUNNER)
    for (const name of ['typescript', 'vitest']) {
      this.write(`stubs/${name}/package.json`, JSON.stringify({ version: '1.0.0', type: 'module' }))
    }
    this.write('tsconfig.build.json', '{}')
    this.write('src/cli/main.js', SERVER)
  }

  write(path: string, text: string): void {
    const file = join(this.root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true, force: true })
  }

  listBuild(): readonly string[] {
    return readdirSync(join(this.root, 'dist'), { recursive: true, encoding: 'utf8' }).sort()
  }

  npm(commandArguments: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return outcomeOf(this.start('npm', commandArguments, options))
  }

  node(commandArguments: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return outcomeOf(this.start(process.execPath, commandArguments, options))
  }

  start(
    command: string,
    commandArguments: readonly string[],
    options: RunOptions = {},
  ): ChildProcess {
    const child = spawn(command, commandArguments, {
      // A group of its own, so that whatever it started can be ended with it.
      detached: true,
      cwd: options.cwd ?? this.root,
      env: { ...environmentOfAUser(), ...options.environment },
    })
    this.#children.add(child)
    child.once('close', () => this.#children.delete(child))
    return child
  }

  discard(): void {
    for (const child of this.#children) process.kill(-child.pid!, 'SIGKILL')
    rmSync(this.#parent, { recursive: true, force: true })
  }

  #writeManifests(): void {
    const stubs = ['typescript', 'vitest']
    const { engines, scripts } = JSON.parse(
      readFileSync(join(checkout, 'package.json'), 'utf8'),
    ) as { engines: unknown; scripts: unknown }
    const devDependencies = Object.fromEntries(stubs.map((name) => [name, `file:stubs/${name}`]))
    const manifest = {
      name: 'fanfare',
      version: '1.0.0',
      type: 'module',
      engines,
      scripts,
      devDependencies,
    }
    const links = stubs.flatMap((name) => [
      [`node_modules/${name}`, { resolved: `stubs/${name}`, link: true }],
      [`stubs/${name}`, { version: '1.0.0', dev: true }],
    ])
    const packages = { '': manifest, ...(Object.fromEntries(links) as object) }
    const lockfile = { name: 'fanfare', version: '1.0.0', lockfileVersion: 3, packages }
    this.write('package.json', JSON.stringify(manifest))
    this.write('package-lock.json', JSON.stringify(lockfile))
  }
}

export function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const output = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
  return new Promise((done) => {
    child.once('close', (code, signal) => done({ code, signal, ...output }))
  })
}

/** What a user's shell has: nothing that npm and vitest have set for the test that is running. */
export function environmentOfAUser(): NodeJS.ProcessEnv {
  const isOurs = (name: string): boolean =>
    /^(npm_(?!config_(cache|registry|userconfig|globalconfig)$)|VITEST|NODE_ENV$|NODE_OPTIONS$|INIT_CWD$|DEV$|TEST$|MODE$|PROD$|SSR$|BASE_URL$)/i.test(
      name,
    )
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isOurs(name)))
}
