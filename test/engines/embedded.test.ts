// The engine inside this process keeps the contract.
import { conformance } from '../conformance/suite.js'
import { openMemoryPlace } from './embedded-place.js'

conformance('the embedded engine in memory', { openEngine: openMemoryPlace })
