// Who is told what an engine has to tell, and when.
import { expect, it } from 'vitest'
import { EventListeners } from '../../src/engine/event-listeners.js'
import type { EngineEvent } from '../../src/engine/index.js'

function finding(path: string): EngineEvent {
  return {
    type: 'recovery-finding',
    kind: 'damaged-block',
    stream: undefined,
    path,
    description: 'damaged',
  }
}

it('tells the first listener what was told before it, and nobody twice', () => {
  const listeners = new EventListeners()
  listeners.report(finding('a'))
  listeners.report(finding('b'))
  const first: EngineEvent[] = []
  const second: EngineEvent[] = []
  listeners.add((event) => first.push(event))
  listeners.add((event) => second.push(event))
  listeners.report(finding('c'))
  expect(first).toEqual([finding('a'), finding('b'), finding('c')])
  expect(second).toEqual([finding('c')])
})

it('keeps a bounded number of events for a listener that never comes', () => {
  const listeners = new EventListeners()
  for (let i = 0; i < 5_000; i++) listeners.report(finding(String(i)))
  const told: EngineEvent[] = []
  listeners.add((event) => told.push(event))
  expect(told).toHaveLength(1_000)
  expect(told[0]).toEqual(finding('0'))
})
