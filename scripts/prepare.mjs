// Brings a checkout to the state its scripts need: dependencies installed, dist built. It runs inside the commands,
// because npm's pre and post scripts are skipped under ignore-scripts, and uses nothing but Node, because it runs before
// the install. A stamp is written last, so an interrupted step is always done again.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { constants } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { compile } from './compile.mjs'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const modulesDirectory = join(root, 'node_modules')
const installStampFile = join(modulesDirectory, '.fanfare-stamp')
const buildStampFile = join(root, 'dist', '.stamp')

/** Made by whoever prepares, gone when it is done; mkdir either makes it or fails, so it is the lock as well. */
const workDirectory = join(root, '.prepare')
const LOCK_POLL_MS = 100
/** A lock without a process id is just being made, or was left by a killed preparation. */
const UNNAMED_LOCK_STALE_MS = 10_000
/** Process ids are reused: no honest preparation takes this long. */
const LOCK_STALE_MS = 15 * 60_000

/** What went wrong, ready to be shown as it is: the message holds the failed command's whole output. */
export class PreparationFailure extends Error {}

/**
 * Installs when the lockfile, the platform or Node changed, then builds as `build` says: `false` not at all, `true` when
 * the sources changed, `'always'` in any case. Two preparations of one checkout take turns.
 */
export async function prepare({ build = false } = {}) {
  const fault = findNodeFault(process.versions.node, readPackage().engines.node)
  if (fault !== undefined) throw new PreparationFailure(fault)
  if (isInstalled() && (build === false || (build === true && isBuilt()))) return
  await whileLocked(async (run) => {
    if (!isInstalled()) await install(run)
    if (build === 'always' || (build && !isBuilt())) {
      // Taken before compiling: a source saved meanwhile makes the next run build again.
      const stamp = buildStamp()
      say('Building ...')
      await compile({ root, workDirectory, stamp, run })
    }
  })
}

/** Says why this Node cannot be used, `undefined` when it can; `range` is the `>=20.19` of package.json. */
export function findNodeFault(version, range) {
  const [neededMajor, neededMinor] = range.match(/\d+/g).map(Number)
  const [major, minor] = version.split('.').map(Number)
  if (major > neededMajor || (major === neededMajor && minor >= (neededMinor ?? 0)))
    return undefined
  return `Fanfare needs Node ${neededMajor}.${neededMinor} or newer; this is Node ${version}.`
}

/** Ends the process after a failed preparation, without a stack trace where the message says it all. */
export function giveUp(error) {
  console.error(error instanceof PreparationFailure ? error.message : error)
  process.exit(1)
}

function isInstalled() {
  if (isSymbolicLink(modulesDirectory)) {
    checkBorrowedModules()
    return true
  }
  return readIfThere(installStampFile) === installStamp()
}

/** A worktree borrows the modules of the main checkout and must not install into them, only say what they lack. */
function checkBorrowedModules() {
  const { packages } = JSON.parse(readLockfile())
  const missing = Object.entries(packages)
    .filter(([path, { optional, devOptional, peer }]) => {
      const isNeeded = path.startsWith('node_modules/') && !optional && !devOptional && !peer
      return isNeeded && !existsSync(join(root, path))
    })
    .map(([path]) => path.slice('node_modules/'.length))
  if (missing.length === 0) return
  const examples = missing.slice(0, 3).join(', ') + (missing.length > 3 ? ' and others' : '')
  throw new PreparationFailure(
    `node_modules is a link to ${readlinkSync(modulesDirectory)}, where ${examples} cannot be found. ` +
      'Nothing is installed through a link: run npm ci where it leads.',
  )
}

function isBuilt() {
  return readIfThere(buildStampFile) === buildStamp()
}

async function install(run) {
  rmSync(installStampFile, { force: true })
  say('Installing dependencies (npm ci) ...')
  const lockfile = readLockfile()
  // Said in full, because NODE_ENV=production and a user's npm configuration may say otherwise.
  const whole = [
    '--include=dev',
    '--include=optional',
    '--no-dry-run',
    '--install-strategy=hoisted',
  ]
  const here = ['--no-global', '--prefix', root]
  await run(...npmCommand(['ci', ...whole, ...here, '--no-audit', '--no-fund']))
  mkdirSync(modulesDirectory, { recursive: true })
  writeFileSync(installStampFile, installStamp(lockfile))
}

