// From a configuration file to options. Either the whole file is understood, or CONFIG_INVALID names the line that is
// not; what is understood but has no effect comes back as a warning.
import type { ServerOptions } from '../../server/index.js'
import type { StorageOptions } from './jetstream-keys.js'
import { OptionDraft } from './option-draft.js'
import { readKeys, type ConfigurationWarning, type Warnings } from './read-keys.js'
import { serverKeys, type ConfigurationDraft, type ProcessOptions } from './server-keys.js'
import { configurationError, parseConfiguration, type Sources } from './syntax/index.js'

export interface ConfigurationSource extends Sources {
  readonly path: string
}

export interface Configuration {
  readonly server: ServerOptions
  readonly process: ProcessOptions
  readonly storage: StorageOptions
  readonly warnings: readonly ConfigurationWarning[]
}

/** What the server uses where the file says nothing; needed to compare one setting with another. */
const DEFAULTS = {
  maxPayloadBytes: 1_048_576,
  maxPendingBytes: 67_108_864,
  lameDuckDurationMs: 120_000,
  lameDuckGracePeriodMs: 10_000,
} as const

/** Reads the file at `path`, and those it includes. Throws CONFIG_INVALID. */
export function readConfiguration(source: ConfigurationSource): Configuration {
  const { path } = source
  const block = parseConfiguration(path, source)
  const warnings: ConfigurationWarning[] = []
  const sink: Warnings = { warn: (place, message) => warnings.push({ ...place, message }) }
  const draft: ConfigurationDraft = {
    ...sink,
    server: new OptionDraft<ServerOptions>(sink),
    process: new OptionDraft<ProcessOptions>(sink),
    storage: new OptionDraft<StorageOptions>(sink),
  }
  if (block.size === 0) draft.warn({ file: path, line: 1 }, 'the configuration is empty')
  readKeys(block, serverKeys, draft)
  assertOrder(draft, 'maxPayloadBytes', 'maxPendingBytes', { mayBeEqual: true })
  assertOrder(draft, 'lameDuckGracePeriodMs', 'lameDuckDurationMs', { mayBeEqual: false })
  assertStranger(draft)
  const { server, process, storage } = draft
  return {
    server: server.options,
    process: process.options,
    storage: storage.options,
    warnings,
  }
}

function assertOrder(
  { server }: ConfigurationDraft,
  lesser: keyof typeof DEFAULTS,
  greater: keyof typeof DEFAULTS,
  options: { readonly mayBeEqual: boolean },
): void {
  const low = server.options[lesser] ?? DEFAULTS[lesser]
  const high = server.options[greater] ?? DEFAULTS[greater]
  if (low < high || (options.mayBeEqual && low === high)) return
  const origin = server.findOrigin(lesser) ?? server.findOrigin(greater)
  if (origin === undefined) return
  throw configurationError(
    origin.place,
    `${lesser} (${low}) must be ${options.mayBeEqual ? 'at most' : 'less than'} ${greater} (${high})`,
  )
}

/** The user that strangers act as must be one of those in `users`, as in nats-server. */
function assertStranger({ server }: ConfigurationDraft): void {
  const { noAuthUser, authorization } = server.options
  const origin = server.findOrigin('noAuthUser')
  if (noAuthUser === undefined || origin === undefined) return
  if (authorization?.users?.some((user) => user.user === noAuthUser)) return
  throw configurationError(
    origin.place,
    `${origin.key} ${JSON.stringify(noAuthUser)} is not one of the users in authorization`,
  )
}
