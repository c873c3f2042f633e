// npm run build: compiles src into dist, whether or not anything changed.
import { giveUp, prepare } from './prepare.mjs'

await prepare({ build: 'always' }).catch(giveUp)
