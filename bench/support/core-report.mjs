// The results of a core run as markdown: absolute values first, then Fanfare's ratio to each peer.
import { formatMachine } from './machine.mjs'
import { formatTable } from './markdown.mjs'
import { absent, formatBytes, formatNumber } from './numbers.mjs'
import { getMedian, getRange } from './rounds.mjs'

export function formatCoreReport({ machine, rounds, peers, throughput, latency, memory }) {
  const measured = peers.filter((peer) => peer.version !== undefined)
  const missing = peers.filter((peer) => peer.version === undefined)
  const parts = [formatMachine(machine, { rounds })]
  parts.push(
    measured
      .map((peer) => `- ${peer.name} ${peer.version.replace(/^v/, '')}: ${peer.settings}`)
      .join('\n'),
  )
  for (const peer of missing) parts.push(`**Missing: ${peer.name}** (${peer.missing}).`)
  const started = new Set([throughput, latency, memory].flat().map(({ peer }) => peer))
  for (const { name } of measured) {
    if (!started.has(name)) parts.push(`**Did not start: ${name}.**`)
  }
  if (throughput.length > 0) parts.push(...formatThroughput({ throughput, peers: measured }))
  if (latency.length > 0) parts.push(...formatLatency({ latency, peers: measured }))
  if (memory.length > 0) parts.push(...formatMemory({ memory, peers: measured }))
  return parts.join('\n\n')
}

function formatThroughput({ throughput, peers }) {
  const grid = (formatCell) =>
    formatGrid({
      corner: 'fan-out, payload',
      results: throughput,
      peers,
      getRow: (result) => `${result.pattern}, ${formatBytes(result.payloadBytes)}`,
      formatCell,
    })
  const rate = (result) => getMedian(result.rounds.filter(isWhole).map(getRate))
  return [
    'Delivered messages, million a second: median (lowest to highest round)',
    grid(formatRates),
    ...formatRatios({
      title: 'Fanfare / peer, delivered messages a second (above 1: Fanfare is faster)',
      corner: 'fan-out, payload',
      results: throughput,
      peers,
      getRow: (result) => `${result.pattern}, ${formatBytes(result.payloadBytes)}`,
      getValue: rate,
    }),
    'Processor time of the server for each delivered message, ns',
    grid((result) => formatNumber(getMedian(result.rounds.map((round) => round.cpuNsPerMessage)))),
    'Highest resident memory of the server, MiB',
    grid((result) =>
      formatNumber(getMedian(result.rounds.map((round) => round.peakResidentBytes / 2 ** 20))),
    ),
    'Busy share of one core: publisher + subscriber (far below 1: the generators do not bound)',
    grid(
      (result) =>
        `${getMedian(result.rounds.map((round) => round.publisherCores))?.toFixed(2) ?? absent} + ` +
        `${getMedian(result.rounds.map((round) => round.subscriberCores))?.toFixed(2) ?? absent}`,
    ),
  ]
}

function getRate(round) {
  return round.messagesPerSecond
}

function isWhole(round) {
  return round.failure === undefined && round.delivered === round.expected
}

/** A round in which messages were lost or a connection was cut is told, never averaged in. */
function formatRates({ rounds }) {
  const whole = rounds.filter(isWhole)
  const parts = []
  if (whole.length > 0) {
    const rates = whole.map((round) => getRate(round) / 1e6)
    const { lowest, highest } = getRange(rates)
    const range = ` (${formatNumber(lowest)} to ${formatNumber(highest)})`
    parts.push(formatNumber(getMedian(rates)) + (rates.length > 1 ? range : ''))
  }
  for (const round of rounds) {
    if (isWhole(round)) continue
    parts.push(formatTrouble(round))
  }
  return parts.join('; ')
}

/** Lost is only what a server took from the publisher and did not deliver. */
function formatTrouble({ failure, isStalled, delivered, expected }) {
  const count = `${(expected - delivered).toLocaleString('en-US')} of ${expected.toLocaleString('en-US')}`
  if (failure !== undefined) return `cut off: ${failure}`
  return isStalled ? `stalled before ${count}` : `lost ${count}`
}

function formatLatency({ latency, peers }) {
  const grid = (formatCell) =>
    formatGrid({ corner: 'load', results: latency, peers, getRow: (r) => r.load, formatCell })
  const ratios = (title, getValue) =>
    formatRatios({
      title,
      corner: 'load',
      results: latency,
      peers,
      getRow: (result) => result.load,
      getValue,
    })
  return [
    'Request and reply, 16 B, µs: p50 / p99 (and answers a second where below the wanted rate)',
    grid((result) => {
      const failure = result.rounds.find((round) => round.failure)?.failure
      if (failure) return failure
      const { ratePerSecond } = result
      const perSecond = getMedian(result.rounds.map((round) => round.perSecond))
      const unansweredCount = getMedian(result.rounds.map((round) => round.unansweredCount))
      const isShort = ratePerSecond === undefined || perSecond < ratePerSecond * 0.98
      return (
        `${formatNumber(getMedianLatency(result) * 1000)} / ` +
        `${formatNumber(getPercentile99(result) * 1000)}` +
        (isShort ? ` (${formatNumber(perSecond)}/s)` : '') +
        (unansweredCount > 0 ? `; ${unansweredCount} without answer` : '')
      )
    }),
    ...ratios('Fanfare / peer, p50 (below 1: Fanfare is faster)', getMedianLatency),
    ...ratios('Fanfare / peer, p99 (below 1: Fanfare is faster)', getPercentile99),
  ]
}

function getMedianLatency(result) {
  return getMedian(result.rounds.map((round) => round.medianMs))
}

function getPercentile99(result) {
  return getMedian(result.rounds.map((round) => round.percentile99Ms))
}

function formatMemory({ memory, peers }) {
  const getValue = (result) => getMedian(result.rounds.map((round) => round.bytes))
  const common = { corner: 'each', results: memory, peers, getRow: (result) => result.unit }
  return [
    'Resident memory, bytes: 1,000 idle connections; 100,000 subscriptions over 10 connections',
    formatGrid({
      ...common,
      formatCell: (result) =>
        result.rounds.find((round) => round.failure)?.failure ?? formatNumber(getValue(result)),
    }),
    ...formatRatios({
      ...common,
      title: 'Fanfare / peer, resident memory (below 1: Fanfare needs less)',
      getValue,
    }),
  ]
}

function formatGrid({ corner, results, peers, getRow, formatCell }) {
  const shown = peers.filter((peer) => results.some((result) => result.peer === peer.name))
  const rows = [...new Set(results.map(getRow))].map((row) => [
    row,
    ...shown.map((peer) => {
      const result = results.find((each) => getRow(each) === row && each.peer === peer.name)
      return result === undefined ? absent : formatCell(result)
    }),
  ])
  return formatTable({ head: [corner, ...shown.map((peer) => peer.name)], rows })
}

/** Nothing without Fanfare: a ratio to a server that did not run would be an invention. */
function formatRatios({ title, corner, results, peers, getRow, getValue }) {
  const ours = results.filter((result) => result.peer === 'fanfare')
  if (ours.length === 0) return []
  const grid = formatGrid({
    corner,
    results: results.filter((result) => result.peer !== 'fanfare'),
    peers,
    getRow,
    formatCell: (result) => {
      const our = ours.find((each) => getRow(each) === getRow(result))
      const ratio = our === undefined ? NaN : getValue(our) / getValue(result)
      return Number.isFinite(ratio) ? ratio.toFixed(2) : absent
    },
  })
  return [title, grid]
}
