// Prints what Fanfare costs whoever installs and imports it: package size, import time, size of the in-memory core. Only
// the core's size fails, because it is the same on every machine; a slow import is a warning.
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { giveUp, npmCommand, prepare, root } from './prepare.mjs'

const CORE_GZIP_LIMIT_BYTES = 25 * 1024
const IMPORT_GOAL_MS = 30
const IMPORT_RUNS = 10

await prepare({ build: true }).catch(giveUp)

const { packedBytes, unpackedBytes } = measurePackage()
const installedBytes = unpackedBytes + measureDependencies()
const importMs = measureImport()
const core = await measureCore()

print('package, packed', kilobytes(packedBytes))
print('package, unpacked', kilobytes(unpackedBytes))
print('installed with its dependencies', kilobytes(installedBytes))
print(`import 'fanfare'`, `${importMs.toFixed(1)} ms`, `goal ${IMPORT_GOAL_MS} ms`)
print('in-memory core, minified', kilobytes(core.bytes))
print(
  'in-memory core, gzip',
  kilobytes(core.gzipBytes),
  `limit ${kilobytes(CORE_GZIP_LIMIT_BYTES)}`,
)

if (importMs > IMPORT_GOAL_MS) console.error(`warning: import 'fanfare' takes more than its goal`)
if (core.gzipBytes > CORE_GZIP_LIMIT_BYTES) {
  console.error('The in-memory core has outgrown its limit.')
  process.exitCode = 1
}

function measurePackage() {
  const [command, packArguments] = npmCommand(['pack', '--json', '--dry-run', '--ignore-scripts'])
  const report = execFileSync(command, packArguments, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [{ size, unpackedSize }] = JSON.parse(report)
  return { packedBytes: size, unpackedBytes: unpackedSize }
}

/** What a user's npm install brings besides Fanfare: its dependencies and theirs, peers left out. */
function measureDependencies() {
  const require = createRequire(join(root, 'package.json'))
  const { packages } = require('./package-lock.json')
  const isShipped = ([path, { dev, devOptional, optional, peer }]) =>
    path !== '' && !dev && !devOptional && !optional && !peer
  const shipped = Object.entries(packages).filter(isShipped)
  return shipped.reduce((sum, [path]) => sum + measureDirectory(join(root, path)), 0)
}

function measureDirectory(directory) {
  const sizes = readdirSync(directory, { withFileTypes: true }).map((entry) => {
    const path = join(directory, entry.name)
    // A package nested in another is listed in the lockfile by itself.
    if (entry.isDirectory()) return entry.name === 'node_modules' ? 0 : measureDirectory(path)
    return entry.isFile() ? statSync(path).size : 0
  })
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** The median over child processes, bare Node subtracted; the two kinds take turns, so that both see the same weather. */
function measureImport() {
  const entry = pathToFileURL(join(root, 'dist', 'broker', 'index.js')).href
  const bare = []
  const importing = []
  for (let run = 0; run < IMPORT_RUNS; run++) {
    bare.push(timeNode(''))
    importing.push(timeNode(`await import(${JSON.stringify(entry)})`))
  }
  return Math.max(0, median(importing) - median(bare))
}

function timeNode(script) {
  const startedAtMs = performance.now()
  execFileSync(process.execPath, ['--input-type=module', '--eval', script])
  return performance.now() - startedAtMs
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Bundled for a browser, in one piece: what the entry loads at once. What is imported lazily is not counted. */
async function measureCore() {
  const { rolldown } = await import(pathToFileURL(findBundler()).href)
  const bundle = await rolldown({
    input: join(root, 'dist', 'broker', 'index.js'),
    platform: 'browser',
    external: /^node:|^@nats-io\//,
    logLevel: 'silent',
    // Left out, and not cut off: a bundler that makes chunks compresses each by itself, which says nothing of the code.
    plugins: [{ name: 'lazy', resolveDynamicImport: (id) => ({ id: String(id), external: true }) }],
  })
  const { output } = await bundle.generate({ format: 'esm', minify: true })
  await bundle.close()
  const text = Buffer.from(output[0].code)
  return { bytes: text.length, gzipBytes: gzipSync(text, { level: 9 }).length }
}

/** The bundler that vite brings, which vitest brings. */
function findBundler() {
  const vitest = createRequire(join(root, 'package.json')).resolve('vitest/package.json')
  const vite = createRequire(vitest).resolve('vite/package.json')
  return createRequire(vite).resolve('rolldown')
}

function print(what, amount, aim) {
  console.log(`${what.padEnd(34)}${amount.padStart(10)}${aim === undefined ? '' : `   ${aim}`}`)
}

function kilobytes(bytes) {
  return `${(bytes / 1024).toFixed(1)} KB`
}
