// The libraries are installed here and never by the root, and again whenever the lockfile changes.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const directory = fileURLToPath(new URL('../../', import.meta.url))
const stampFile = `${directory}node_modules/.stamp`

export function installLibraries() {
  const lockfile = readFileSync(`${directory}package-lock.json`)
  const stamp = createHash('sha256').update(lockfile).digest('hex')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  console.error('Installing the libraries to compare with (npm ci in bench/)')
  // Without scripts: what is native comes as a prebuilt package, and nothing is compiled.
  const npmArguments = ['ci', '--ignore-scripts', '--no-audit', '--no-fund']
  execFileSync('npm', npmArguments, { cwd: directory, stdio: 'inherit' })
  writeFileSync(stampFile, stamp)
}

/** The version of each installed library by name. */
export function getInstalledVersions() {
  const require = createRequire(import.meta.url)
  const { dependencies } = require(`${directory}package.json`)
  return new Map(Object.entries(dependencies))
}
