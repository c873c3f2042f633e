// The answering process: every request that arrives is answered at once, those of one read together.
import { getProtocol } from '../protocols/index.mjs'
import { openParty } from './exchange-party.mjs'
import { serveCalls } from './worker.mjs'

let party

async function open({ protocolName, port, payloadBytes }) {
  const exchange = getProtocol(protocolName).createExchange({ payloadBytes })
  party = await openParty({
    protocolName,
    port,
    topic: exchange.requestTopic,
    delivery: exchange.requestDelivery,
    onIds: (ids) => party.write(Buffer.concat(ids.map(exchange.encodeReply))),
  })
}

function close() {
  party?.close()
  party = undefined
}

serveCalls({ open, close })
