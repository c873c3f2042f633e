// The command line's own files: configuration in; log, pid and ports out. The one place here that touches the disk.
import {
  appendFileSync,
  existsSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FanfareError } from '../base/index.js'

/** Throws CONFIG_INVALID when the file cannot be read. */
export function readTextFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new FanfareError('CONFIG_INVALID', `cannot read ${path}: ${reasonOf(error)}`, {
      cause: error,
      details: { path },
    })
  }
}

export function isThere(path: string): boolean {
  return existsSync(path)
}

/** Whether the module at `url` is the program that was started, also through a link (npm's bin). */
export function isEntryPoint(url: string): boolean {
  const entry = process.argv[1]
  return entry !== undefined && realpathSync(entry) === fileURLToPath(url)
}

export function appendToFile(path: string, text: string): void {
  appendFileSync(path, text)
}

/** Writes the process id; returns what removes the file again. */
export function writePidFile(path: string): () => void {
  return writeWhole(path, `${process.pid}`)
}

export interface PortsFile {
  readonly nats: readonly string[]
  readonly monitoring?: readonly string[]
}

/** Writes `fanfare_<pid>.ports` (nats-server: ports_file_dir), in one step so that nobody reads half of it. */
export function writePortsFile(directory: string, ports: PortsFile): () => void {
  return writeWhole(join(directory, `fanfare_${process.pid}.ports`), JSON.stringify(ports))
}

function writeWhole(path: string, text: string): () => void {
  try {
    writeFileSync(`${path}.tmp`, text)
    renameSync(`${path}.tmp`, path)
  } catch (error) {
    throw new FanfareError('CONFIG_INVALID', `cannot write ${path}: ${reasonOf(error)}`, {
      cause: error,
    })
  }
  return () => rmSync(path, { force: true })
}

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}
