// A consumer as it is kept: its terms as JSON and its ledger's bytes. A note is one or the other, told apart by its first
// byte.
import { ConsumerLedger, type LedgerOptions } from '../delivery/ledger/index.js'
import type { ConsumerSettings } from '../engine/index.js'
import type { RecoveredOwner } from '../log/index.js'

/** What is kept of a consumer besides its ledger. */
export interface ConsumerTerms {
  readonly settings: ConsumerSettings
  /** Hands nothing out before this moment; 0: until it is resumed; absent: it is not paused. */
  readonly pausedUntilMs?: number | undefined
  /** Start at 'last-per-topic': the sequences wanted, ascending; what lies between is passed over. */
  readonly targets?: readonly number[] | undefined
}

export interface RecoveredConsumer {
  readonly terms: ConsumerTerms
  readonly ledger: ConsumerLedger
}

const LEDGER_NOTE = 1
const TERMS_NOTE = 2

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function ledgerOptionsOf(settings: ConsumerSettings): LedgerOptions {
  return {
    acknowledge: settings.acknowledge,
    ackWaitMs: settings.ackWaitMs,
    maxDeliveries: settings.maxDeliveries,
    backoffMs: settings.backoffMs,
    maxInFlight: settings.maxInFlight,
    order: settings.order,
    lookAhead: settings.lookAhead,
    followers: settings.deadLetter?.followers ?? 'continue',
  }
}

export function encodeLedgerNote(note: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(note.length + 1)
  bytes[0] = LEDGER_NOTE
  bytes.set(note, 1)
  return bytes
}

export function encodeTermsNote(terms: ConsumerTerms): Uint8Array {
  const text = encoder.encode(JSON.stringify(terms))
  const bytes = new Uint8Array(text.length + 1)
  bytes[0] = TERMS_NOTE
  bytes.set(text, 1)
  return bytes
}

/** Length of the terms, the terms, the ledger. */
export function encodeConsumerSnapshot(terms: ConsumerTerms, ledger: ConsumerLedger): Uint8Array {
  const text = encoder.encode(JSON.stringify(terms))
  const state = ledger.snapshot()
  const bytes = new Uint8Array(4 + text.length + state.length)
  new DataView(bytes.buffer).setUint32(0, text.length, true)
  bytes.set(text, 4)
  bytes.set(state, 4 + text.length)
  return bytes
}

export function recoverConsumer({ snapshot, notes }: RecoveredOwner): RecoveredConsumer {
  const view = new DataView(snapshot.buffer, snapshot.byteOffset, snapshot.byteLength)
  const termsEnd = 4 + view.getUint32(0, true)
  let terms = parseTerms(snapshot.subarray(4, termsEnd))
  const changes: Uint8Array[] = []
  for (const note of notes) {
    if (note[0] === TERMS_NOTE) terms = parseTerms(note.subarray(1))
    else changes.push(note.subarray(1))
  }
  const state = snapshot.subarray(termsEnd)
  return { terms, ledger: ConsumerLedger.restore(ledgerOptionsOf(terms.settings), state, changes) }
}

function parseTerms(bytes: Uint8Array): ConsumerTerms {
  return JSON.parse(decoder.decode(bytes)) as ConsumerTerms
}
