// A broker as a NestJS module: injected by its class, handlers found by their decorators, closed by the shut-down hooks. Copy this
// file into your app.
import {
  Inject,
  Module,
  SetMetadata,
  type DynamicModule,
  type FactoryProvider,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common'
import { DiscoveryModule, DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core'
import {
  Broker,
  openBroker,
  type BrokerOptions,
  type CommandDefinition,
  type ConsumedMessageOf,
  type ConsumeOptions,
  type EventDefinition,
  type LiveSubscriptionOptions,
  type MessageOf,
  type QueryDefinition,
  type Source,
} from 'fanfare'

const HANDLER = 'fanfare:handler'

/** Connects a decorated method to the broker. */
type Connect<M> = (broker: Broker, handler: (message: M) => unknown) => unknown

type Handles<M> = <H extends (message: M) => unknown>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<H>,
) => void

const handles = <M>(connect: Connect<M>): Handles<M> => SetMetadata(HANDLER, connect)

/** The broker; the class itself is the token, so that a parameter of type `Broker` needs no decorator where metadata is emitted. */
export const InjectBroker = (): ParameterDecorator & PropertyDecorator => Inject(Broker)

/** Calls the method with every live message of the source. */
export function Subscribe<const S extends Source>(source: S, options?: LiveSubscriptionOptions) {
  return handles<MessageOf<S>>((broker, handler) =>
    broker.subscribe(source as never, handler as never, options),
  )
}

/** Answers requests with what the method returns. */
export function Respond<const S extends QueryDefinition | CommandDefinition | string>(
  source: S,
  options?: LiveSubscriptionOptions,
) {
  return handles<MessageOf<S>>((broker, handler) =>
    broker.respond(source as never, handler as never, options),
  )
}

/** Calls the method with every message of the durable consumer `name`; returning acknowledges. */
export function Consume<const S extends EventDefinition | CommandDefinition | string>(
  name: string,
  source: S,
  options?: ConsumeOptions,
) {
  return handles<ConsumedMessageOf<S>>((broker, handler) =>
    broker.consume(name, source as never, handler as never, options),
  )
}

export interface FanfareModuleOptions {
  readonly inject?: FactoryProvider['inject']
  useFactory(...dependencies: unknown[]): BrokerOptions | Promise<BrokerOptions>
}

@Module({ imports: [DiscoveryModule] })
export class FanfareModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(Broker) private readonly broker: Broker,
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(MetadataScanner) private readonly scanner: MetadataScanner,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  static forRoot(options: BrokerOptions = {}): DynamicModule {
    return FanfareModule.forRootAsync({ useFactory: () => options })
  }

  static forRootAsync(options: FanfareModuleOptions): DynamicModule {
    const provider: FactoryProvider<Broker> = {
      provide: Broker,
      inject: options.inject ?? [],
      useFactory: async (...dependencies: unknown[]) =>
        openBroker(await options.useFactory(...dependencies)),
    }
    return { module: FanfareModule, global: true, providers: [provider], exports: [Broker] }
  }

  /** After every `onModuleInit`, in which streams are made. */
  async onApplicationBootstrap(): Promise<void> {
    for (const { instance } of [
      ...this.discovery.getProviders(),
      ...this.discovery.getControllers(),
    ]) {
      if (typeof instance === 'object' && instance !== null) await this.connect(instance)
    }
  }

  /** After the HTTP server, if there is one, has answered its last request. */
  async onApplicationShutdown(): Promise<void> {
    await this.broker.close()
  }

  private async connect(instance: Record<string, unknown>): Promise<void> {
    for (const name of this.scanner.getAllMethodNames(Object.getPrototypeOf(instance) as object)) {
      const method = instance[name] as (message: never) => unknown
      const connect = this.reflector.get<Connect<never> | undefined>(HANDLER, method)
      await connect?.(this.broker, method.bind(instance))
    }
  }
}
