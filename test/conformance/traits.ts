// Every operation in every state of its life: works, or refuses with the one code, and never anything else.
import assert from 'node:assert/strict'
import type { Broker } from '../../src/broker/index.js'
import type { Engine } from '../../src/engine/index.js'
import type { Case, Chapter } from './case.js'
import { codeOf, type Stage } from './stage.js'

const states = ['open', 'closing', 'closed'] as const
type State = (typeof states)[number]

type Outcome = 'works' | 'CLOSED' | 'works or CLOSED'

interface Trait<Subject> {
  readonly operation: string
  readonly outcomes: Readonly<Record<State, Outcome>>
  readonly call: (subject: Subject, stage: Stage) => unknown
}

const always = { open: 'works', closing: 'works', closed: 'works' } as const
const whileOpen = { open: 'works', closing: 'CLOSED', closed: 'CLOSED' } as const
const flushing = { open: 'works', closing: 'works or CLOSED', closed: 'works or CLOSED' } as const

const receiver = { deliver: () => true }
const sink = { reply() {}, noResponders() {} }

const engineTraits: readonly Trait<Engine>[] = [
  { operation: 'topic', outcomes: always, call: (engine) => engine.topic('a') },
  {
    operation: 'topicAt',
    outcomes: always,
    call: (engine) => engine.topicAt(new TextEncoder().encode('a'), 0, 1),
  },
  {
    operation: 'publish',
    outcomes: whileOpen,
    call: (engine, stage) => engine.publish(engine.topic('a'), stage.makeMessage('a')),
  },
  {
    operation: 'subscribe',
    outcomes: whileOpen,
    call: (engine) => engine.subscribe('a', receiver),
  },
  {
    operation: 'request',
    outcomes: whileOpen,
    call: (engine, stage) => engine.request(engine.topic('a'), stage.makeMessage('a'), sink),
  },
  {
    operation: 'hasInterest',
    outcomes: always,
    call: (engine) => engine.hasInterest(engine.topic('a')),
  },
  { operation: 'flush', outcomes: flushing, call: (engine) => engine.flush() },
  { operation: 'onEvent', outcomes: always, call: (engine) => engine.onEvent(() => {}) },
  { operation: 'capabilities', outcomes: always, call: (engine) => engine.capabilities },
  { operation: 'close', outcomes: always, call: (engine) => engine.close() },
]

const brokerTraits: readonly Trait<Broker>[] = [
  { operation: 'emit', outcomes: whileOpen, call: (broker) => broker.emit('a', 1) },
  {
    operation: 'subscribe',
    outcomes: whileOpen,
    call: (broker) => broker.subscribe('a', () => {}),
  },
  { operation: 'messages', outcomes: whileOpen, call: (broker) => broker.messages('a').return?.() },
  { operation: 'respond', outcomes: whileOpen, call: (broker) => broker.respond('q', () => 1) },
  {
    operation: 'request',
    outcomes: whileOpen,
    async call(broker) {
      if (!broker.isClosed) {
        broker.respond('q', () => 1)
        await broker.flush()
      }
      await broker.request('q', 1)
    },
  },
  { operation: 'flush', outcomes: flushing, call: (broker) => broker.flush() },
  { operation: 'close', outcomes: always, call: (broker) => broker.close() },
]

export const traitsChapter: Chapter = {
  title: 'traits',
  cases: [
    ...toCases('engine', engineTraits, (stage) => stage.publisher),
    ...toCases('broker', brokerTraits, (stage) => stage.openBroker(stage.publisher)),
  ],
}

interface Closeable {
  readonly isClosed: boolean
  close(): Promise<void>
}

function toCases<Subject extends Closeable>(
  name: string,
  traits: readonly Trait<Subject>[],
  find: (stage: Stage) => Subject,
): Case[] {
  return states.map((state) => ({
    name: `${name} operations, ${state}: ${describe(traits, state)}`,
    async run(stage) {
      for (const { operation, outcomes, call } of traits) {
        if (operation === 'close' && state === 'open') continue
        await expectOutcome(stage, find, { operation, state, wanted: outcomes[state], call })
      }
    },
  }))
}

function describe(traits: readonly Trait<never>[], state: State): string {
  const refused = traits.filter(({ outcomes }) => outcomes[state] === 'CLOSED')
  if (refused.length === 0) return 'all work'
  return `${refused.map(({ operation }) => operation).join(', ')} are refused, the others work`
}

async function expectOutcome<Subject extends Closeable>(
  stage: Stage,
  find: (stage: Stage) => Subject,
  terms: {
    operation: string
    state: State
    wanted: Outcome
    call: (subject: Subject, stage: Stage) => unknown
  },
): Promise<void> {
  const subject = find(stage)
  const closing = terms.state === 'open' ? undefined : subject.close()
  if (terms.state === 'closed') await closing
  const code = (await codeOf(() => terms.call(subject, stage))) ?? 'works'
  assert.ok(terms.wanted.split(' or ').includes(code), `${terms.operation}: ${code}`)
  assert.equal(subject.isClosed, terms.state !== 'open', terms.operation)
  await closing
}
