// The middle of several rounds and how far they lie apart.
export function getMedian(values) {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b)
  if (sorted.length === 0) return undefined
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

export function getRange(values) {
  const finite = values.filter((value) => Number.isFinite(value))
  return { lowest: Math.min(...finite), highest: Math.max(...finite) }
}
