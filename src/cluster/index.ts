// Level 4: the engine on a NATS server or cluster; the door `fanfare/cluster`.
export { ClusterEngine } from './cluster-engine.js'
export { openClusterEngine, type ClusterEngineOptions } from './open-cluster-engine.js'
