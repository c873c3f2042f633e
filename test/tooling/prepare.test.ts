// What goes wrong with clean checkouts elsewhere: each trap in a temporary project with the real scripts and the real npm.
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { findNodeFault } from '../../scripts/prepare.mjs'
import { outcomeOf, TemporaryProject } from './temporary-project.js'

/** npm runs many times here, beside whatever else the machine does. */
const PATIENT = { timeout: 60_000 }
const CLOSING_LINE = '3 passed, 1 failed, 2 skipped'

const projects: TemporaryProject[] = []
afterAll(() => projects.forEach((project) => project.discard()))

function openProject(name?: string): TemporaryProject {
  const project = new TemporaryProject(name)
  projects.push(project)
  return project
}

describe.concurrent('a clean checkout', PATIENT, () => {
  it('installs and builds inside npm test, quietly, and only once', async () => {
    const project = openProject()
    const first = await project.npm(['test', '--', 'some-file'])
    expect(first.stdout).toContain('asked run some-file')
    expect(first.stdout.trimEnd().split('\n').at(-1)).toBe(CLOSING_LINE)
    expect(first.code).toBe(7)
    expect(first.stderr).toContain('Installing dependencies (npm ci) ...\nBuilding ...\n')
    expect(first.stdout + first.stderr).not.toContain('added')

    const second = await project.npm(['test'])
    expect(second.code).toBe(7)
    expect(second.stderr).not.toMatch(/Installing|Building/)
  })

  it.each([
    ['NODE_ENV=production', { NODE_ENV: 'production' }],
    ['ignore-scripts', { npm_config_ignore_scripts: 'true' }],
    ['omit', { npm_config_omit: 'dev optional', npm_config_production: 'true' }],
    ['CI=true', { CI: 'true' }],
    ['dry-run', { npm_config_dry_run: 'true' }],
    ['global', { npm_config_global: 'true' }],
  ])('is prepared under %s', async (_name, environment) => {
    const outcome = await openProject().npm(['test'], { environment })
    expect(outcome.stderr).toContain('Building ...')
    expect(outcome.stdout.trimEnd().split('\n').at(-1)).toBe(CLOSING_LINE)
  })

  it('is prepared from another folder, and in a folder with blanks in its name', async () => {
    const project = openProject('a folder & more')
    const elsewhere = join(project.root, 'elsewhere')
    mkdirSync(elsewhere)
    const outcome = await project.npm(['--prefix', project.root, 'test'], { cwd: elsewhere })
    expect(outcome.code).toBe(7)
    expect(project.listBuild()).toContain('.stamp')
    expect(existsSync(join(elsewhere, 'node_modules'))).toBe(false)
  })

  it('shows the whole output of an install that fails', async () => {
    const project = openProject()
    project.write('package-lock.json', '{ "lockfileVersion": 3, "packages": {} }')
    const outcome = await project.npm(['test'])
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toContain('npm ci')
    expect(outcome.stderr).toContain('Missing: typescript@')
    expect(outcome.stdout.trimEnd().split('\n').at(-1)).toBe('0 passed, 1 failed, 0 skipped')
    expect(outcome.stderr).not.toContain('    at ')
  })

  it('shows the whole output of a build that fails, and keeps the last good one', async () => {
    const project = openProject()
    await project.npm(['run', 'build'])
    project.write('src/broken.js', '// TYPE ERROR')
    const outcome = await project.npm(['run', 'build'])
    expect(outcome.code).toBe(1)
    expect(outcome.stderr).toContain('error TS2322: on standard output')
    expect(outcome.stderr).toContain('and more on standard error')
    expect(project.listBuild()).toEqual(['.stamp', 'cli', 'cli/main.js'])
  })
})

