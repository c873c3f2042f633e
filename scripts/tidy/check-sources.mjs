// What a source may say and be called: banned calls, words of another vocabulary, names that mean nothing, the header.
import { folderOf } from './source-tree.mjs'

export function checkSources(tree, rules) {
  const files = [...tree.files.values()]
  return [
    ...files.flatMap((file) => checkName(file, rules)),
    ...files.flatMap((file) => checkWords(file, rules)),
    ...rules.banned.flatMap((rule) => checkBan(files, rule)),
  ]
}

function checkName(file, rules) {
  const violations = []
  const names = file.path.split('/').map((part) => part.replace(/\.[cm]?tsx?$/, ''))
  const forbidden = names.find((name) => rules.forbiddenNames.includes(name.toLowerCase()))
  if (forbidden !== undefined) {
    violations.push(`src/${file.path}: the name "${forbidden}" does not say what it is for`)
  }
  if (!file.hasHeader) {
    violations.push(`src/${file.path}: does not open with a comment that says what it is for`)
  }
  return violations
}

function checkWords(file, rules) {
  return rules.words.flatMap(({ word, allowedIn }) => {
    if (allowedIn.includes(folderOf(file.path))) return []
    return file.names
      .filter(({ name }) => name.toLowerCase().includes(word))
      .map(
        ({ name, line }) =>
          `src/${file.path}:${line} ${name}: the word "${word}" belongs to ${allowedIn.join(', ')}`,
      )
  })
}

function checkBan(files, { use, module, allowedIn, onceIn }) {
  const places = files.flatMap((file) => {
    if (allowedIn.includes(folderOf(file.path))) return []
    return findMatches(file, use, module).map((match) => ({ file, ...match }))
  })
  // Of the folder that may have it in one file, the first file by name is taken to be that one.
  const onlyFile = places.find(({ file }) => folderOf(file.path) === onceIn)?.file
  return places
    .filter(({ file }) => file !== onlyFile)
    .map(({ file, line, name }) => {
      const besides = onceIn === undefined ? '' : ` and one file of ${onceIn}`
      return `src/${file.path}:${line} ${name} is for ${allowedIn.join(', ')}${besides} only`
    })
}

function findMatches(file, use, module) {
  if (use !== undefined) return file.uses.filter(({ name }) => matches(name, use))
  return file.imports
    .filter(
      ({ kind, package: name }) => kind !== 'type' && name !== undefined && matches(name, module),
    )
    .map(({ line, package: name }) => ({ line, name }))
}

function matches(name, pattern) {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}
