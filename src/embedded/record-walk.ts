// Walks over many records without keeping other work of the process waiting for long.
import type { Clock } from '../base/index.js'
import type { LogCursor } from '../log/index.js'

/** Other work gets its turn after so long. */
const SLICE_MS = 2

/** Records between two looks at the clock. */
const RECORDS_PER_LOOK = 64

/**
 * Shows every committed record from where the cursor is, reading from the disk where needed, until `visit` returns false; closes
 * the cursor.
 */
export async function walkRecords(
  cursor: LogCursor,
  clock: Clock,
  visit: () => boolean | void,
): Promise<void> {
  let sliceEndsMs = clock.elapsedMs() + SLICE_MS
  try {
    for (let count = 1; ; count++) {
      const found = cursor.next()
      if (found === 'end') return
      if (found === 'wait') await cursor.loaded()
      else if (visit() === false) return
      if (count % RECORDS_PER_LOOK !== 0 || clock.elapsedMs() < sliceEndsMs) continue
      await new Promise<void>((resolve) => clock.defer(resolve))
      sliceEndsMs = clock.elapsedMs() + SLICE_MS
    }
  } finally {
    cursor.close()
  }
}
