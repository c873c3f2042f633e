// Decides who a connection is from what its CONNECT says.
import { FanfareError } from '../base/index.js'
import { AccessRules } from './access-rules.js'
import type { Authorization, User } from './server-options.js'

/** The fields of CONNECT that say who connects. */
export interface Credentials {
  readonly user?: string | undefined
  readonly pass?: string | undefined
  readonly auth_token?: string | undefined
}

export interface Identity {
  readonly user: string
  /** Undefined: everything is allowed. */
  readonly rules: AccessRules | undefined
}

const ANYBODY: Identity = { user: '', rules: undefined }

export class Authenticator {
  readonly #users: ReadonlyMap<string, User>
  readonly #token: string | undefined
  readonly #authorization: Authorization
  readonly #noAuthUser: string | undefined

  constructor(authorization: Authorization = {}, noAuthUser?: string) {
    this.#authorization = authorization
    this.#noAuthUser = noAuthUser
    this.#token = authorization.token
    const users = new Map((authorization.users ?? []).map((user) => [user.user, user]))
    if (authorization.user !== undefined) {
      const single = { user: authorization.user, password: authorization.password ?? '' }
      users.set(single.user, single)
    }
    this.#users = users
    if (noAuthUser !== undefined && !users.has(noAuthUser)) {
      throw new FanfareError(
        'CONFIG_INVALID',
        `no_auth_user ${JSON.stringify(noAuthUser)} is not a user`,
      )
    }
  }

  /** Whether a client must say who it is. */
  get isRequired(): boolean {
    return this.#users.size > 0 || this.#token !== undefined
  }

  /** Who a connection is before, or without, its CONNECT; undefined: it must authenticate first. */
  get identityOfStranger(): Identity | undefined {
    if (!this.isRequired) return ANYBODY
    const user = this.#noAuthUser === undefined ? undefined : this.#users.get(this.#noAuthUser)
    return user === undefined ? undefined : this.#toIdentity(user)
  }

  /** The identity that `credentials` prove, or undefined. A promise only where a bcrypt hash must be computed. */
  authenticate(credentials: Credentials): Identity | undefined | Promise<Identity | undefined> {
    if (!this.isRequired) return ANYBODY
    const { user: name, pass, auth_token: token } = credentials
    if (name === undefined && pass === undefined && token === undefined) {
      return this.identityOfStranger
    }
    if (this.#token !== undefined) {
      return whenProven(this.#token, token ?? '', { user: '', rules: undefined })
    }
    const user = this.#users.get(name ?? '')
    if (user === undefined) return undefined
    return whenProven(user.password, pass ?? '', this.#toIdentity(user))
  }

  #toIdentity(user: User): Identity {
    const permissions = user.permissions ?? this.#authorization.defaultPermissions
    return {
      user: user.user,
      rules: permissions === undefined ? undefined : new AccessRules(permissions),
    }
  }
}

function whenProven(
  secret: string,
  given: string,
  identity: Identity,
): Identity | undefined | Promise<Identity | undefined> {
  if (!/^\$2[abxy]\$/.test(secret)) return isSameText(secret, given) ? identity : undefined
  return matchesHash(secret, given).then((isSame) => (isSame ? identity : undefined))
}

/** Loaded when first needed: most servers have no hash in their configuration. */
async function matchesHash(hash: string, given: string): Promise<boolean> {
  const bcrypt = await import('bcryptjs')
  return bcrypt.compare(given, hash)
}

/** Takes the same time whichever character differs. */
function isSameText(left: string, right: string): boolean {
  let difference = left.length ^ right.length
  for (let i = 0; i < right.length; i++) {
    difference |= right.charCodeAt(i) ^ left.charCodeAt(i % Math.max(1, left.length))
  }
  return difference === 0
}
