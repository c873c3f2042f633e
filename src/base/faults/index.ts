// A disk that fails from a seed, for tests; nothing that runs for users loads it.
export {
  FaultDisk,
  type DiskCounters,
  type DiskOperation,
  type FaultDiskOptions,
} from './fault-disk.js'