/** npm names itself to the scripts it runs; other package managers do so too, and cannot read npm's lockfile. */
export function npmCommand(commandArguments) {
  const npm = process.env.npm_execpath
  const isNpm = npm !== undefined && /^npm(-cli)?\.[cm]?js$/.test(basename(npm)) && existsSync(npm)
  return isNpm ? [process.execPath, [npm, ...commandArguments]] : ['npm', commandArguments]
}

/** npm keeps a list of what it has installed: a later npm prune or npm install --omit=dev changes it. */
function installStamp(lockfile = readLockfile()) {
  const installed = readIfThere(join(modulesDirectory, '.package-lock.json')) ?? ''
  const machine = [process.platform, process.arch, process.versions.modules].join(' ')
  const hash = createHash('sha256')
  for (const part of [lockfile, installed, machine]) hash.update(`${part.length}\n${part}`)
  return hash.digest('hex')
}

function readLockfile() {
  return readFileSync(join(root, 'package-lock.json'), 'utf8')
}

function buildStamp() {
  const names = readdirSync(root).filter((name) =>
    /^(tsconfig.*|package(-lock)?)\.json$/.test(name),
  )
  const hash = createHash('sha256')
  for (const name of [...names, ...listFiles('src')].sort()) {
    const content = readFileSync(join(root, name))
    hash.update(`${name} ${content.length}\n`).update(content)
  }
  return hash.digest('hex')
}

function listFiles(directory) {
  return readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = `${directory}/${entry.name}`
    return entry.isDirectory() ? listFiles(path) : [path]
  })
}

async function whileLocked(work) {
  await acquireLock()
  const job = { children: new Set(), isStopping: false }
  const stop = async (signal) => {
    job.isStopping = true
    const ends = [...job.children].map((child) => new Promise((done) => child.once('close', done)))
    for (const child of job.children) child.kill(signal)
    await Promise.all(ends)
    rmSync(workDirectory, { recursive: true, force: true })
    process.exit(128 + constants.signals[signal])
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  try {
    await work((command, commandArguments) => runQuietly(command, commandArguments, job))
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
    rmSync(workDirectory, { recursive: true, force: true })
  }
}

async function acquireLock() {
  for (let attempt = 0; !tryLock(); attempt++) {
    if (attempt === 10) say('Waiting for another preparation of this checkout ...')
    if (isLockStale()) discardLock()
    else await new Promise((done) => setTimeout(done, LOCK_POLL_MS))
  }
}

function tryLock() {
  try {
    mkdirSync(workDirectory)
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
  writeFileSync(join(workDirectory, 'pid'), String(process.pid))
  return true
}

function isLockStale() {
  const modifiedAtMs = statSync(workDirectory, { throwIfNoEntry: false })?.mtimeMs
  if (modifiedAtMs === undefined) return false
  const ageMs = Date.now() - modifiedAtMs
  const pid = readIfThere(join(workDirectory, 'pid'))
  if (pid === undefined || pid === '') return ageMs > UNNAMED_LOCK_STALE_MS
  return ageMs > LOCK_STALE_MS || !isRunning(Number(pid))
}

/** Renamed first: of two that find the lock stale, one gets it and the other finds nothing. */
function discardLock() {
  const discarded = `${workDirectory}-${process.pid}`
  try {
    renameSync(workDirectory, discarded)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  rmSync(discarded, { recursive: true, force: true })
}

function isRunning(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/**
 * Runs a command without showing what it prints, unless it fails: then all of it is in the failure. While the job stops it
 * never settles: the signal decides how the process ends, not the failure that the signal caused.
 */
function runQuietly(command, commandArguments, job) {
  return new Promise((succeed, fail) => {
    // A shell is what finds npm.cmd on Windows.
    const shell = process.platform === 'win32' && command === 'npm'
    const options = { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], shell }
    const child = spawn(command, commandArguments, options)
    const output = []
    job.children.add(child)
    child.stdout.on('data', (chunk) => output.push(chunk))
    child.stderr.on('data', (chunk) => output.push(chunk))
    const failWith = (reason) => {
      const line = [command, ...commandArguments].join(' ')
      fail(new PreparationFailure(`${Buffer.concat(output)}\n${line}\n${reason}`))
    }
    child.on('error', (error) => failWith(error.message))
    child.on('close', (code, signal) => {
      job.children.delete(child)
      if (job.isStopping) return
      if (code === 0) succeed()
      else failWith(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`)
    })
  })
}

function readPackage() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    // Not asked for before: another process may take it away in between.
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function isSymbolicLink(path) {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}

/** On standard error: what a command prints on standard output is its own. */
function say(line) {
  console.error(line)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await prepare({ build: process.argv.includes('--build') }).catch(giveUp)
}
