// One question and several answers, and what a responder says when it fails.
import assert from 'node:assert/strict'
import { VirtualClock } from '../../src/base/index.js'
import { FanfareError, query, replyFailed } from '../../src/broker/index.js'
import type { Chapter } from './case.js'
import { isNumberSchema } from './schemas.js'
import { Arrivals, codeOf, makeGate } from './stage.js'

const Double = query('math.double', isNumberSchema, { reply: isNumberSchema })

export const requestManyChapter: Chapter = {
  title: 'several answers and failed ones',
  cases: [
    {
      name: 'gathers the answers of responders that share no group, and one of each group',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        for (const name of ['red', 'blue']) there.respond('who', () => name, { group: false })
        for (const name of ['g1', 'g2'])
          there.respond('who', () => 'group', { group: name.slice(0, 1) })
        await there.flush()
        const answers: unknown[] = []
        for await (const { data } of here.requestMany('who', 1, { max: 3 })) answers.push(data)
        assert.deepEqual(answers.sort(), ['blue', 'group', 'red'])
      },
    },
    {
      name: 'ends when no further answer comes for a while, and not before the first',
      async run(stage) {
        const clock = new VirtualClock()
        const { here, there } = stage.openBrokers({ clock })
        const gate = makeGate()
        there.respond('who', () => gate.opened.then(() => 1), { group: false })
        await there.flush()
        const answers = new Arrivals<unknown>()
        const loop = (async () => {
          for await (const { data } of here.requestMany('who', 1, {
            stall: 100,
            timeout: 10_000,
          })) {
            answers.add(data)
          }
        })()
        await stage.settled()
        clock.advance(500)
        gate.open()
        await answers.received(1)
        await stage.settled()
        clock.advance(101)
        await loop
        assert.deepEqual(answers.items, [1])
      },
    },
    {
      name: 'ends at the time-out with what has come',
      async run(stage) {
        const clock = new VirtualClock()
        const { here, there } = stage.openBrokers({ clock })
        there.respond('who', () => 1, { group: false })
        await there.flush()
        const answers = new Arrivals<unknown>()
        const loop = (async () => {
          for await (const { data } of here.requestMany('who', 1, { timeout: '2s' }))
            answers.add(data)
        })()
        await answers.received(1)
        clock.advance(2_001)
        await loop
        assert.deepEqual(answers.items, [1])
      },
    },
    {
      name: 'rejects with NO_RESPONDERS, CLOSED, or the reason of its signal',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        const first = (options = {}) => here.requestMany('who', 1, options).next()
        assert.equal(await codeOf(() => first()), 'NO_RESPONDERS')
        const asked = new Arrivals<unknown>()
        there.subscribe('who', ({ data }) => asked.add(data))
        await there.flush()
        const controller = new AbortController()
        const aborted = first({ signal: controller.signal })
        await asked.received(1)
        controller.abort(new Error('enough'))
        await assert.rejects(aborted, /enough/)
        assert.throws(() => here.requestMany('who', 1, { signal: controller.signal }), /enough/)
        assert.throws(() => here.requestMany('who', 1, { max: 0 }), { code: 'OPTION_INVALID' })
        const closed = codeOf(() => first())
        await asked.received(2)
        await here.close()
        assert.equal(await closed, 'CLOSED')
      },
    },
    {
      name: 'tells of a failed answer and goes on; leaving the loop ends it',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        there.respond(Double, ({ data }) => data * 2, { group: false })
        there.respond(
          Double,
          () => {
            throw replyFailed(503, 'not today', { retryIn: 5 })
          },
          { group: false },
        )
        await there.flush()
        const [errors, values]: [FanfareError[], number[]] = [[], []]
        for await (const answer of here.requestMany(Double, 21)) {
          if (answer.error === undefined) values.push(answer.data)
          else {
            errors.push(answer.error)
            assert.throws(() => answer.data, { code: 'REPLY_FAILED' })
          }
          if (errors.length + values.length === 2) break
        }
        assert.deepEqual(values, [42])
        const { status, reason, data } = errors[0]!.details
        assert.deepEqual(
          { status, reason, data },
          { status: 503, reason: 'not today', data: { retryIn: 5 } },
        )
        assert.equal(errors[0]!.retryable, true)
      },
    },
    {
      name: 'says what a responder failed with: its status, or the code of what it threw',
      async run(stage) {
        const { here, there, events } = stage.openBrokers()
        there.respond('missing', () => {
          throw replyFailed(404, 'no such\r\nuser', { id: 7 })
        })
        there.respond('full', () => {
          throw new FanfareError('STREAM_FULL', 'full', { retryable: true })
        })
        there.respond(Double, ({ data }) => data)
        await there.flush()
        const failureOf = (topic: string, data: unknown) =>
          here.request(topic, data).catch((error: FanfareError) => error.details)
        assert.deepEqual(await failureOf('missing', 1), {
          topic: 'missing',
          status: 404,
          reason: 'no such user',
          data: { id: 7 },
        })
        assert.deepEqual(await failureOf('full', 1), {
          topic: 'full',
          status: 503,
          reason: 'full',
          code: 'STREAM_FULL',
        })
        const refused = (await failureOf('math.double', 'text')) as Record<string, unknown>
        assert.equal(refused.status, 400)
        assert.equal(refused.code, 'VALIDATION_FAILED')
        assert.ok(Array.isArray((refused.data as { issues: unknown }).issues))
        // What was meant as an answer is no trouble.
        await events.find('handler-failed')
        assert.equal(
          events.items.some((event) => 'topic' in event && event.topic === 'missing'),
          false,
        )
      },
    },
    {
      name: "reads a failure that says no more than a number, as some clients' do",
      async run(stage) {
        const { here } = stage.openBrokers()
        stage.record('q', {
          during: (message) =>
            stage.publish(message.replyTopic!, {
              engine: stage.subscriber,
              headers: [['nats-service-error-code', '418']],
            }),
        })
        await stage.ready()
        const failure = await here.request('q', 1).catch((error: FanfareError) => error)
        assert.equal((failure as FanfareError).code, 'REPLY_FAILED')
        assert.equal((failure as FanfareError).details.status, 418)
      },
    },
  ],
}
