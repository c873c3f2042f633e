// The results of an in-process run as markdown: a row for each library, which are many, and a
// column for each workload.
import { formatMachine } from '../machine.mjs'
import { formatTable } from '../markdown.mjs'
import { getMedian, getRange } from '../rounds.mjs'
import { workloads } from './workloads.mjs'

const absent = '–'

export function formatProcessReport({ machine, rounds, libraries, cells }) {
  const parts = [formatMachine(machine, { rounds })]
  for (const { name, version } of libraries) {
    if (version === undefined) parts.push(`**Missing: ${name}** (not built).`)
  }
  const present = libraries.filter(({ version }) => version !== undefined)
  const notes = present.filter(({ note }) => note !== undefined)
  parts.push(notes.map(({ name, note }) => `- ${name}: ${note}`).join('\n'))
  const find = (library, workload) =>
    cells.find((cell) => cell.library === library.name && cell.workload === workload.name)
  const grid = (shown, formatCell) =>
    formatTable({
      head: ['library', ...workloads.map(({ name }) => name)],
      rows: shown.map((library) => [
        `${library.name} ${library.version.replace(/^v/, '')}`,
        ...workloads.map((workload) => formatCell(library, workload)),
      ]),
    })
  parts.push('Emits, million a second: median (lowest to highest round)')
  parts.push(grid(present, (library, workload) => formatRates(find(library, workload))))
  const fanfare = present.find(({ name }) => name === 'fanfare')
  if (fanfare !== undefined) {
    parts.push('Fanfare / library, emits a second (above 1: Fanfare is faster)')
    const others = present.filter((library) => library !== fanfare)
    parts.push(
      grid(others, (library, workload) => {
        const ratio = getRate(find(fanfare, workload)) / getRate(find(library, workload))
        return Number.isFinite(ratio) ? ratio.toFixed(2) : absent
      }),
    )
  }
  return parts.join('\n\n')
}

/** A row for each layer: what a message costs with it, and what it adds to the row that it builds on. */
export function formatLayers(cells, { machine, rounds }) {
  const timeOf = (name) => {
    const cell = cells.find((candidate) => candidate.name === name)
    return getMedian(cell?.rounds.map((round) => round.nanoseconds) ?? [])
  }
  const table = formatTable({
    head: ['what is done', 'ns a message: median (lowest to highest round)', 'more than', 'by ns'],
    rows: cells.map(({ name, base, rounds: results }) => {
      const failure = results.find((round) => round.failure)?.failure
      if (failure !== undefined) return [name, failure, absent, absent]
      const { lowest, highest } = getRange(results.map((round) => round.nanoseconds))
      const format = (value) => String(Math.round(value))
      return [
        name,
        `${format(timeOf(name))} (${format(lowest)} to ${format(highest)})`,
        base ?? absent,
        base === undefined ? absent : format(timeOf(name) - timeOf(base)),
      ]
    }),
  })
  return [formatMachine(machine, { rounds }), table].join('\n\n')
}

function getRate(cell) {
  return getMedian(cell?.rounds.map((round) => round.emitsPerSecond) ?? [])
}

function formatRates(cell) {
  if (cell === undefined) return absent
  const failure = cell.rounds.find((round) => round.failure)?.failure
  if (failure !== undefined) return failure
  const rates = cell.rounds.map((round) => round.emitsPerSecond / 1e6)
  const { lowest, highest } = getRange(rates)
  const format = (value) => String(Number(value.toPrecision(3)))
  return `${format(getMedian(rates))} (${format(lowest)} to ${format(highest)})`
}
