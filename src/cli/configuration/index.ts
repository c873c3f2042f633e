// Fanfare's configuration: files in the syntax of nats-server, of which JSON is a subset.
export {
  readConfiguration,
  type Configuration,
  type ConfigurationSource,
} from './read-configuration.js'
export type { ConfigurationWarning } from './read-keys.js'
export type { ProcessOptions } from './server-keys.js'
export type { StorageOptions } from './jetstream-keys.js'
