// Whatever is opened and ended, by whichever way, is given back: 100,000 subscriptions, a million messages, and every other way to
// begin and to end something, in a process that collects its garbage when told to.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'

interface Finding {
  readonly name: string
  readonly cycles: number
  readonly left: readonly string[]
}

/** It computes for some 10 s; other tests share the machine. */
const PATIENT = { timeout: 300_000 }

it('gives back what it took, on every way', PATIENT, async () => {
  const findings = await measureAll()
  const cyclesOf = (name: string) => findings.find((finding) => finding.name === name)?.cycles
  expect(cyclesOf('subscribe, abort')).toBe(100_000)
  expect(cyclesOf('1,000,000 messages')).toBe(1_000_000)

  const control = findings.at(-1)!
  expect(control.name).toBe('leaks on purpose')
  expect(control.left).toEqual([
    'timers',
    'listeners',
    'subscriptions',
    expect.stringMatching(/^heap by /),
  ])
  expect(findings.slice(0, -1).filter(({ left }) => left.length > 0)).toEqual([])
})

async function measureAll(): Promise<Finding[]> {
  const program = join(import.meta.dirname, 'child.mjs')
  const child = spawn(process.execPath, ['--expose-gc', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const findings: Finding[] = []
  for await (const line of createInterface(child.stdout)) findings.push(JSON.parse(line) as Finding)
  return findings
}
