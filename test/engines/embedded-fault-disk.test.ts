// The engine inside this process keeps the contract on a disk, over kills and losses of power too.
import { conformance } from '../conformance/suite.js'
import { openFaultDiskPlace } from './embedded-place.js'

conformance('the embedded engine on a disk that fails', { openEngine: () => openFaultDiskPlace() })
