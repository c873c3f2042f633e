// What commands print: aligned columns for people, JSON for programs.
import { toMilliseconds, type Duration } from '../base/index.js'

/** Undefined is shown as '-'. */
export type Cell = string | number | boolean | Date | undefined

const GAP = '  '

/** A line of headings and a line for each row; columns whose cells are all numbers are aligned to the right. */
export function toTable(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => row.map(toText))
  const columns = headings.map((heading, i) => {
    const width = Math.max(heading.length, ...texts.map((row) => row[i]!.length))
    const isNumeric = rows.length > 0 && rows.every((row) => typeof row[i] === 'number')
    return (text: string) => (isNumeric ? text.padStart(width) : text.padEnd(width))
  })
  const toLine = (cells: readonly string[]): string =>
    `${cells
      .map((text, i) => columns[i]!(text))
      .join(GAP)
      .trimEnd()}\n`
  return [headings, ...texts].map(toLine).join('')
}

/** A line for each field; those that are undefined are left out. */
export function toFieldLines(fields: readonly (readonly [label: string, value: Cell])[]): string {
  const known = fields.filter(([, value]) => value !== undefined)
  const width = Math.max(0, ...known.map(([label]) => label.length))
  return known.map(([label, value]) => `${label.padEnd(width)}${GAP}${toText(value)}\n`).join('')
}

/** A value as JSON for programs, indented for people. */
export function toJsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

export function print(text: string): void {
  process.stdout.write(text)
}

/** `1 message`, `2 messages`. */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** A duration in the largest unit that divides it, as it would be written; undefined stays so. */
export function toDurationText(duration: Duration | undefined): string | undefined {
  if (duration === undefined) return undefined
  const durationMs = toMilliseconds(duration)
  const unit = UNITS.find(([, ms]) => durationMs > 0 && durationMs % ms === 0)
  return unit === undefined ? `${durationMs}ms` : `${durationMs / unit[1]}${unit[0]}`
}

function toText(cell: Cell): string {
  if (cell === undefined) return '-'
  const text = cell instanceof Date ? cell.toISOString() : String(cell)
  return text.replaceAll(/[\r\n\t]+/g, ' ')
}
