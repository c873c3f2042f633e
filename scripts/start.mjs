// npm start: runs the broker's server from the sources, in this very process, so that the signals npm passes on reach the
// server and its exit code reaches npm. `npm start -- -p 4333` passes flags.
import { giveUp, prepare } from './prepare.mjs'

await prepare({ build: true }).catch(giveUp)
const { main } = await import('../dist/cli/main.js')
await main(['serve', ...process.argv.slice(2)])
