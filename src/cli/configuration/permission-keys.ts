// The `permissions` block of a user, or of all users: subjects that may and may not be published and subscribed to.
import type { Permissions, ResponsePermission, SubjectPermission } from '../../server/index.js'
import { findPatternFault } from '../../topic/index.js'
import { OptionDraft } from './option-draft.js'
import { keyTable, readKeys, type Warnings } from './read-keys.js'
import { configurationError } from './syntax/index.js'
import type { ConfigurationValue, Setting } from './syntax/index.js'
import { TypedSetting } from './typed-setting.js'

/** Blanks around the two are allowed, around a lone subject they are not, as in nats-server. */
const SUBJECT_AND_QUEUE = /^\s*\S+\s+\S+\s*$/

class SubjectDraft extends OptionDraft<SubjectPermission> {
  /** Whether a subject may name a queue after a space. */
  readonly allowsQueue: boolean

  constructor(warnings: Warnings, options: { readonly allowsQueue: boolean }) {
    super(warnings)
    this.allowsQueue = options.allowsQueue
  }
}

/** nats-server's defaults, also where a configuration says 0. */
const DEFAULT_RESPONSE: ResponsePermission = { max: 1, expiresMs: 120_000 }

export function readPermissions(setting: Setting, warnings: Warnings): Permissions {
  const draft = new OptionDraft<Permissions>(warnings)
  readKeys(new TypedSetting(setting).block(), permissionKeys, draft)
  const { publish, allowResponses } = draft.options
  // Whoever may answer may publish nothing else unless `allow` says so, also when only `deny` is given.
  if (allowResponses !== undefined && publish !== undefined && publish.allow === undefined) {
    return { ...draft.options, publish: { ...publish, allow: [] } }
  }
  return draft.options
}

const readPublish = (setting: Setting, draft: OptionDraft<Permissions>): void =>
  draft.set('publish', readSubjects(setting, draft, { allowsQueue: false }), setting)

const readSubscribe = (setting: Setting, draft: OptionDraft<Permissions>): void =>
  draft.set('subscribe', readSubjects(setting, draft, { allowsQueue: true }), setting)

const permissionKeys = keyTable<OptionDraft<Permissions>>([
  [['pub', 'publish', 'import'], readPublish],
  [['sub', 'subscribe', 'export'], readSubscribe],
  [['allow_responses', 'publish_allow_responses'], readResponses],
])

/** A block with `allow` and `deny`, or the shorthand of `allow` alone. */
function readSubjects(
  setting: Setting,
  warnings: Warnings,
  options: { readonly allowsQueue: boolean },
): SubjectPermission {
  const draft = new SubjectDraft(warnings, options)
  if (setting.content.kind === 'block') readKeys(setting.content.settings, subjectKeys, draft)
  else readAllow(setting, draft)
  return draft.options
}

const subjectKeys = keyTable<SubjectDraft>([
  [['allow'], readAllow],
  [['deny'], (setting, draft) => draft.set('deny', readSubjectList(setting, draft), setting)],
])

function readAllow(setting: Setting, draft: SubjectDraft): void {
  const subjects = readSubjectList(setting, draft)
  // An empty list restricts nothing in nats-server; its author may well think the opposite.
  if (subjects.length > 0) draft.set('allow', subjects, setting)
  else draft.warn(setting.place, `${setting.key} is empty and thereby allows every subject`)
}

function readSubjectList(setting: Setting, draft: SubjectDraft): readonly string[] {
  const { content } = setting
  if (content.kind !== 'array') return [readSubject(setting, setting, draft)]
  return content.elements.map((element) => readSubject(element, setting, draft))
}

function readSubject(
  { content, place }: ConfigurationValue,
  setting: Setting,
  draft: SubjectDraft,
): string {
  if (content.kind !== 'string') {
    throw configurationError(place, `${setting.key} must hold subjects, each a string`)
  }
  const isPair = draft.allowsQueue && SUBJECT_AND_QUEUE.test(content.text)
  const fault = findFault(isPair ? content.text.trim().split(/\s+/) : [content.text])
  if (fault === undefined) return content.text
  const shown = JSON.stringify(content.text)
  throw configurationError(place, `${setting.key} has an invalid subject ${shown}: ${fault}`)
}

function findFault(patterns: readonly string[]): string | undefined {
  return patterns.map(findPatternFault).find((fault) => fault !== undefined)
}

/** `true`, or a block with `max` and `expires`. Negative values there mean no limit. */
function readResponses(setting: Setting, draft: OptionDraft<Permissions>): void {
  const { content } = setting
  if (content.kind === 'boolean') {
    if (content.isTrue) draft.set('allowResponses', DEFAULT_RESPONSE, setting)
    return
  }
  if (content.kind !== 'block') {
    throw new TypedSetting(setting).mustBe('true, false or a block { … }')
  }
  const response = new OptionDraft<ResponsePermission>(draft)
  readKeys(content.settings, responseKeys, response)
  draft.set('allowResponses', { ...DEFAULT_RESPONSE, ...response.options }, setting)
}

const readMax = (setting: Setting, draft: OptionDraft<ResponsePermission>): void => {
  const range = { least: Number.MIN_SAFE_INTEGER, most: Number.MAX_SAFE_INTEGER }
  const max = new TypedSetting(setting).integer(range)
  draft.set('max', max === 0 ? DEFAULT_RESPONSE.max : max, setting)
}

const readExpires = (setting: Setting, draft: OptionDraft<ResponsePermission>): void => {
  const expiresMs = new TypedSetting(setting).signedDurationMs()
  draft.set('expiresMs', expiresMs === 0 ? DEFAULT_RESPONSE.expiresMs : expiresMs, setting)
}

const responseKeys = keyTable<OptionDraft<ResponsePermission>>([
  [['max', 'max_msgs', 'max_messages', 'max_responses'], readMax],
  [['expires', 'expiration', 'ttl'], readExpires],
])
