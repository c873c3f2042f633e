// The rows of the growth tables at full size; `--scale` makes them smaller.
export const families = [
  {
    name: 'streams',
    measurement: 'measureStreams',
    unit: 'active streams',
    counts: [1, 100, 10_000],
  },
  { name: 'topics', measurement: 'measureTopics', unit: 'topics', counts: [1_000, 1_000_000] },
  {
    name: 'consumers',
    measurement: 'measureConsumers',
    unit: 'consumers',
    counts: [1, 10, 100, 1_000],
  },
  {
    name: 'stored',
    measurement: 'measureStored',
    unit: 'stored messages',
    counts: [10_000, 100_000, 1_000_000, 10_000_000],
  },
]

export const directories = [
  { name: 'messages and topics', messages: 10_000_000, topics: 10_000, streams: 1 },
  { name: 'a message for each topic', messages: 1_000_000, topics: 1_000_000, streams: 1 },
  { name: 'a message for each stream', messages: 10_000, topics: 10_000, streams: 10_000 },
  { name: 'a full duplicate window', messages: 4_000_000, topics: 1, streams: 1, hasIds: true },
]

/** The smallest of a family stays as it is, for the others to be compared with. */
export function scaleCounts(counts, scale) {
  const scaled = counts.map((count, index) => (index === 0 ? count : scaleCount(count, scale)))
  return [...new Set(scaled)].sort((a, b) => a - b)
}

export function scaleDirectory({ messages, topics, streams, ...rest }, scale) {
  const smaller = (count) => (count === 1 ? 1 : scaleCount(count, scale))
  return {
    ...rest,
    messages: smaller(messages),
    topics: smaller(topics),
    streams: smaller(streams),
  }
}

function scaleCount(count, scale) {
  return Math.max(10, Math.round(count * scale))
}
