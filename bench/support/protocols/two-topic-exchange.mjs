// Request and reply for protocols without them: one topic there, one back, and the request's number
// at the head of the payload.

export function createTwoTopicExchange(protocol) {
  const { encodePublish, getDeliveryBytes, payloadBytes, bytesAfterPayload } = protocol
  const requestTopic = 'bench.request'
  const replyTopic = 'bench.reply'
  const encode = (topic, id) => encodePublish(topic, Buffer.from(id.padEnd(payloadBytes, 'x')))
  const getDelivery = (topic) => {
    const frameBytes = getDeliveryBytes({ topic, payloadBytes, id: 1 })
    return { frameBytes, idOffset: frameBytes - bytesAfterPayload - payloadBytes }
  }
  return {
    requestTopic,
    replyTopic,
    encodeRequest: (id) => encode(requestTopic, id),
    encodeReply: (id) => encode(replyTopic, id),
    requestDelivery: getDelivery(requestTopic),
    replyDelivery: getDelivery(replyTopic),
  }
}
