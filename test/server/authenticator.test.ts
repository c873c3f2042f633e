// Who a connection is, by what its CONNECT says.
import bcrypt from 'bcryptjs'
import { describe, expect, it } from 'vitest'
import { Authenticator } from '../../src/server/authenticator.js'

const hash = bcrypt.hashSync('s3cret', 4)

describe('Authenticator', () => {
  it('lets everybody in where nobody is named', async () => {
    const authenticator = new Authenticator()
    expect(authenticator.isRequired).toBe(false)
    expect(authenticator.identityOfStranger).toMatchObject({ user: '', rules: undefined })
    expect(await authenticator.authenticate({ user: 'x', pass: 'y' })).toBeDefined()
  })

  it.each([
    [{ user: 'ada', pass: 'plain' }, 'ada'],
    [{ user: 'ada', pass: 'plainx' }, undefined],
    [{ user: 'ada', pass: '' }, undefined],
    [{ user: 'ada' }, undefined],
    [{ user: 'bob', pass: 's3cret' }, 'bob'],
    [{ user: 'bob', pass: 'wrong' }, undefined],
    [{ user: 'bob', pass: hash }, undefined],
    [{ user: 'eve', pass: 'plain' }, undefined],
    [{ pass: 'plain' }, undefined],
    [{ auth_token: 'plain' }, undefined],
    [{}, undefined],
  ])('takes %j for %s', async (credentials, user) => {
    const authenticator = new Authenticator({
      users: [
        { user: 'ada', password: 'plain' },
        { user: 'bob', password: hash },
      ],
    })
    expect(authenticator.identityOfStranger).toBeUndefined()
    expect((await authenticator.authenticate(credentials))?.user).toBe(user)
  })

  it('answers at once where there is no hash to compute', () => {
    const authenticator = new Authenticator({ user: 'ada', password: 'plain' })
    expect(authenticator.authenticate({ user: 'ada', pass: 'plain' })).toMatchObject({
      user: 'ada',
    })
  })

  it.each(['plain-token', bcrypt.hashSync('plain-token', 4)])('takes token %s', async (token) => {
    const authenticator = new Authenticator({ token })
    expect(await authenticator.authenticate({ auth_token: 'plain-token' })).toBeDefined()
    expect(await authenticator.authenticate({ auth_token: 'other' })).toBeUndefined()
    expect(await authenticator.authenticate({})).toBeUndefined()
  })

  it('lets strangers act as the user named for them, who must exist', async () => {
    const authorization = {
      users: [
        { user: 'guest', password: 'x', permissions: { publish: { allow: ['a'] } } },
        { user: 'ada', password: 'plain' },
      ],
      defaultPermissions: { publish: { allow: ['b'] } },
    }
    const authenticator = new Authenticator(authorization, 'guest')
    const guest = await authenticator.authenticate({})
    expect(guest?.user).toBe('guest')
    expect(guest?.rules?.mayPublish('a')).toBe(true)
    const ada = await authenticator.authenticate({ user: 'ada', pass: 'plain' })
    expect(['a', 'b'].map((topic) => ada?.rules?.mayPublish(topic))).toEqual([false, true])
    expect(() => new Authenticator(authorization, 'nobody')).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
  })
})
