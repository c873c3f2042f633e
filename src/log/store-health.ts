// Whether a store takes anything, and what is done when its files cannot be written: one log is frozen, or with the journal all
// of them. Nothing that failed is tried again.
import { FanfareError } from '../base/index.js'
import { FileLog } from './file-log.js'
import { journalBroken, journalPath } from './journal.js'
import type { LogCatalogue } from './log-catalogue.js'
import type { RecoveryFinding } from './log.js'

export class StoreHealth {
  readonly #catalogue: LogCatalogue
  readonly #onFinding: ((finding: RecoveryFinding) => void) | undefined
  #journalFailure: FanfareError | undefined
  isClosed = false

  constructor(catalogue: LogCatalogue, onFinding?: (finding: RecoveryFinding) => void) {
    this.#catalogue = catalogue
    this.#onFinding = onFinding
  }

  /** Why the journal cannot be written any more. */
  get journalFailure(): FanfareError | undefined {
    return this.#journalFailure
  }

  /** Why nothing can be entered, or undefined. */
  get refusal(): FanfareError | undefined {
    return this.#journalFailure ?? (this.isClosed ? closed() : undefined)
  }

  breakLog(log: FileLog, cause: FanfareError): void {
    if (log.isBroken) return
    log.isBroken = true
    log.freeze(
      new FanfareError(
        'STREAM_FROZEN',
        `The files of ${log.name} cannot be written: nothing is accepted until the directory is opened again.`,
        { cause, details: { log: log.name } },
      ),
    )
    this.report({
      kind: 'unclean-stop',
      log: log.name,
      path: log.directory,
      description: `The log is frozen: ${cause.message}`,
    })
  }

  /** Freezes all durable logs; what waits is refused by the caller, with the error that is returned. */
  breakJournal(number: number, cause: FanfareError): FanfareError {
    const failure = journalBroken(cause)
    this.#journalFailure = failure
    for (const log of this.#catalogue.logs.values()) {
      if (log instanceof FileLog) log.freeze(failure)
    }
    this.report({
      kind: 'unclean-stop',
      log: undefined,
      path: journalPath(number),
      description: `${failure.message} ${cause.message}`,
    })
    return failure
  }

  report(finding: RecoveryFinding): void {
    this.#onFinding?.(finding)
  }
}

export function toFanfareError(error: unknown): FanfareError {
  if (FanfareError.is(error)) return error
  return new FanfareError('INTERNAL', `The log store failed: ${String(error)}`, { cause: error })
}

export function closed(): FanfareError {
  return new FanfareError('CLOSED', 'The log store is closed.')
}
