// Requests: a reply address of the engine's making, and whatever is answered there.
import assert from 'node:assert/strict'
import type { EngineMessage, ReplySink } from '../../src/engine/index.js'
import type { Chapter } from './case.js'
import { Arrivals, type Recorder, type Stage } from './stage.js'

class Answers extends Arrivals<string> implements ReplySink {
  reply(message: EngineMessage): void {
    this.add(Buffer.from(message.toBytes().body).toString())
  }

  noResponders(): void {
    this.add('nobody')
  }
}

export const requestChapter: Chapter = {
  title: 'request',
  cases: [
    {
      name: 'hands the answer to the one who asked',
      async run(stage) {
        respond(stage, 'double', (body) => [String(Number(body) * 2)])
        await stage.ready()
        const [one, two] = [ask(stage, 'double', '4'), ask(stage, 'double', '21')]
        assert.deepEqual(await one.received(1), ['8'])
        assert.deepEqual(await two.received(1), ['42'])
      },
    },
    {
      name: 'hands over every one of several answers, in order',
      async run(stage) {
        respond(stage, 'count', () => ['1', '2', '3'])
        await stage.ready()
        assert.deepEqual(await ask(stage, 'count').received(3), ['1', '2', '3'])
      },
    },
    {
      name: 'hands over the answers of several responders',
      async run(stage) {
        for (const name of ['red', 'blue']) respond(stage, 'who', () => [name])
        await stage.ready()
        const answers = await ask(stage, 'who').received(2)
        assert.deepEqual([...answers].sort(), ['blue', 'red'])
      },
    },
    {
      name: 'asks one member of a group of responders',
      async run(stage) {
        for (const name of ['red', 'blue']) respond(stage, 'who', () => [name], 'g')
        await stage.ready()
        const answers = ask(stage, 'who')
        await answers.received(1)
        await stage.settled()
        await stage.settled(stage.subscriber, stage.publisher)
        assert.equal(answers.items.length, 1)
      },
    },
    {
      name: 'says at once that nobody responds',
      async run(stage) {
        assert.deepEqual(await ask(stage, 'nobody.here').received(1), ['nobody'])
      },
    },
    {
      name: 'says that nobody responds once the responder has left',
      async run(stage) {
        const responder = respond(stage, 'a', () => ['here'])
        await stage.ready()
        assert.deepEqual(await ask(stage, 'a').received(1), ['here'])
        responder.subscription.unsubscribe()
        await stage.ready()
        assert.deepEqual(await ask(stage, 'a').received(1), ['nobody'])
      },
    },
    {
      name: 'hands over no answer after cancel, which may be called twice',
      async run(stage) {
        const requests = stage.record('slow')
        await stage.ready()
        const answers = new Answers()
        const message = stage.makeMessage('slow')
        const pending = stage.publisher.request(message.handle, message, answers)
        await requests.received(1)
        pending.cancel()
        pending.cancel()
        stage.publish(requests.items[0]!.replyTopic!, { engine: stage.subscriber, body: 'late' })
        await stage.settled(stage.subscriber, stage.publisher)
        assert.deepEqual(answers.items, [])
      },
    },
    {
      name: 'keeps headers and body of the request, and gives each request an address of its own',
      async run(stage) {
        const requests = stage.record('a')
        await stage.ready()
        for (const body of ['1', '2']) {
          const message = stage.makeMessage('a', { body, headers: [['Name', 'value']] })
          stage.publisher.request(message.handle, message, new Answers())
        }
        await requests.received(2)
        assert.deepEqual(requests.bodies, ['1', '2'])
        const [first, second] = requests.items
        assert.notEqual(first!.replyTopic, second!.replyTopic)
        assert.match(Buffer.from(first!.headerBlock).toString(), /\r\nName: value\r\n/)
      },
    },
    {
      name: 'answers many requests under way at once, each its own',
      async run(stage) {
        respond(stage, 'echo', (body) => [body])
        await stage.ready()
        const asked = Array.from({ length: 200 }, (_, i) => ask(stage, 'echo', String(i)))
        await Promise.all(asked.map((answers) => answers.received(1)))
        asked.forEach((answers, i) => assert.deepEqual(answers.items, [String(i)]))
      },
    },
  ],
}

function ask(stage: Stage, topic: string, body = ''): Answers {
  const answers = new Answers()
  const message = stage.makeMessage(topic, { body })
  stage.publisher.request(message.handle, message, answers)
  return answers
}

function respond(
  stage: Stage,
  topic: string,
  answersTo: (body: string) => readonly string[],
  group?: string,
): Recorder {
  return stage.record(topic, {
    ...(group === undefined ? {} : { group }),
    during(message) {
      const reply = message.replyTopic!
      for (const body of answersTo(Buffer.from(message.toBytes().body).toString())) {
        stage.publish(reply, { engine: stage.subscriber, body })
      }
    },
  })
}
