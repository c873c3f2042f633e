// Which code a failed file call gets, and what it carries.
import { describe, expect, it } from 'vitest'
import { diskFailure } from '../../src/base/disk/disk-failure.js'

describe('diskFailure', () => {
  it.each(['ENOSPC', 'EDQUOT'])('calls %s a full disk, which may have room again later', (code) => {
    const cause = Object.assign(new Error('no room'), { code })
    expect(diskFailure('write', 'log/1', cause)).toMatchObject({
      code: 'DISK_FULL',
      retryable: true,
      cause,
      details: { path: 'log/1', operation: 'write' },
    })
  })

  it.each([Object.assign(new Error('broken'), { code: 'EIO' }), new Error('?'), 'text'])(
    'calls everything else a failed one (%s)',
    (cause) => {
      expect(diskFailure('sync', 'log', cause)).toMatchObject({
        code: 'DISK_FAILED',
        retryable: false,
        cause,
      })
    },
  )
})
