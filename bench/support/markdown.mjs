// Tables, and the sections of a document that a benchmark keeps fresh between two markers.
import { readFileSync, writeFileSync } from 'node:fs'

export function formatTable({ head, rows }) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:')))]
    .concat(rows.map(line))
    .join('\n')
}

/** Replaces what stands between `<!-- name:begin -->` and `<!-- name:end -->`. */
export function writeSection(file, { name, text }) {
  const before = readFileSync(file, 'utf8')
  const begin = `<!-- ${name}:begin -->`
  const end = `<!-- ${name}:end -->`
  const from = before.indexOf(begin)
  const to = before.indexOf(end)
  if (from < 0 || to < from) throw new Error(`${file} has no section between ${begin} and ${end}`)
  const after = `${before.slice(0, from)}${begin}\n${text.trim()}\n${before.slice(to)}`
  writeFileSync(file, after)
}
