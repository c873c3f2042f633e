// The results of a growth run as markdown.
import { formatMachine } from '../machine.mjs'
import { formatTable } from '../markdown.mjs'
import { absent, formatNumber, formatRatio } from '../numbers.mjs'
import { getMedian } from '../rounds.mjs'

export function formatGrowthReport({ machine, rounds, scale, families, reopening, steadiness }) {
  const parts = [formatMachine(machine, { rounds })]
  if (scale !== 1) parts.push(`**Scaled to ${scale} of full size.**`)
  for (const family of families) parts.push(...formatFamily(family))
  if (reopening.length > 0) parts.push(...formatReopening(reopening))
  if (steadiness.length > 0) parts.push(...formatSteadiness(steadiness))
  return parts.join('\n\n')
}

function formatFamily({ unit, rows }) {
  const base = median(rows[0]?.rounds ?? [], 'messagesPerSecond')
  return [
    `Publishing with more ${unit}`,
    formatTable({
      head: [
        unit,
        'thousand a second, 1,000 in flight',
        'of the first row',
        'processor µs each',
        'µs, 1 in flight: p50 / p99',
        'more resident memory, MiB',
        'bytes each',
      ],
      rows: rows.map(({ count, rounds }) => [
        count.toLocaleString('en-US'),
        findFailure(rounds) ?? formatNumber(median(rounds, 'messagesPerSecond') / 1000),
        formatRatio(median(rounds, 'messagesPerSecond') / base),
        formatNumber(median(rounds, 'cpuMicroseconds')),
        `${formatMicroseconds(rounds, 'medianMs')} / ${formatMicroseconds(rounds, 'percentile99Ms')}`,
        formatNumber(median(rounds, 'residentBytes') / 2 ** 20),
        // What a few take is lost in the noise of the whole.
        count < 100 ? absent : formatNumber(median(rounds, 'residentBytes') / count),
      ]),
    }),
  ]
}

function formatReopening(reopening) {
  return [
    'Opening a directory again, ms: after a kill / after a close',
    formatTable({
      head: [
        '',
        'messages',
        'topics',
        'streams',
        'after a kill',
        'after a close',
        'resident memory, MiB',
      ],
      rows: reopening.map(({ name, messages, topics, streams, rounds }) => [
        name,
        ...[messages, topics, streams].map((count) => count.toLocaleString('en-US')),
        findFailure(rounds) ?? formatNumber(median(rounds, 'afterKillMs')),
        formatNumber(median(rounds, 'afterCloseMs')),
        formatNumber(median(rounds, 'residentBytes') / 2 ** 20),
      ]),
    }),
  ]
}

function formatSteadiness(steadiness) {
  return [
    'Receipts at half of the peak rate, ms, while other work goes on',
    formatTable({
      head: ['', 'published a second', 'p50', 'p99', 'event-loop delay p99', 'replayed meanwhile'],
      rows: steadiness.map(({ name, rounds }) => [
        name,
        findFailure(rounds) ?? formatNumber(median(rounds, 'ratePerSecond')),
        formatNumber(median(rounds, 'medianMs')),
        formatNumber(median(rounds, 'percentile99Ms')),
        formatNumber(median(rounds, 'loopDelay99Ms')),
        formatNumber(median(rounds, 'replayedMessages')),
      ]),
    }),
  ]
}

function median(rounds, field) {
  return getMedian(rounds.map((round) => round[field])) ?? NaN
}

function formatMicroseconds(rounds, field) {
  return formatNumber(median(rounds, field) * 1000)
}

function findFailure(rounds) {
  const failure = rounds.find((round) => round.failure !== undefined)?.failure
  return failure === undefined ? undefined : `failed: ${failure}`
}
