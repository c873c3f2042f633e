// The rows of the in-process table: which topics are emitted, and who subscribes.
const prices = Array.from({ length: 100 }, (_, index) => `price.S${index}`)
const others = Array.from({ length: 1_000 }, (_, index) => `sector${index}.*`)

export const workloads = [
  {
    name: 'exact topic, 1 subscriber',
    isWildcard: false,
    topics: ['price.AAPL'],
    patterns: ['price.AAPL'],
    others: [],
  },
  {
    name: 'exact topic, 8 subscribers',
    isWildcard: false,
    topics: ['price.AAPL'],
    patterns: Array(8).fill('price.AAPL'),
    others: [],
  },
  {
    name: '`price.*`, 1 subscriber, 100 topics',
    isWildcard: true,
    topics: prices,
    patterns: ['price.*'],
    others: [],
  },
  {
    name: '`price.*`, 100 topics, 1,000 other wildcards',
    isWildcard: true,
    topics: prices,
    patterns: ['price.*'],
    others,
  },
]
