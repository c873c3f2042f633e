// Level 6: what users' tests need; the door `fanfare/testing`.
export type { FaultOptions, Faults } from './faults.js'
export { openTestBroker, type TestBrokerOptions } from './open-test-broker.js'
export { AssertionError, type Crash, type IdleOptions, type TestBroker } from './test-broker.js'
