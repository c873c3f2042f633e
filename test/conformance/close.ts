// The end of an engine: nothing accepted is lost, and it may be asked for twice.
import assert from 'node:assert/strict'
import type { Chapter } from './case.js'
import { codeOf } from './stage.js'

export const closeChapter: Chapter = {
  title: 'close',
  cases: [
    {
      name: 'delivers what was published before close',
      needs: (capabilities) => !capabilities.inProcess,
      async run(stage) {
        const publisher = await stage.place.another()
        const recorder = stage.record('a')
        await stage.ready(publisher)
        for (let i = 0; i < 200; i++) stage.publish('a', { body: String(i), engine: publisher })
        await publisher.close()
        await recorder.received(200)
        assert.deepEqual(
          recorder.bodies,
          Array.from({ length: 200 }, (_, i) => String(i)),
        )
      },
    },
    {
      name: 'may be closed twice, also at once',
      async run(stage) {
        await Promise.all([stage.publisher.close(), stage.publisher.close()])
        await stage.publisher.close()
        assert.equal(stage.publisher.isClosed, true)
      },
    },
    {
      name: 'tells once that it has closed, without an error',
      async run(stage) {
        const told: unknown[] = []
        stage.publisher.onEvent((event) => {
          if (event.type === 'closed') told.push(event.error)
        })
        await stage.publisher.close()
        await stage.publisher.close()
        assert.deepEqual(told, [undefined])
      },
    },
    {
      name: 'refuses publish and subscribe with CLOSED after close',
      async run(stage) {
        await stage.publisher.close()
        assert.equal(await codeOf(() => stage.publish('a')), 'CLOSED')
        assert.equal(await codeOf(() => stage.record('a', { engine: stage.publisher })), 'CLOSED')
      },
    },
    {
      name: 'takes an unsubscribe after close',
      async run(stage) {
        const recorder = stage.record('a')
        await stage.ready()
        await stage.subscriber.close()
        recorder.subscription.unsubscribe()
        assert.equal(recorder.subscription.isClosed, true)
      },
    },
    {
      name: 'takes a cancel after close',
      async run(stage) {
        stage.record('a')
        await stage.ready()
        const message = stage.makeMessage('a')
        const sink = { reply() {}, noResponders() {} }
        const pending = stage.publisher.request(message.handle, message, sink)
        await stage.publisher.close()
        pending.cancel()
      },
    },
  ],
}
