// The programs whose compiling is measured: a catalog of so many definitions, and the same with subscriptions by pattern.
const AREAS = [
  'order',
  'user',
  'parcel',
  'price',
  'invoice',
  'device',
  'ticket',
  'ledger',
  'media',
  'fleet',
]
const VERBS = [
  'placed',
  'paid',
  'created',
  'removed',
  'moved',
  'renamed',
  'opened',
  'closed',
  'sent',
  'seen',
]

/** Every tenth definition has a parameter, every tenth is a query or a command. */
export function writeDefinitions(count) {
  const lines = [
    `import { command, event, openBroker, query, type StandardSchema } from 'fanfare'`,
    `declare function shape<T>(): StandardSchema<T>`,
    ...Array.from({ length: count }, (_, index) => `const d${index} = ${definition(index)}`),
    `export const catalog = [${Array.from({ length: count }, (_, index) => `d${index}`).join(', ')}] as const`,
    `export const broker = await openBroker({ catalog })`,
  ]
  return lines.join('\n')
}

/** Patterns over one area, over one verb, and with a tail, each handler reading what its messages have in common. */
export function writeSubscriptions(count) {
  return Array.from({ length: count }, (_, index) => {
    const use = '({ data, topic, params }) => [data, topic.length, params]'
    return `broker.subscribe('${pattern(index)}', ${use})`
  }).join('\n')
}

function definition(index) {
  const topic = `${areaOf(index)}.${VERBS[index % VERBS.length]}`
  const shape = `shape<{ id: number; f${index}: string; at: Date; tags: readonly string[] }>()`
  if (index % 10 === 3) return `event('${topic}.{part}', ${shape})`
  if (index % 20 === 7) return `query('${topic}.ask', ${shape}, { reply: ${shape} })`
  if (index % 20 === 17) return `command('${topic}.do', ${shape})`
  return `event('${topic}', ${shape})`
}

/** Ten definitions to each of as many areas as it takes. */
function areaOf(index) {
  const round = Math.floor(index / 10)
  return `${AREAS[round % AREAS.length]}${Math.floor(round / AREAS.length)}`
}

function pattern(index) {
  const area = areaOf(index * 5)
  if (index % 3 === 0) return `${area}.*`
  if (index % 3 === 1) return `${area}.>`
  return index % 2 === 0 ? `*.${VERBS[index % VERBS.length]}` : `${area}.*.*`
}
