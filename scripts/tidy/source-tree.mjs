// The sources of a checkout as a graph: every file under src with what it says about itself, and its imports resolved.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, posix } from 'node:path'
import { readSourceFile } from './source-file.mjs'

/**
 * Paths are relative to src, with `/`. An import carries `target`, the path it leads to inside src, or `package`, the
 * specifier of something installed or built in; neither means that it leads nowhere, or, without a `specifier`, that only
 * running the program tells.
 */
export function readSourceTree(root) {
  const paths = existsSync(join(root, 'src')) ? listSources(join(root, 'src'), '') : []
  const files = new Map(
    paths
      .sort()
      .map((path) => [path, readSourceFile(path, readFileSync(join(root, 'src', path), 'utf8'))]),
  )
  for (const file of files.values()) {
    for (const entry of file.imports) {
      if (entry.specifier === undefined) continue
      if (entry.specifier.startsWith('.')) entry.target = resolve(file.path, entry.specifier, files)
      else entry.package = entry.specifier
    }
  }
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return { root, files, manifest, entries: listEntries(manifest) }
}

export function folderOf(path) {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : undefined
}

function listSources(directory, prefix) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = prefix + entry.name
    if (entry.isDirectory()) return listSources(join(directory, entry.name), `${path}/`)
    return /\.[cm]?tsx?$/.test(entry.name) ? [path] : []
  })
}

function resolve(from, specifier, files) {
  const path = posix.join(posix.dirname(from), specifier)
  const candidates = [path, path.replace(/\.js$/, '.ts'), path.replace(/\.([cm])js$/, '.$1ts')]
  return candidates.find((candidate) => files.has(candidate))
}

/** The sources that package.json publishes: whatever its exports and bin lead to. */
function listEntries({ exports = {}, bin = {} }) {
  const leaves = (value) =>
    typeof value === 'object' ? Object.values(value ?? {}).flatMap(leaves) : [value]
  const sources = leaves([exports, bin])
    .map((path) => /^(?:\.\/)?dist\/(.+?)(?:\.d)?\.([cm]?)[jt]s$/.exec(path))
    .filter((match) => match !== null)
    .map(([, path, kind]) => `${path}.${kind}ts`)
  return [...new Set(sources)]
}
