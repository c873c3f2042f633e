// Where trouble goes when nobody listens for it: the console, at most once per code in ten seconds.

const SILENCE_MS = 10_000

const reportedAtMs = new Map<string, number>()

/** Prints `text` unless the same `code` was printed less than ten seconds before. */
export function reportOnConsole(code: string, text: string, cause?: unknown): void {
  const nowMs = performance.now()
  const lastMs = reportedAtMs.get(code)
  if (lastMs !== undefined && nowMs - lastMs < SILENCE_MS) return
  reportedAtMs.set(code, nowMs)
  console.error(`fanfare: ${code}: ${text}`, ...(cause === undefined ? [] : [cause]))
}
