// Makes the child processes' programs: compiles the modules of this folder that they need, beside the built package, which they
// import.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import ts from 'typescript'

const folder = dirname(fileURLToPath(import.meta.url))
const built = pathToFileURL(join(folder, '..', '..', 'dist')).href

export interface ChildPrograms {
  pathOf(name: string): string
  remove(): Promise<void>
}

/** Writes the folder's modules as JavaScript into a directory of their own. */
export async function compileChildPrograms(): Promise<ChildPrograms> {
  const directory = await mkdtemp(join(tmpdir(), 'fanfare-programs-'))
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
  const names = (await readdir(folder)).filter((name) => /^[a-z-]+\.ts$/.test(name))
  await Promise.all(
    names.map(async (name) => {
      const source = await readFile(join(folder, name), 'utf8')
      const { outputText } = ts.transpileModule(source, {
        compilerOptions: {
          target: ts.ScriptTarget.ES2022,
          module: ts.ModuleKind.ESNext,
          verbatimModuleSyntax: true,
        },
      })
      const text = outputText.replaceAll("'../../src/", `'${built}/`)
      await writeFile(join(directory, name.replace('.ts', '.js')), text)
    }),
  )
  return {
    pathOf: (name) => join(directory, `${name}.js`),
    remove: () => rm(directory, { recursive: true }),
  }
}
