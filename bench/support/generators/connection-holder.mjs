// The idle clients: many connections, or many subscriptions over a few, with no message on them.
import { getProtocol } from '../protocols/index.mjs'
import { openConnection } from './connection.mjs'
import { serveCalls } from './worker.mjs'

// Few enough at a time that no server refuses for want of a listen queue.
const openedTogether = 50

const subscribedTogether = 1_000

const held = []

async function open({ protocolName, port, count }) {
  const protocol = getProtocol(protocolName)
  for (let opened = 0; opened < count; opened += openedTogether) {
    const some = Math.min(openedTogether, count - opened)
    const connections = await Promise.all(
      Array.from({ length: some }, () => openConnection({ port })),
    )
    await Promise.all(connections.map((connection) => protocol.greet(connection)))
    held.push(...connections.map((connection) => ({ connection, subscriptionCount: 0 })))
  }
}

async function subscribe({ protocolName, countForEach }) {
  const protocol = getProtocol(protocolName)
  await Promise.all(
    held.map(async (holder, holderIndex) => {
      for (let added = 0; added < countForEach; added += subscribedTogether) {
        const firstId = holder.subscriptionCount + 1
        const some = Math.min(subscribedTogether, countForEach - added)
        const topics = Array.from(
          { length: some },
          (_, index) => `bench.${holderIndex}.item.${firstId + index}`,
        )
        await protocol.subscribe(holder.connection, { topics, firstId })
        holder.subscriptionCount += some
      }
    }),
  )
}

function close() {
  for (const { connection } of held.splice(0)) connection.socket.destroy()
}

serveCalls({ open, subscribe, close })
