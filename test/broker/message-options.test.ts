// Wrong options of how messages are written and read are refused where they are given.
import { describe, expect, it } from 'vitest'
import { openBroker, type BrokerOptions } from '../../src/broker/index.js'

describe('openBroker', () => {
  it.each([
    [{ compression: 'gzp' }, "one of 'gzip', 'brotli', 'zstd'"],
    [{ compression: { algorithm: 'gzip', treshold: 1 } }, "did you mean 'threshold'?"],
    [{ compression: { algorithm: 'gzip', threshold: -1 } }, 'whole number from 0'],
    [{ compression: {} }, 'compression'],
    [{ maxInflatedBytes: 0 }, 'whole number from 1'],
    [{ codec: { contentType: 'a/b' } }, '{ contentType, encode, decode }'],
    [{ codecs: [null] }, '{ contentType, encode, decode }'],
  ])('refuses %j', async (options, hint) => {
    const refusal = openBroker(options as unknown as BrokerOptions)
    await expect(refusal).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    await expect(openBroker(options as unknown as BrokerOptions)).rejects.toThrow(hint)
  })
})
