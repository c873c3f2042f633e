// What the cluster engine is known to do otherwise, whichever server it is on.
import type { Exception } from '../conformance/suite.js'

export const clusterExceptions: readonly Exception[] = [
  {
    test: 'gives a subscriber by pattern the parameters and data that the catalog declares',
    reason: 'a subscription by wildcard looks for no definition of what it receives from the wire',
  },
]
