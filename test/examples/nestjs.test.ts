// The NestJS example with the real framework, compiled and run as its README says; and NestJS's own transport for NATS on our server.
import 'reflect-metadata'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Controller, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import {
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  Transport,
  type MicroserviceOptions,
} from '@nestjs/microservices'
import { firstValueFrom } from 'rxjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBroker } from '../../src/broker/index.js'
import { startServer } from '../../src/server/index.js'
import { root } from '../docs/runnable-blocks.js'

const PATIENT = { timeout: 60_000 }
const example = join(root, 'examples', 'nestjs')
/** Inside the checkout, so that the packages are found. */
const directory = mkdtempSync(join(root, '.prepare-nestjs-'))

beforeAll(() => {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const options = ['-p', example, '--outDir', join(directory, 'dist')]
  const { status, stdout } = spawnSync(process.execPath, [compiler, ...options], {
    encoding: 'utf8',
  })
  expect(status, stdout).toBe(0)
}, PATIENT.timeout)

afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('the module', PATIENT, () => {
  it('injects the broker, finds handlers by their decorators, and closes in order at SIGTERM', async () => {
    const child = spawn(process.execPath, [join(directory, 'dist', 'main.js')], {
      env: { ...process.env, DATA: join(directory, 'data') },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    let errors = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    const ended = once(child, 'close')
    await expect.poll(() => output + errors, { timeout: 30_000 }).toContain('seven squared is 49\n')
    await expect.poll(() => output + errors, { timeout: 30_000 }).toContain('billing 1\n')
    child.kill('SIGTERM')
    await ended
    expect(errors).toBe('')
    expect(output.split('\n')).toEqual(
      expect.arrayContaining(['seen order.placed', 'billing 1', 'billed 1']),
    )

    // Whatever was handled is acknowledged, and the directory free.
    const broker = await openBroker({ directory: join(directory, 'data') })
    const again: unknown[] = []
    const billing = await broker.consume('billing', 'order.placed', ({ data }) => {
      again.push(data)
    })
    expect(await billing.info()).toMatchObject({ pending: 0, unsettled: 0 })
    await broker.close()
    expect(again).toEqual([])
  })
})

describe("NestJS's transport for NATS", PATIENT, () => {
  it('asks, answers and emits through a Fanfare server', async () => {
    const broker = await openBroker()
    const server = await startServer({ host: '127.0.0.1', port: 0 }, { engine: broker.engine })
    const options = { servers: [`nats://127.0.0.1:${server.port}`] }

    const seen: unknown[] = []
    class Prices {
      square(side: number): number {
        return side ** 2
      }
      keep(price: unknown): void {
        seen.push(price)
      }
    }
    decorate(Prices, 'square', MessagePattern('square'))
    decorate(Prices, 'keep', EventPattern('price.*'))
    Controller()(Prices)
    class App {}
    Module({ controllers: [Prices] })(App)
    const service = await NestFactory.createMicroservice<MicroserviceOptions>(App, {
      transport: Transport.NATS,
      options,
      logger: false,
    })
    await service.listen()
    const client = ClientProxyFactory.create({ transport: Transport.NATS, options })

    expect(await firstValueFrom(client.send<number>('square', 7))).toBe(49)
    await firstValueFrom(client.emit('price.AAPL', { bid: 187.2 }), { defaultValue: undefined })
    await expect.poll(() => seen).toEqual([{ bid: 187.2 }])

    await client.close()
    await service.close()
    await server.stop()
    await broker.close()
  })
})

function decorate(target: { prototype: object }, name: string, decorator: MethodDecorator): void {
  const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name)!
  decorator(target.prototype, name, descriptor)
}
