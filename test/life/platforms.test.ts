// The memory engine outside Node: Bun, Deno and a browser. None is installed by this repository: what is not there is skipped, and says so.
// The browser is `CHROMIUM` or /usr/bin/chromium.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type BuildOptions } from 'esbuild'
import { chromium } from 'playwright-core'
import { afterAll, describe, expect, it } from 'vitest'
import { root } from '../docs/runnable-blocks.js'

const PATIENT = { timeout: 120_000 }
const directory = mkdtempSync(join(tmpdir(), 'fanfare-platforms-'))
const programPath = join(import.meta.dirname, 'portable-program.mjs')
const doorPath = join(root, 'dist', 'broker', 'index.js')
const { EXPECTED } = (await import(/* @vite-ignore */ programPath)) as { EXPECTED: unknown }

afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe.each([
  ['bun', []],
  ['deno', ['run', '--no-prompt', '--allow-read']],
])('%s', PATIENT, (command, options) => {
  const version = spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout?.split('\n')[0]

  it.skipIf(version === undefined)(`runs the memory engine (${version ?? 'not there'})`, () => {
    const main = join(directory, `${command}.mjs`)
    const imports = [doorPath, programPath].map((path) => JSON.stringify(pathToFileURL(path).href))
    writeFileSync(
      main,
      `import * as fanfare from ${imports[0]}
       import { run } from ${imports[1]}
       console.log(JSON.stringify(await run(fanfare)))`,
    )
    const outcome = spawnSync(command, [...options, main], { cwd: directory, encoding: 'utf8' })
    expect(outcome.stderr).toBe('')
    expect(JSON.parse(outcome.stdout)).toEqual(EXPECTED)
  })
})

describe('a browser', PATIENT, () => {
  const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

  it('gets a bundle in which nothing of Node is loaded at once', async () => {
    const { metafile } = await bundle({ splitting: true, outdir: join(directory, 'bundle') })
    const entry = Object.values(metafile!.outputs).find(
      ({ entryPoint }) => entryPoint !== undefined,
    )!
    const atOnce = entry.imports.filter(({ kind }) => kind !== 'dynamic-import')
    expect(atOnce.filter(({ external }) => external === true)).toEqual([])
  })

  it.skipIf(!existsSync(executablePath))(
    `runs the memory engine (${existsSync(executablePath) ? executablePath : 'no Chromium'})`,
    async () => {
      await bundle({ outfile: join(directory, 'page.mjs') })
      const text = (await import('node:fs')).readFileSync(join(directory, 'page.mjs'), 'utf8')
      const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
      const page = await browser.newPage()
      const errors: Error[] = []
      page.on('pageerror', (error) => errors.push(error))
      await page.addScriptTag({ type: 'module', content: text })
      const seen = await page.waitForFunction('globalThis.seen')
      expect(await seen.jsonValue()).toEqual(EXPECTED)
      expect(errors).toEqual([])
      await browser.close()
    },
  )
})

/** As an app would be bundled: what is Node's, and the client for a `url`, stay outside, as nothing here asks for them. */
function bundle(output: Pick<BuildOptions, 'outdir' | 'outfile' | 'splitting'>) {
  return build({
    stdin: {
      contents: `import * as fanfare from ${JSON.stringify(doorPath)}
                 import { run } from ${JSON.stringify(programPath)}
                 run(fanfare).then((seen) => (globalThis.seen = seen), (error) => (globalThis.seen = String(error)))`,
      resolveDir: root,
    },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    external: ['node:*', '@nats-io/*'],
    metafile: true,
    ...output,
  })
}
