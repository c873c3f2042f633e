// What was kept is found again, in whatever order it is asked for, and only so much is kept.
import { describe, expect, it } from 'vitest'
import { KeptMessages } from '../../src/embedded/kept-messages.js'
import { StoredMessage } from '../../src/engine/index.js'
import { TopicTable } from '../../src/topic/index.js'

const handle = new TopicTable().atName('topic')

function makeMessage(sequence: number): StoredMessage {
  const message = new StoredMessage(handle)
  message.sequence = sequence
  return message
}

function keep(...sequences: number[]): KeptMessages {
  const kept = new KeptMessages()
  for (const sequence of sequences) kept.add(makeMessage(sequence))
  return kept
}

describe('kept messages', () => {
  it('gives each of those that were kept once, in their order', () => {
    const kept = keep(1, 2, 5)
    expect([1, 2, 5].map((sequence) => kept.take(sequence)?.sequence)).toEqual([1, 2, 5])
    expect(kept.take(5)).toBeUndefined()
  })

  it('gives those that were passed over too, and none that was not kept', () => {
    const kept = keep(1, 2, 3, 4)
    expect([3, 1, 4, 2, 6, -1].map((sequence) => kept.take(sequence)?.sequence)).toEqual([
      3,
      1,
      4,
      2,
      undefined,
      undefined,
    ])
  })

  it('shows a message without giving it', () => {
    const kept = keep(1, 2)
    expect(kept.find(2)?.sequence).toBe(2)
    expect(kept.find(1)?.sequence).toBe(1)
    expect(kept.take(1)?.sequence).toBe(1)
    expect(kept.take(2)?.sequence).toBe(2)
  })

  it('is full at a bound, and lets the oldest go of what is never asked for', () => {
    const kept = new KeptMessages()
    let sequence = 0
    for (let round = 0; round < 3; round++) {
      while (!kept.isFull) kept.add(makeMessage((sequence += 1)))
      expect(kept.take(sequence)?.sequence).toBe(sequence)
    }
    expect(kept.find(1)).toBeUndefined()
    expect(kept.find(sequence - 1)?.sequence).toBe(sequence - 1)
  })
})
