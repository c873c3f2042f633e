// The `authorization` block: who may connect. Nothing here may end in a server that lets in more people than the file
// says, so a missing half (a password without a user, an empty token) is an error although nats-server shrugs.
import type { Authorization, User } from '../../server/index.js'
import { OptionDraft } from './option-draft.js'
import { readPermissions } from './permission-keys.js'
import { keyTable, readKeys, refuse, type Warnings } from './read-keys.js'
import { configurationError } from './syntax/index.js'
import type { ConfigurationValue, Setting } from './syntax/index.js'
import { TypedSetting } from './typed-setting.js'

/** A user whose name has not been read yet. */
type PartialUser = Partial<User>

/** The longest time to authenticate that nats-server takes without a remark. */
const LONG_TIMEOUT_MS = 60_000

export function readAuthorization(setting: Setting, warnings: Warnings): Authorization {
  const draft = new OptionDraft<Authorization>(warnings)
  readKeys(new TypedSetting(setting).block(), authorizationKeys, draft)
  assertConsistent(draft)
  const { user, token, users = [] } = draft.options
  if (user === undefined && token === undefined && users.length === 0) {
    warnings.warn(setting.place, `${setting.key} names no user and no token: everybody may connect`)
  }
  return draft.options
}

function assertConsistent(draft: OptionDraft<Authorization>): void {
  const user = draft.findOrigin('user') ?? draft.findOrigin('password')
  const token = draft.findOrigin('token')
  const users = draft.findOrigin('users')
  if (user !== undefined && token !== undefined) {
    throw configurationError(token.place, 'token cannot be used together with user and password')
  }
  if (user !== undefined && users !== undefined) {
    throw configurationError(users.place, 'users cannot be used together with a single user')
  }
  if (token !== undefined && users !== undefined) {
    throw configurationError(users.place, 'users cannot be used together with a token')
  }
  if (user !== undefined && draft.findOrigin('user') === undefined) {
    throw configurationError(user.place, 'password has no user')
  }
}

const USER = ['user', 'username']
const PASSWORD = ['pass', 'password']

const authorizationKeys = keyTable<OptionDraft<Authorization>>([
  [USER, (setting, draft) => draft.set('user', readName(setting), setting)],
  [PASSWORD, (setting, draft) => draft.set('password', readSecret(setting), setting)],
  [['token'], readToken],
  [['timeout'], readTimeout],
  [['users'], readUsers],
  [
    ['default_permissions', 'default_permission', 'permissions'],
    (setting, draft) => draft.set('defaultPermissions', readPermissions(setting, draft), setting),
  ],
  [['auth_callout', 'auth_hook'], refuse],
  [['proxy_required'], refuseIfTrue],
])

const userKeys = keyTable<OptionDraft<PartialUser>>([
  [USER, (setting, draft) => draft.set('user', readName(setting), setting)],
  [PASSWORD, (setting, draft) => draft.set('password', readSecret(setting), setting)],
  [
    ['permissions', 'permission', 'authorization'],
    (setting, draft) => draft.set('permissions', readPermissions(setting, draft), setting),
  ],
  [['nkey', 'allowed_connection_types', 'connection_types', 'clients'], refuse],
  [['proxy_required'], refuseIfTrue],
])

function readName(setting: Setting): string {
  const typed = new TypedSetting(setting)
  const name = typed.string()
  if (name === '') throw typed.mustBe('a name')
  return name
}

function readSecret(setting: Setting): string {
  return new TypedSetting(setting, { isSecret: true }).string()
}

function readToken(setting: Setting, draft: OptionDraft<Authorization>): void {
  const token = readSecret(setting)
  if (token === '') throw configurationError(setting.place, `${setting.key} is empty`)
  draft.set('token', token, setting)
}

/** Seconds, or a duration in quotes; 0 is the default. */
function readTimeout(setting: Setting, draft: OptionDraft<Authorization>): void {
  const { content } = setting
  const typed = new TypedSetting(setting)
  const isNumber = content.kind === 'integer' || content.kind === 'float'
  const timeoutMs = isNumber ? content.number * 1_000 : typed.durationMs()
  if (timeoutMs < 0 || timeoutMs > Number.MAX_SAFE_INTEGER) {
    throw typed.mustBe('zero or more seconds')
  }
  if (timeoutMs > LONG_TIMEOUT_MS) {
    draft.warn(
      setting.place,
      `${setting.key} is ${timeoutMs / 1_000} seconds; was "1m" meant to be in quotes?`,
    )
  }
  if (timeoutMs > 0) draft.set('timeoutMs', timeoutMs, setting)
}

function refuseIfTrue(setting: Setting): void {
  if (new TypedSetting(setting).boolean()) refuse(setting)
}

function readUsers(setting: Setting, draft: OptionDraft<Authorization>): void {
  const users = new Map<string, User>()
  for (const element of new TypedSetting(setting).array()) {
    const user = readUserEntry(element, draft)
    if (users.has(user.user)) {
      throw configurationError(element.place, `user ${JSON.stringify(user.user)} is given twice`)
    }
    users.set(user.user, user)
  }
  draft.set('users', [...users.values()], setting)
}

function readUserEntry({ content, place }: ConfigurationValue, warnings: Warnings): User {
  if (content.kind !== 'block') {
    throw configurationError(place, 'a user must be a block { user: …, password: … }')
  }
  const draft = new OptionDraft<PartialUser>(warnings)
  readKeys(content.settings, userKeys, draft)
  const { user, password = '', permissions } = draft.options
  if (user === undefined) throw configurationError(place, 'a user has no name')
  return permissions === undefined ? { user, password } : { user, password, permissions }
}
