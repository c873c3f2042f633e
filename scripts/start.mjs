// npm start: runs the broker's server from the sources, in this very process, so that the signals npm passes on reach the
// server and its exit code reaches npm. package.json says `exec` for the same reason: npm signals only the shell between,
// which would die and leave the server behind. `npm start -- -p 4333` passes flags.
import { giveUp, prepare } from './prepare.mjs'

await prepare({ build: true }).catch(giveUp)
const { main } = await import('../dist/cli/main.js')
await main(['serve', ...process.argv.slice(2)])
