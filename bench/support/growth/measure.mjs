// Runs one measurement, named on the command line, in this process, and prints its result.
import * as measurements from './measurements.mjs'
import { measureSteadiness } from './steadiness.mjs'

const [name, parameters] = process.argv.slice(2)
const measure = { ...measurements, measureSteadiness }[name]
process.stdout.write(JSON.stringify((await measure(JSON.parse(parameters))) ?? {}))
