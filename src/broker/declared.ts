// What a catalog declares, in types: which definitions a topic, a pattern or a type selects. What can be asked more than once is a
// mapped type over the catalog, which the compiler makes once; what is left for each call is one look-up for a topic, and one
// comparison with each template for a pattern.
import type { AnyDefinition, Definition, MessageKind } from './definition.js'

/** The definitions that a broker allows. */
export type Catalog = readonly AnyDefinition[]

/** The topics that a template stands for: `price.{symbol}` for `price.${string}`. */
export type TopicOf<Template extends string> =
  Template extends `${infer Head}{${string}}${infer Rest}`
    ? `${Head}${string}${TopicOf<Rest>}`
    : Template

/** The topics of a catalog. */
export type TopicsOf<C extends Catalog> = TopicOf<C[number]['topic']>

/** The types of a catalog's messages. */
export type TypesOf<C extends Catalog> = C[number]['type']

/** The definitions of a catalog by their templates, and by their types. */
type ByTemplate<C extends Catalog> = { readonly [D in C[number] as D['topic']]: D }
type ByType<C extends Catalog> = { readonly [D in C[number] as D['type']]: D }

/** Templates that stand for more than one topic, and the others. */
type Parameterized<C extends Catalog> = Extract<keyof ByTemplate<C>, `${string}{${string}`>
type Plain<C extends Catalog> = Exclude<keyof ByTemplate<C>, `${string}{${string}`>

/** The definition that a topic has: the one of this very topic, or those with parameters that it fills. */
export type DefinitionOfTopic<
  C extends Catalog,
  Topic extends string,
> = Topic extends keyof ByTemplate<C>
  ? ByTemplate<C>[Topic]
  : ByTemplate<C>[Overlapping<Topic, Parameterized<C>>]

/** The definitions of those kinds with a topic that the pattern matches; a topic is a pattern too. */
export type DefinitionsOfPattern<
  C extends Catalog,
  Pattern extends string,
  Kind extends MessageKind,
> = string extends Pattern
  ? Extract<C[number], { readonly kind: Kind }>
  : Pattern extends keyof ByTemplate<C>
    ? ByTemplate<C>[Pattern]
    : IsPattern<Pattern> extends true
      ? Extract<
          ByTemplate<C>[
            | Overlapping<Pattern, Extract<Plain<C>, Roughly<Pattern>>>
            | Overlapping<Pattern, Parameterized<C>>],
          { readonly kind: Kind }
        >
      : DefinitionOfTopic<C, Pattern>

/** The definitions of a type, on whatever topic. */
export type DefinitionsOfType<C extends Catalog, Type> = ByType<C>[Type & keyof ByType<C>]

/** Whether a definition is one of the catalog's. */
export type IsDeclared<
  C extends Catalog,
  D extends Definition,
> = D['topic'] extends keyof ByTemplate<C> ? true : false

/** Whether there is a wildcard token, or a piece of text that is not known before run time. */
type IsPattern<Text extends string> = `.${Text}.` extends `${string}.${'*' | '>'}.${string}`
  ? true
  : false

/** A text that every topic of the pattern fits, and some others: told at once, which spares most comparisons. */
type Roughly<Pattern extends string> = Pattern extends `${infer Head}*${infer Rest}`
  ? `${Head}${string}${Roughly<Rest>}`
  : Pattern extends `${infer Head}>`
    ? `${Head}${string}`
    : Pattern

/** Those of the templates that have a topic in common with the pattern. */
type Overlapping<Pattern extends string, Templates extends string> = Templates extends Templates
  ? Overlaps<Pattern, Templates> extends true
    ? Templates
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
