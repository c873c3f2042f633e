// Blocks of addresses in both versions, at the edges between pieces and in every way of writing.
import { describe, expect, it } from 'vitest'
import { isInBlock, readAddressBlock } from '../../src/filter/address-block.js'

const isIn = (block: string, address: string): boolean =>
  isInBlock(readAddressBlock(block)!, address)

describe('a block of addresses', () => {
  it('compares as many bits as it says', () => {
    expect(isIn('10.1.128.0/17', '10.1.128.0')).toBe(true)
    expect(isIn('10.1.128.0/17', '10.1.255.255')).toBe(true)
    expect(isIn('10.1.128.0/17', '10.1.127.255')).toBe(false)
    expect(isIn('10.0.0.1/32', '10.0.0.1')).toBe(true)
    expect(isIn('10.0.0.1/32', '10.0.0.0')).toBe(false)
    expect(isIn('0.0.0.0/0', '255.255.255.255')).toBe(true)
    expect(isIn('2001:db8::/33', '2001:db8:7fff::')).toBe(true)
    expect(isIn('2001:db8::/33', '2001:db8:8000::')).toBe(false)
    expect(isIn('::1/128', '0:0:0:0:0:0:0:1')).toBe(true)
  })

  it('keeps the versions apart', () => {
    expect(isIn('0.0.0.0/0', '::1')).toBe(false)
    expect(isIn('::/0', '1.2.3.4')).toBe(false)
    expect(isIn('::ffff:0:0/96', '::ffff:1.2.3.4')).toBe(true)
  })

  it.each([
    '',
    '10.0.0',
    '10.0.0.256',
    '1.2.3.4.5',
    'x',
    '1::2::3',
    ':::',
    '1:2:3:4:5:6:7',
    '12345::',
  ])('has no place for %j', (text) => {
    expect(isIn('0.0.0.0/0', text) || isIn('::/0', text)).toBe(false)
    expect(readAddressBlock(`${text}/0`)).toBeUndefined()
  })

  it.each(['10.0.0.0', '10.0.0.0/', '10.0.0.0/33', '::/129', '10.0.0.0/-1', '10.0.0.0/8/8'])(
    'is not written %j',
    (text) => expect(readAddressBlock(text)).toBeUndefined(),
  )
})
