#!/usr/bin/env node
// Hands the arguments to the program, and turns a failure into one line and an exit code.
import { isEntryPoint } from './files.js'
import { buildProgram } from './program.js'
import { toOneLine } from './one-line-error.js'

/** Runs one command. Sets the process's exit code; resolves when the command has ended or its server has stopped. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    await buildProgram().parseAsync(args, { from: 'user' })
  } catch (error) {
    process.stderr.write(`fanfare: ${toOneLine(error)}\n`)
    process.exitCode = 1
  }
}

// npx remembers where it found the executable: who ran it in this clone before fanfare.cjs was there comes here.
if (isEntryPoint(import.meta.url)) await main(process.argv.slice(2))
