// The shape of the import graph: no circles, type imports counted, and no source that nothing reaches.
import { folderOf } from './source-tree.mjs'

export function checkGraph(tree) {
  const files = new Map()
  const folders = new Map()
  for (const file of tree.files.values()) {
    const targets = file.imports.flatMap(({ target }) => (target === undefined ? [] : [target]))
    files.set(file.path, new Set(targets))
    const from = folderOf(file.path)
    const neighbours = targets.map(folderOf).filter((folder) => folder !== from)
    folders.set(from, new Set([...(folders.get(from) ?? []), ...neighbours]))
  }
  const circles = [...findCircles(files), ...findCircles(folders)]
  return [
    ...circles.map(
      (circle) => `imports in a circle: ${circle.map((name) => `src/${name}`).join(' -> ')}`,
    ),
    ...findUnreached(tree, files),
  ]
}

function findUnreached(tree, files) {
  const missing = tree.entries.filter((path) => !files.has(path))
  const reached = new Set(tree.entries.filter((path) => files.has(path)))
  for (const path of reached) for (const target of files.get(path)) reached.add(target)
  return [
    ...missing.map((path) => `package.json publishes src/${path}, which does not exist`),
    ...[...files.keys()]
      .filter((path) => !reached.has(path))
      .map((path) => `src/${path}: nothing that package.json publishes reaches it`),
  ]
}

/** One shortest circle through every knot of nodes that reach each other, its first node repeated at its end. */
function findCircles(graph) {
  const circles = []
  const inCircle = new Set()
  for (const start of graph.keys()) {
    if (inCircle.has(start)) continue
    const circle = findWayBack(graph, start)
    if (circle === undefined) continue
    circles.push(circle)
    for (const node of circle) inCircle.add(node)
  }
  return circles
}

function findWayBack(graph, start) {
  const cameFrom = new Map()
  const queue = [start]
  for (const node of queue) {
    for (const next of graph.get(node) ?? []) {
      if (next === start) {
        const circle = [start]
        for (let at = node; at !== start; at = cameFrom.get(at)) circle.unshift(at)
        return [start, ...circle]
      }
      if (cameFrom.has(next)) continue
      cameFrom.set(next, node)
      queue.push(next)
    }
  }
  return undefined
}
