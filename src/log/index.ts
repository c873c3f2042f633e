// Level 1: the segmented append-only log. It knows sequence, time, keys and bodies, and no messaging.
export type {
  CursorOptions,
  Durability,
  KeyIndex,
  KeyState,
  Log,
  LogCursor,
  LogLimits,
  LogListener,
  LogRecord,
  LogSettings,
  LogState,
  LogStore,
  NoteLevel,
  NoteOwner,
  RecoveredOwner,
  RecoveryFinding,
} from './log.js'
export { MemoryLogStore, type MemoryLogStoreOptions } from './memory-log-store.js'
export { openFileLogStore, type FileLogStoreOptions } from './file-log-store.js'
export { ROOT_FILE } from './store-root.js'
export { verifyStore } from './verify-store.js'