describe.concurrent('a checkout that changes', PATIENT, () => {
  it('installs again when the lockfile changed or an install was interrupted', async () => {
    const project = openProject()
    const prepare = ['scripts/prepare.mjs']
    await project.node(prepare)
    project.remove('node_modules/.fanfare-stamp')
    project.remove('node_modules/typescript')
    expect((await project.node(prepare)).stderr).toContain('Installing')
    expect(existsSync(join(project.root, 'node_modules/typescript'))).toBe(true)

    const lockfile = join(project.root, 'package-lock.json')
    project.write('package-lock.json', `${readFileSync(lockfile, 'utf8')}\n`)
    expect((await project.node(prepare)).stderr).toContain('Installing')
    expect((await project.node(prepare)).stderr).toBe('')
  })

  it('installs again when npm has since removed what it had installed', async () => {
    const project = openProject()
    await project.node(['scripts/prepare.mjs'])
    const prune = await project.npm(['prune', '--omit=dev', '--offline'])
    expect(prune.code, prune.stderr).toBe(0)
    expect(existsSync(join(project.root, 'node_modules/typescript'))).toBe(false)
    expect((await project.node(['scripts/prepare.mjs'])).stderr).toContain('Installing')
    expect(existsSync(join(project.root, 'node_modules/typescript'))).toBe(true)
    expect((await project.node(['scripts/prepare.mjs'])).stderr).toBe('')
  })

  it('leaves nothing of a deleted source in the build', async () => {
    const project = openProject()
    project.write('src/gone.js', '')
    await project.node(['scripts/prepare.mjs', '--build'])
    expect(project.listBuild()).toContain('gone.js')
    project.remove('src/gone.js')
    await project.node(['scripts/prepare.mjs', '--build'])
    expect(project.listBuild()).toEqual(['.stamp', 'cli', 'cli/main.js'])
  })

  it('builds again when a build was interrupted', async () => {
    const project = openProject()
    await project.node(['scripts/prepare.mjs', '--build'])
    project.remove('dist/.stamp')
    project.remove('dist/cli')
    await project.node(['scripts/prepare.mjs', '--build'])
    expect(project.listBuild()).toEqual(['.stamp', 'cli', 'cli/main.js'])
  })

  it('takes turns when prepared several times at once, and heeds no lock of a process that is gone', async () => {
    const project = openProject()
    project.write('.prepare/pid', '999999999')
    const commands = [1, 2, 3].map(() => project.node(['scripts/build.mjs']))
    for (const { code, stderr } of await Promise.all(commands)) expect(code, stderr).toBe(0)
    expect(project.listBuild()).toEqual(['.stamp', 'cli', 'cli/main.js'])
    expect(existsSync(join(project.root, '.prepare'))).toBe(false)
  })

  it('never installs into the modules that a worktree borrows', async () => {
    const main = openProject()
    await main.node(['scripts/prepare.mjs'])
    const worktree = openProject()
    symlinkSync(join(main.root, 'node_modules'), join(worktree.root, 'node_modules'))
    rmSync(join(main.root, 'node_modules/.fanfare-stamp'))
    const outcome = await worktree.node(['scripts/prepare.mjs', '--build'])
    expect(outcome).toMatchObject({ code: 0, stderr: 'Building ...\n' })
    expect(existsSync(join(main.root, 'node_modules/.fanfare-stamp'))).toBe(false)
  })

  it('says what the modules that a worktree borrows lack, and where a dead link leads', async () => {
    const main = openProject()
    await main.node(['scripts/prepare.mjs'])
    const worktree = openProject()
    symlinkSync(join(main.root, 'node_modules'), join(worktree.root, 'node_modules'))
    main.remove('node_modules/vitest')
    const lacking = await worktree.node(['scripts/prepare.mjs'])
    expect(lacking.code).toBe(1)
    expect(lacking.stderr).toContain('where vitest cannot be found')

    main.remove('node_modules')
    const dead = await worktree.node(['scripts/prepare.mjs'])
    expect(dead.code).toBe(1)
    expect(dead.stderr).toContain(`a link to ${join(main.root, 'node_modules')}, where typescript`)
    expect(existsSync(join(main.root, 'node_modules'))).toBe(false)
  })
})

describe.concurrent('npm start', PATIENT, () => {
  it.each([
    ['SIGINT', 0],
    ['SIGTERM', 5],
  ] as const)('passes %s on to the server and leaves with its exit code', async (signal, code) => {
    const project = openProject()
    await project.node(['scripts/prepare.mjs', '--build'])
    const npm = project.start('npm', ['start', '--', '-p', '4333'])
    npm.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.includes('serving')) npm.kill(signal)
    })
    const outcome = await outcomeOf(npm)
    expect(outcome.stdout).toMatch(/serving \d+ serve -p 4333\n/)
    expect(outcome.stdout).toContain(`stopped by ${signal}`)
    expect(outcome.code).toBe(code)
  })

  it('stops while it still prepares, and leaves no lock', async () => {
    const project = openProject()
    await project.node(['scripts/prepare.mjs'])
    project.write('node_modules/typescript/bin/tsc', 'setTimeout(() => {}, 60_000)')
    const start = project.start(process.execPath, ['scripts/start.mjs'])
    start.stderr?.on('data', () => start.kill('SIGTERM'))
    expect(await outcomeOf(start)).toMatchObject({ code: 143 })
    expect(existsSync(join(project.root, '.prepare'))).toBe(false)
  })
})

it('says which Node it needs when it runs on an older one', () => {
  expect(findNodeFault('20.18.9', '>=20.19')).toBe(
    'Fanfare needs Node 20.19 or newer; this is Node 20.18.9.',
  )
  expect(findNodeFault('18.99.0', '>=20.19')).toBeDefined()
  expect(findNodeFault('20.19.0', '>=20.19')).toBeUndefined()
  expect(findNodeFault('22.0.0', '>=20.19')).toBeUndefined()
})
