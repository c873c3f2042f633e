// The `jetstream` setting: whether and where streams are kept. A word, a boolean, or a block, which switches it on unless it says
// otherwise. Without encryption the disk would hold in the clear what the file says is encrypted, so that is refused.
import type { OptionDraft } from './option-draft.js'
import { keyTable, readKeys, refuse, type Warnings } from './read-keys.js'
import type { Setting } from './syntax/index.js'
import { TypedSetting } from './typed-setting.js'

/** Where streams are kept, as the configuration has it. */
export interface StorageOptions {
  /** Whether there are streams that outlive the process. */
  readonly isEnabled?: boolean
  readonly directory?: string
}

export interface StorageDraft extends Warnings {
  readonly storage: OptionDraft<StorageOptions>
}

export function readJetStream(setting: Setting, draft: StorageDraft): void {
  if (setting.content.kind !== 'block') {
    return draft.storage.set('isEnabled', readSwitch(setting), setting)
  }
  readKeys(setting.content.settings, jetStreamKeys, draft)
  if (draft.storage.findOrigin('isEnabled') === undefined) {
    draft.storage.set('isEnabled', true, setting)
  }
}

export function readStoreDirectory(setting: Setting, { storage }: StorageDraft): void {
  const directory = new TypedSetting(setting).string()
  if (directory !== '') storage.set('directory', directory, setting)
}

const jetStreamKeys = keyTable<StorageDraft>([
  [
    ['enable', 'enabled'],
    (setting, { storage }) => storage.set('isEnabled', readSwitch(setting), setting),
  ],
  [['store', 'store_dir', 'storedir'], readStoreDirectory],
  [['key', 'ek', 'encryption_key', 'prev_key', 'prev_ek', 'prev_encryption_key', 'cipher'], refuse],
  [['tpm'], refuse],
  [
    [
      ...['sync', 'sync_interval', 'strict', 'domain', 'extension_hint', 'unique_tag', 'limits'],
      ...['max_memory_store', 'max_mem_store', 'max_mem', 'max_file_store', 'max_file'],
      ...['max_outstanding_catchup', 'max_buffered_size', 'max_buffered_msgs'],
      ...['request_queue_limit', 'meta_compact', 'meta_compact_size', 'meta_compact_sync'],
      ...['info_queue_limit'],
    ],
    warn,
  ],
])

/** A boolean, or `enabled` and `disabled`. */
function readSwitch(setting: Setting): boolean {
  const { content } = setting
  if (content.kind === 'boolean') return content.isTrue
  const word = content.kind === 'string' ? content.text.toLowerCase() : ''
  if (word === 'enabled' || word === 'enable') return true
  if (word === 'disabled' || word === 'disable') return false
  throw new TypedSetting(setting).mustBe('enabled, disabled or a block { … }')
}

function warn(setting: Setting, target: Warnings): void {
  target.warn(setting.place, `${setting.key} of jetstream is not supported yet and has no effect`)
}
