// The version of this package, from its own package.json.
import { fileURLToPath } from 'node:url'
import { readTextFile } from './files.js'

export function packageVersion(): string {
  const path = fileURLToPath(new URL('../../package.json', import.meta.url))
  return (JSON.parse(readTextFile(path)) as { version: string }).version
}
