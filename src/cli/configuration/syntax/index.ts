// The syntax of the configuration: from texts to a value tree that knows its lines.
export { configurationError } from './configuration-error.js'
export { parseConfiguration, type Sources } from './configuration-parser.js'
export type { Block, ConfigurationValue, Content, Place, Setting } from './configuration-value.js'
