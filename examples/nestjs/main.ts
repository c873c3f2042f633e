// An app without HTTP: places an order, bills it, and ends in order at SIGTERM.
import 'reflect-metadata'
import { setTimeout as pause } from 'node:timers/promises'
import { Injectable, Module, type OnModuleInit } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { event, type Broker, type ConsumedMessageOf, type MessageOf } from 'fanfare'
import { Consume, FanfareModule, InjectBroker, Respond, Subscribe } from './fanfare.module.js'

const Placed = event('order.placed')

@Injectable()
class Billing {
  @Consume('billing', Placed)
  async bill({ data }: ConsumedMessageOf<typeof Placed>): Promise<void> {
    console.log('billing', data)
    await pause(300)
    console.log('billed', data)
  }

  @Subscribe('order.*')
  watch({ topic }: MessageOf<string>): void {
    console.log('seen', topic)
  }

  @Respond('square')
  square({ data }: MessageOf<string>): number {
    return Number(data) ** 2
  }
}

@Injectable()
class Orders implements OnModuleInit {
  constructor(@InjectBroker() private readonly broker: Broker) {}

  async onModuleInit(): Promise<void> {
    await this.broker.stream('orders', { topics: ['order.>'] })
  }

  async place(id: number): Promise<void> {
    await this.broker.publish(Placed, id)
    console.log('seven squared is', await this.broker.request('square', 7))
  }
}

const options = process.env['DATA'] === undefined ? {} : { directory: process.env['DATA'] }

@Module({ imports: [FanfareModule.forRoot(options)], providers: [Billing, Orders] })
class App {}

const app = await NestFactory.createApplicationContext(App, { logger: ['error', 'warn'] })
app.enableShutdownHooks()
await app.get(Orders).place(1)
