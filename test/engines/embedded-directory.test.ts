// The engine inside this process keeps the contract in a real directory, by the real clock.
import { conformance } from '../conformance/suite.js'
import { openDirectoryPlace } from './embedded-place.js'

conformance('the embedded engine in a directory', { openEngine: openDirectoryPlace })
