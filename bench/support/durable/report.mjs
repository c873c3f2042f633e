// The results of a durable run as markdown: absolute values, then ratios to the floor and to each peer.
import { formatMachine } from '../machine.mjs'
import { formatTable } from '../markdown.mjs'
import { absent, formatBytes, formatNumber, formatRatio } from '../numbers.mjs'
import { getMedian, getRange } from '../rounds.mjs'

const goals = [
  ['log', 'floor'],
  ['contract', 'floor'],
  ['broker', 'floor'],
]

export function formatDurableReport({ machine, rounds, contenders, ...results }) {
  const { publish, consume, replay } = results
  const present = contenders.filter(({ version }) => version !== undefined)
  const parts = [formatMachine(machine, { rounds })]
  parts.push(
    present
      .map(({ name, version, settings }) => `- ${name} ${version.replace(/^v/, '')}: ${settings}`)
      .join('\n'),
  )
  for (const { name, version, missing } of contenders) {
    if (version === undefined) parts.push(`**Missing: ${name}** (${missing}).`)
  }
  const started = new Set([publish, consume, replay].flat().map(({ contender }) => contender))
  for (const { name } of present) {
    if (!started.has(name)) parts.push(`**Did not start: ${name}.**`)
  }
  if (publish.length > 0) parts.push(...formatPublish(publish, present))
  if (consume.length > 0) {
    const title = 'Consumed and acknowledged, thousand a second: median (lowest to highest round)'
    parts.push(...formatRates(title, consume, present, rowOfWindow))
  }
  if (replay.length > 0) {
    const title = 'Replayed, thousand a second: median (lowest to highest round)'
    parts.push(...formatRates(title, replay, present, rowOfPayload))
    parts.push(...formatShares('replay', replay, rowOfPayload, getRate))
  }
  return parts.join('\n\n')
}

function formatPublish(publish, present) {
  const single = publish.filter(({ inFlight }) => inFlight === 1)
  const title = 'Published and confirmed, thousand a second: median (lowest to highest round)'
  const parts = [
    ...formatRates(title, publish, present, rowOfWindow),
    ...formatShares('publish rate', publish, rowOfWindow, getRate),
  ]
  if (single.length === 0) return parts
  return [
    ...parts,
    'Latency of a publish with one in flight, µs: p50 / p99',
    formatGrid({
      results: single,
      columns: present,
      getRow: rowOfPayload,
      formatCell: ({ rounds }) =>
        formatFailure(rounds) ??
        `${formatMicroseconds(rounds, 'medianMs')} / ${formatMicroseconds(rounds, 'percentile99Ms')}`,
    }),
    ...formatShares('p50 latency', single, rowOfPayload, getLatency),
  ]
}

/** The absolute rates, then ours over each other's. */
function formatRates(title, results, present, getRow) {
  const parts = [title, formatGrid({ results, columns: present, getRow, formatCell: formatRate })]
  for (const name of ['contract', 'broker']) {
    const ours = results.filter(({ contender }) => contender === name)
    const peers = present.filter(({ isOurs, driverName }) => !isOurs && driverName !== 'floor')
    if (ours.length === 0 || peers.length === 0) continue
    parts.push(`Fanfare's ${name} / peer (above 1: Fanfare is faster)`)
    parts.push(
      formatGrid({
        results,
        columns: peers,
        getRow,
        formatCell: (result) => {
          const our = ours.find((each) => getRow(each) === getRow(result))
          return formatRatio(our === undefined ? NaN : getRate(our) / getRate(result))
        },
      }),
    )
  }
  return parts
}

function formatShares(work, results, getRow, getValue) {
  const find = (row, name) =>
    results.find((each) => getRow(each) === row && each.contender === name)
  const pairs = goals.filter((pair) =>
    pair.every((name) => results.some(({ contender }) => contender === name)),
  )
  if (pairs.length === 0) return []
  const rows = [...new Set(results.map(getRow))].map((row) => [
    row,
    ...pairs.map(([ours, floor]) => {
      const [our, base] = [find(row, ours), find(row, floor)]
      return formatRatio(our && base ? getValue(our) / getValue(base) : NaN)
    }),
  ])
  const head = ['', ...pairs.map(([ours, floor]) => `${ours} / ${floor}`)]
  return [`Fanfare / floor, ${work}`, formatTable({ head, rows })]
}

function formatGrid({ results, columns, getRow, formatCell }) {
  const shown = columns.filter(({ name }) => results.some(({ contender }) => contender === name))
  const rows = [...new Set(results.map(getRow))].map((row) => [
    row,
    ...shown.map(({ name }) => {
      const result = results.find((each) => getRow(each) === row && each.contender === name)
      return result === undefined ? absent : formatCell(result)
    }),
  ])
  return formatTable({ head: ['', ...shown.map(({ name }) => name)], rows })
}

function rowOfWindow({ payloadBytes, inFlight }) {
  return `${formatBytes(payloadBytes)}, ${inFlight.toLocaleString('en-US')} in flight`
}

function rowOfPayload({ payloadBytes }) {
  return formatBytes(payloadBytes)
}

function getRate({ rounds }) {
  return getMedian(rounds.map(({ messages, elapsedMs }) => messages / elapsedMs))
}

function getLatency({ rounds }) {
  return getMedian(rounds.map(({ medianMs }) => medianMs))
}

function formatMicroseconds(rounds, field) {
  return formatNumber(getMedian(rounds.map((round) => round[field])) * 1000)
}

/** Messages a millisecond are thousands a second. A failed round is told beside those that went well. */
function formatRate(result) {
  const rates = result.rounds
    .filter(({ failure, isAbsent }) => failure === undefined && !isAbsent)
    .map(({ messages, elapsedMs }) => messages / elapsedMs)
  const failure = formatFailure(result.rounds)
  if (rates.length === 0) return failure ?? absent
  const { lowest, highest } = getRange(rates)
  const range = rates.length > 1 ? ` (${formatNumber(lowest)} to ${formatNumber(highest)})` : ''
  return `${formatNumber(getRate(result))}${range}${failure === undefined ? '' : `; ${failure}`}`
}

function formatFailure(rounds) {
  const failure = rounds.find((round) => round.failure !== undefined)?.failure
  return failure === undefined ? undefined : `failed: ${failure}`
}
