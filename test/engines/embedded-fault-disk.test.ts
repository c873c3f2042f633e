// The engine inside this process keeps the contract on a disk, over kills and losses of power too. What a fault spares is decided
// by a seed: FANFARE_SEED=7 plays another fate.
import { conformance } from '../conformance/suite.js'
import { openFaultDiskPlace } from './embedded-place.js'

const seed = Number(process.env.FANFARE_SEED ?? 1)

conformance(`the embedded engine on a disk that fails, seed ${seed}`, {
  openEngine: () => openFaultDiskPlace(seed),
})
