// What a catalog declares, in types: which definitions a topic, a pattern or a type selects.
//
// A catalog may have hundreds of definitions, so nothing is to walk over it for each call. What does so once is a conditional type
// (`C extends Catalog ? … : never`), whose outcome the compiler keeps, as it does not with `keyof` and indexed access; what is left
// for a call is a look-up for a topic, and for a pattern a comparison with the templates that begin with its first token. And what a
// condition has found is named by `infer`: a checked parameter that is named again has the compiler compare whole catalogs.
import type { AnyDefinition, Definition, MessageKind } from './definition.js'

/** The definitions that a broker allows. */
export type Catalog = readonly AnyDefinition[]

/** The topics that a template stands for: `price.{symbol}` for `price.${string}`. */
export type TopicOf<Template extends string> =
  Template extends `${infer Head}{${string}}${infer Rest}`
    ? `${Head}${string}${TopicOf<Rest>}`
    : Template

/** The definitions of a catalog by their templates, and by their types; `unknown` under any other text. */
type ByTemplate<C> = C extends Catalog
  ? { readonly [D in C[number] as D['topic']]: D } & Others
  : Others
type ByType<C> = C extends Catalog ? { readonly [D in C[number] as D['type']]: D } & Others : Others

interface Others {
  readonly [text: string]: unknown
}

type Declared<C> = C extends Catalog ? C[number] : never
type Templates<C> = C extends Catalog ? C[number]['topic'] : never
type Parameterized<C> = C extends Catalog ? Extract<Templates<C>, `${string}{${string}`> : never

/** The templates by their first tokens; under '*', those whose first token is a parameter. */
type ByHead<C> = {
  readonly [T in Templates<C> as HeadOf<T> extends `{${string}}` ? '*' : HeadOf<T>]: T
}
type Heads<C> = C extends Catalog ? keyof ByHead<C> : never
type HeadOf<Text extends string> = Text extends `${infer Head}.${string}` ? Head : Text

/** The definition that a topic has: the one of this very topic, or those with parameters that it fills. */
export type DefinitionOfTopic<C, Topic extends string> = unknown extends ByTemplate<C>[Topic]
  ? DefinitionsAt<C, Overlapping<Topic, Extract<Beginning<C, Topic>, Parameterized<C>>>>
  : ByTemplate<C>[Topic]

/** The definitions of those kinds with a topic that the pattern matches; a topic is a pattern too. */
export type DefinitionsOfPattern<
  C,
  Pattern extends string,
  Kind extends MessageKind,
> = string extends Pattern
  ? Extract<Declared<C>, { readonly kind: Kind }>
  : IsPattern<Pattern> extends true
    ? Extract<Matched<C, Pattern>, { readonly kind: Kind }>
    : DefinitionOfTopic<C, Pattern>

/** Of all kinds, so that those who ask for one or another share the work. */
type Matched<C, Pattern extends string> = C extends Catalog
  ? DefinitionsAt<C, Overlapping<Pattern, Beginning<C, Pattern>>>
  : never

/** No template is `never`, under which an index signature would give its own. */
type DefinitionsAt<C, Template extends string> = [Template] extends [never]
  ? never
  : ByTemplate<C>[Template]

/** The definitions of a type, on whatever topic. */
export type DefinitionsOfType<C, Type extends string> = unknown extends ByType<C>[Type]
  ? never
  : ByType<C>[Type]

/** Whether a definition is one of the catalog's. */
export type IsDeclared<C, D extends Definition> = unknown extends ByTemplate<C>[D['topic']]
  ? false
  : true

/** The templates that may begin as the pattern does. */
type Beginning<C, Pattern extends string> =
  HeadOf<Pattern> extends '*' | '>' ? Templates<C> : ByHead<C>[Heads<C> & (HeadOf<Pattern> | '*')]

/** Whether there is a wildcard token, or a piece of text that is not known before run time. */
type IsPattern<Text extends string> = `.${Text}.` extends `${string}.${'*' | '>'}.${string}`
  ? true
  : false

/** Those of the templates that have a topic in common with the pattern. */
type Overlapping<Pattern extends string, Template> = Template extends infer T extends string
  ? Overlaps<Pattern, T> extends true
    ? T
    : never
  : never

type Overlaps<Pattern extends string, Template extends string> = Pattern extends '>'
  ? true
  : Pattern extends `${infer Token}.${infer Rest}`
    ? Template extends `${infer Other}.${infer Others}`
      ? AreAlike<Token, Other> extends true
        ? Overlaps<Rest, Others>
        : false
      : false
    : Template extends `${string}.${string}`
      ? false
      : AreAlike<Pattern, Template>

/** A parameter is any token, and so is text that is not known before run time. */
type AreAlike<Token extends string, Other extends string> = Token extends '*' | Other
  ? true
  : Other extends Token | `{${string}}`
    ? true
    : false
