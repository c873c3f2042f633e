// Which file may import which: layers, doors, and what the core may load.
import { isBuiltin } from 'node:module'
import { folderOf } from './source-tree.mjs'

export function checkDependencies(tree, rules) {
  const violations = []
  const levels = new Map(rules.layers.flatMap((names, level) => names.map((name) => [name, level])))
  for (const file of tree.files.values()) {
    if (!levels.has(folderOf(file.path))) {
      violations.push(`src/${file.path}: no layer of scripts/tidy.mjs has its folder`)
    }
    for (const entry of file.imports) {
      const fault = findFault(file.path, entry, levels, tree.manifest, rules)
      if (fault !== undefined) violations.push(`src/${file.path}:${entry.line} ${fault}`)
    }
  }
  return [...violations, ...checkLightness(tree, rules)]
}

function findFault(path, entry, levels, manifest, rules) {
  if (entry.specifier === undefined) {
    const isCore = rules.core.includes(folderOf(path))
    return isCore ? 'imports a name that only running tells' : undefined
  }
  if (entry.package !== undefined) return findOuterFault(path, entry, manifest, rules)
  return findInnerFault(path, entry, levels, rules)
}

function findInnerFault(path, { specifier, target }, levels, { doors = [] }) {
  if (target === undefined) return `imports ${specifier}, which leads to no file of src`
  const from = folderOf(path)
  const to = folderOf(target)
  if (from === to) {
    const isOwnDoor = target === `${to}/index.ts`
    return isOwnDoor ? `imports its own folder's index.ts` : undefined
  }
  const isDoor = [to, ...doors].some((folder) => target === `${folder}/index.ts`)
  if (!isDoor) return `imports src/${target} past src/${to}/index.ts`
  if (levels.get(from) > levels.get(to)) return undefined
  const place = levels.get(from) === levels.get(to) ? 'its own' : 'a higher'
  return `imports ${to}, which is on ${place} layer`
}

function findOuterFault(path, entry, manifest, rules) {
  const name = packageName(entry.package)
  if (name === manifest.name) return `imports the package by its own name, ${entry.package}`
  if (isBuiltin(entry.package)) {
    return entry.package.startsWith('node:') ? undefined : `imports ${entry.package} without node:`
  }
  if (rules.core.includes(folderOf(path))) {
    return `imports ${entry.package}, and the core runs without packages`
  }
  return undefined
}

/** Follows what the entry loads at once and reports whatever comes from outside src. */
function checkLightness(tree, rules) {
  if (!tree.files.has(rules.light)) return []
  const violations = []
  const cameFrom = new Map([[rules.light, undefined]])
  for (const path of cameFrom.keys()) {
    for (const entry of tree.files.get(path).imports) {
      if (entry.kind !== 'value') continue
      if (entry.target !== undefined && !cameFrom.has(entry.target))
        cameFrom.set(entry.target, path)
      if (entry.package === undefined) continue
      const way = [entry.package]
      for (let at = path; at !== undefined; at = cameFrom.get(at)) way.unshift(`src/${at}`)
      violations.push(`src/${rules.light} loads ${entry.package} at once: ${way.join(' -> ')}`)
    }
  }
  return violations
}

function packageName(specifier) {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}
