// Every relative link of every Markdown file leads to a file, and its anchor to a heading of that file.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

const NOT_OURS = new Set(['node_modules', 'dist', 'coverage', '.git', '.prepare'])

export function checkLinks(root) {
  return listMarkdown(root).flatMap((file) => {
    const name = relative(root, file)
    return findLinks(readFileSync(file, 'utf8')).flatMap((link) => {
      const fault = findFault(file, link)
      return fault === undefined ? [] : [`${name}: ${fault}`]
    })
  })
}

function listMarkdown(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : listMarkdown(path)
    return entry.isFile() && entry.name.endsWith('.md') ? [path] : []
  })
}

function findLinks(text) {
  const prose = withoutCode(text)
  const patterns = [
    /\]\(\s*<?([^)\s>]+)>?(?:\s+["'][^)]*)?\)/g,
    /^\s*\[[^\]]+\]:\s*<?([^\s>]+)/gm,
    /\b(?:href|src)="([^"]+)"/g,
  ]
  const links = patterns.flatMap((pattern) => [...prose.matchAll(pattern)].map((match) => match[1]))
  return links.filter((link) => !/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(link))
}

function findFault(file, link) {
  const [path, anchor] = link.split('#')
  const target = path === '' ? file : resolve(dirname(file), decodeURI(path))
  if (!existsSync(target)) return `the link ${link} leads to no file`
  if (anchor === undefined || !target.endsWith('.md')) return undefined
  return listAnchors(target).has(anchor) ? undefined : `the link ${link} leads to no heading`
}

/** Headings named as GitHub names them: lower case, punctuation dropped, blanks to dashes, repeats numbered. */
function listAnchors(file) {
  const text = readFileSync(file, 'utf8')
  const anchors = new Set([...text.matchAll(/\b(?:id|name)="([^"]+)"/g)].map((match) => match[1]))
  for (const [, heading] of text
    .replace(/^(```|~~~)[^]*?^\1/gm, '')
    .matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = words.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-')
    let unique = anchor
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`
    anchors.add(unique)
  }
  return anchors
}

function withoutCode(text) {
  return text.replace(/^\s*(```|~~~)[^]*?^\s*\1/gm, '').replace(/(`+)[^`]*?\1/g, '')
}
