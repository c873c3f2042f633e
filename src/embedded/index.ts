// Level 4: the engine inside this process.
export { EmbeddedEngine, type EmbeddedEngineOptions } from './embedded-engine.js'
export {
  openEmbeddedEngine,
  openEngineOnDisk,
  type EmbeddedDirectoryOptions,
} from './open-embedded-engine.js'
