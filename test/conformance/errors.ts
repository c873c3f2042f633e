// What engines refuse, by code.
import assert from 'node:assert/strict'
import { FanfareError } from '../../src/base/index.js'
import type { Chapter } from './case.js'

const limitsPayload = ({ maxPayloadBytes }: { maxPayloadBytes: number }) =>
  maxPayloadBytes < Number.MAX_SAFE_INTEGER

export const errorsChapter: Chapter = {
  title: 'errors',
  cases: [
    {
      name: 'refuses a payload over the limit with PAYLOAD_TOO_LARGE and takes one at the limit',
      needs: limitsPayload,
      async run(stage) {
        const { maxPayloadBytes } = stage.publisher.capabilities
        const recorder = stage.record('a')
        await stage.ready()
        assert.throws(
          () => stage.publish('a', { body: new Uint8Array(maxPayloadBytes + 1) }),
          (error) => FanfareError.is(error) && error.code === 'PAYLOAD_TOO_LARGE',
        )
        stage.publish('a', { body: new Uint8Array(maxPayloadBytes) })
        await recorder.received(1)
        assert.equal(recorder.items[0]!.bodyBytes, maxPayloadBytes)
      },
    },
    {
      name: 'counts headers into the payload limit',
      needs: limitsPayload,
      async run(stage) {
        const { maxPayloadBytes } = stage.publisher.capabilities
        const body = new Uint8Array(maxPayloadBytes - 10)
        assert.throws(
          () => stage.publish('a', { body, headers: [['Name', 'value']] }),
          (error) => FanfareError.is(error) && error.code === 'PAYLOAD_TOO_LARGE',
        )
      },
    },
    {
      name: 'refuses a request that is too large the same way',
      needs: limitsPayload,
      async run(stage) {
        const { maxPayloadBytes } = stage.publisher.capabilities
        const message = stage.makeMessage('a', { body: new Uint8Array(maxPayloadBytes + 1) })
        const sink = { reply() {}, noResponders() {} }
        assert.throws(
          () => stage.publisher.request(message.handle, message, sink),
          (error) => FanfareError.is(error) && error.code === 'PAYLOAD_TOO_LARGE',
        )
      },
    },
  ],
}
