// Compiles src into dist. The compiler writes beside dist and the result takes dist's place whole, so nothing of a deleted
// source stays behind and a reader never finds a half-written build.
import { chmodSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** `run` starts a command and throws when it fails; `workDirectory` belongs to the caller, on the same disk as dist. */
export async function compile({ root, workDirectory, stamp, run }) {
  const dist = join(root, 'dist')
  const nextDist = join(workDirectory, 'dist')
  const previousDist = join(workDirectory, 'previous-dist')
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  await run(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', nextDist])

  for (const name of ['fanfare.cjs', 'main.js']) {
    const executable = join(nextDist, 'cli', name)
    if (existsSync(executable)) chmodSync(executable, 0o755)
  }
  writeFileSync(join(nextDist, '.stamp'), stamp)

  if (existsSync(dist)) renameSync(dist, previousDist)
  renameSync(nextDist, dist)
  rmSync(previousDist, { recursive: true, force: true })
}
