// Sends every frame of the table to each server on a connection of its own, and holds the answer to the recorded one.
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  ending,
  frameCases,
  frameServers,
  openings,
  type FrameAnswer,
  type FrameCase,
} from './malformed-frames.js'
import { RawConnection } from './raw-connection.js'
import { isRecording, recordAnswers } from './record-malformed-frames.js'
import { describeEachServer, launch, type RunningServer } from './server-under-test.js'

const quietMs = 100

/** Where Fanfare means to differ; a case that starts to agree must leave the list. */
const differences: Readonly<Record<string, string>> = {
  'PUB with a size and leading zeros': 'the count is written anew, as MSG foo 1 5',
  'PUB with a size of nine digits': 'the count is written anew, as MSG foo 1 5',
  'HPUB with a header size and leading zeros': 'the counts are written anew, as 18 23',
}

describeEachServer('malformed frames', (kind) => {
  const recorded = new Map<string, FrameAnswer>()

  for (const name of Object.keys(frameServers) as (keyof typeof frameServers)[]) {
    describe(`server configuration: ${name}`, () => {
      let server: RunningServer
      beforeAll(async () => {
        server = await launch(kind, { configuration: frameServers[name] })
      })
      afterAll(() => server?.stop())

      for (const frame of frameCases.filter((each) => (each.server ?? 'default') === name)) {
        it(frame.name, async () => {
          using connection = await RawConnection.open(server)
          connection.send(openings[frame.connect ?? 'plain'] + frame.send + ending)
          if (isRecording) recorded.set(frame.name, await record(connection))
          else {
            const answer = await answerOf(connection, frame)
            const differs = kind.name === 'fanfare' && frame.name in differences
            if (differs) expect(answer).not.toEqual(frame.expected)
            else expect(answer).toEqual(frame.expected)
          }
        })
      }
    })
  }

  afterAll(async () => {
    if (isRecording) await recordAnswers(recorded)
  })
})

/** Waits for the close, or for as many PONG as were recorded: the last of them answers the ending. */
async function answerOf(connection: RawConnection, { expected }: FrameCase): Promise<FrameAnswer> {
  const pongCount = expected.answer.split('PONG\r\n').length - 1
  const pongs = new RegExp(`(?:PONG\\r\\n[^]*){${pongCount}}`)
  const { answer, closed } = await (expected.closed
    ? connection.receiveUntilClosedOr(/(?!)/)
    : connection.receiveUntilClosedOr(pongs))
  return { answer: withoutInfoText(answer), closed }
}

/** While recording nobody knows what will come, so the answer is what came before the connection was quiet. */
async function record(connection: RawConnection): Promise<FrameAnswer> {
  for (let length = -1; length !== connection.received.length && !connection.isClosed;) {
    length = connection.received.length
    await once(AbortSignal.timeout(quietMs), 'abort')
  }
  return { answer: withoutInfoText(connection.received), closed: connection.isClosed }
}

function withoutInfoText(answer: string): string {
  return answer.replace(/^INFO \{.*\}/gm, 'INFO {}')
}
