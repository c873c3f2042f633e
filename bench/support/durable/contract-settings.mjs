// Streams and consumers as the contract keeps them, with the defaults that the broker would fill in.
export function streamSettings(name, topics, changes = {}) {
  return {
    name,
    topics,
    durability: 'fsync',
    retention: 'limits',
    discard: 'old',
    discardPerTopic: 'old',
    duplicateWindowMs: 120_000,
    ...changes,
  }
}

export function consumerSettings(name, changes = {}) {
  return {
    name,
    isDurable: true,
    start: { at: 'first' },
    topics: [],
    acknowledge: 'explicit',
    ackWaitMs: 30_000,
    maxDeliveries: 5,
    backoffMs: [],
    maxInFlight: 1_000,
    order: 'stream',
    lookAhead: 10_000,
    deadLetter: { stream: `dead-letters-of-${name}`, followers: 'park' },
    replay: 'instant',
    headersOnly: false,
    inactiveMs: 0,
    ...changes,
  }
}
