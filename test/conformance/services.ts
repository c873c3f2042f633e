// Services that are found, described and counted; on every engine the same.
import assert from 'node:assert/strict'
import { query, replyFailed } from '../../src/broker/index.js'
import type { Chapter } from './case.js'
import { isNumberSchema } from './schemas.js'
import { codeOf } from './stage.js'

const Double = query('math.double', isNumberSchema, { reply: isNumberSchema })
const math = { name: 'math', version: '1.2.3', description: 'numbers', metadata: { zone: 'a' } }

export const servicesChapter: Chapter = {
  title: 'services',
  cases: [
    {
      name: 'are found by all, by name and by instance',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        assert.deepEqual(await here.services.ping(), [])
        const [one, two] = [await there.service(math), await there.service(math)]
        await there.service({ name: 'other', version: '0.1.0' })
        const found = await here.services.ping()
        assert.deepEqual(
          found.map(({ name, id }) => [name, id]),
          [
            ['math', one.id],
            ['math', two.id],
            ['other', found[2]!.id],
          ].sort(),
        )
        assert.equal((await here.services.ping({ name: 'math' })).length, 2)
        const [exact] = await here.services.ping({ name: 'math', id: two.id })
        const { roundTripMs, ...identity } = exact!
        assert.deepEqual(identity, {
          name: 'math',
          id: two.id,
          version: '1.2.3',
          metadata: { zone: 'a' },
        })
        assert.ok(roundTripMs >= 0)
        await one.close()
        await one.close()
        await there.flush()
        assert.equal((await here.services.ping({ name: 'math' })).length, 1)
      },
    },
    {
      name: 'say what they offer and what they have done',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        const service = await there.service({ ...math, statistics: ({ name }) => ({ of: name }) })
        service.endpoint(Double, ({ data }) => data * 2, { metadata: { unit: 'none' } })
        const v1 = service.group('v1', { group: 'v' })
        v1.group('deep').endpoint('fail', () => {
          throw replyFailed(404, 'nothing here')
        })
        v1.endpoint('all', () => 1, { group: false, name: 'everybody' })
        await there.flush()
        assert.equal(await here.request(Double, 21), 42)
        assert.equal(await here.request(Double, 1), 2)
        assert.equal(await codeOf(() => here.request('v1.deep.fail', 1)), 'REPLY_FAILED')

        const [info] = await here.services.info({ name: 'math' })
        assert.deepEqual(info, {
          name: 'math',
          id: service.id,
          version: '1.2.3',
          metadata: { zone: 'a' },
          description: 'numbers',
          endpoints: [
            { name: 'math-double', topic: 'math.double', group: 'q', metadata: { unit: 'none' } },
            { name: 'fail', topic: 'v1.deep.fail', group: 'v', metadata: {} },
            { name: 'everybody', topic: 'v1.all', group: undefined, metadata: {} },
          ],
        })
        const [statistics] = await here.services.statistics({ name: 'math', id: service.id })
        const { started, endpoints } = statistics!
        assert.ok(Math.abs(started.getTime() - Date.now()) < 60_000)
        assert.deepEqual(
          endpoints.map(({ name, requests, errors, lastError, data }) => [
            name,
            requests,
            errors,
            lastError,
            data,
          ]),
          [
            ['math-double', 2, 0, '', { of: 'math-double' }],
            ['fail', 1, 1, 'nothing here', { of: 'fail' }],
            ['everybody', 0, 0, '', { of: 'everybody' }],
          ],
        )
        service.reset()
        const [anew] = await here.services.statistics({ name: 'math' })
        assert.deepEqual(
          anew!.endpoints.map(({ requests }) => requests),
          [0, 0, 0],
        )
      },
    },
    {
      name: 'share the requests of an endpoint among their instances',
      async run(stage) {
        const { here, there } = stage.openBrokers()
        const services = [await there.service(math), await here.service(math)]
        for (const service of services) service.endpoint(Double, ({ data }) => data * 2)
        await stage.ready()
        for (let i = 0; i < 20; i++) await here.request(Double, i)
        const all = await here.services.statistics({ name: 'math' })
        assert.equal(all.length, 2)
        assert.equal(
          all.reduce((sum, { endpoints }) => sum + endpoints[0]!.requests, 0),
          20,
        )
      },
    },
    {
      name: 'refuse wrong names, versions, options and endpoints by a code',
      async run(stage) {
        const { here } = stage.openBrokers()
        const refused = async (options: object) =>
          codeOf(() => here.service({ ...math, ...options }))
        assert.equal(await refused({ name: 'a.b' }), 'NAME_INVALID')
        assert.equal(await refused({ version: '1' }), 'OPTION_INVALID')
        assert.equal(await refused({ verison: '1' }), 'OPTION_INVALID')
        const controller = new AbortController()
        const service = await here.service({ ...math, signal: controller.signal })
        assert.throws(() => service.endpoint('a', () => 1, { name: 'a b' }), {
          code: 'NAME_INVALID',
        })
        assert.throws(() => service.group('v1').endpoint(Double as never, () => 1), {
          code: 'OPTION_INVALID',
        })
        assert.equal(await codeOf(() => here.services.ping({ id: 'x' })), 'OPTION_INVALID')
        controller.abort()
        assert.equal(service.isClosed, true)
        assert.throws(() => service.endpoint('a', () => 1), { code: 'CLOSED' })
      },
    },
  ],
}
