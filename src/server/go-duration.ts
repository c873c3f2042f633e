// Durations as Go programs print and parse them, which tools that read nats-server's monitoring expect.

export function toNanoseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1_000_000)
}

/** `1y2d3h4m5s` without the leading zero parts, as nats-server prints uptimes. */
export function formatUptime(milliseconds: number): string {
  let seconds = Math.max(0, Math.floor(milliseconds / 1_000))
  let text = ''
  for (const [letter, unitSeconds] of [
    ['y', 31_536_000],
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
  ] as const) {
    const count = Math.floor(seconds / unitSeconds)
    seconds -= count * unitSeconds
    if (count > 0 || text !== '') text += `${count}${letter}`
  }
  return `${text}${seconds}s`
}

/** A short span such as a round trip: `256µs`, `1.5ms`, `2s`. */
export function formatSpan(milliseconds: number): string {
  if (milliseconds < 1) return `${Math.round(milliseconds * 1_000)}µs`
  if (milliseconds < 1_000) return `${Number(milliseconds.toFixed(3))}ms`
  return `${Number((milliseconds / 1_000).toFixed(3))}s`
}
