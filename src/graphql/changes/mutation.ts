import type { FieldMap, InputFieldMap, InputShapeFromFields } from '@pothos/core'

import type { AccessScopes } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import type { Context } from '../kit/context.ts'
import { outcome, type ErrorClass } from '../kit/errors.ts'
import { given, type Given } from '../kit/input.ts'
import { recorded, recordForbidden, type Repeats } from './recorded.ts'

type Types = typeof builder.$inferSchemaTypes
/** What Pothos gives to a function that adds fields to a mutation's input. */
export type InputFields = PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>
/** What Pothos gives to a function that adds fields to a mutation's payload. */
export type PayloadFields<Shape> = PothosSchemaTypes.ObjectFieldBuilder<Types, Shape>

// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- fields without a name are meant
export type NoFields = Record<never, never>
/** The values of input fields, without the nulls. */
export type InputOf<Fields extends InputFieldMap> = Given<InputShapeFromFields<Fields>>

/** The kinds of callers that mutations let through, each with its sentence in the schema. */
const sentences = {
  operator: 'For operators.',
  tenantWriter: 'For operators and tenant admins.',
  wholeTenantWriter: 'For operators and tenant admins, but for tokens that are limited to clusters.',
  clusterWriter: 'For operators, tenant admins and admin nodes.',
  nodeWriter: 'For operators, tenant admins and editors, and admin nodes.',
  node: 'For nodes, each for itself.',
  enrollingMachine: 'For enrolling machines only.',
} as const satisfies Partial<Record<keyof AccessScopes, string>>

/** Who may call a mutation: one kind of caller, or a rule that depends on the input, with its sentence. */
export type Callers<Input extends readonly unknown[]> =
  keyof typeof sentences | { readonly sentence: string; readonly scopes: (...input: Input) => Partial<AccessScopes> }

/** What every mutation says of itself. */
export interface Particulars<Fields extends InputFieldMap> {
  /** What it does. Who may call it, and that it bumps `configVersion`, is appended. */
  readonly description: string
  /** The description of its input. */
  readonly input: string
  /** Its own input fields. */
  readonly fields?: (t: InputFields) => Fields
  /** The description of its payload. */
  readonly done: string
}

/** A mutation; `input` is absent when it has no input fields. */
export interface Mutation<Fields extends InputFieldMap, Shape> extends Omit<Particulars<Fields>, 'input'> {
  readonly input?: string
  readonly callers: Callers<[input: InputOf<Fields>]>
  readonly bumps?: boolean
  /** The errors that its union has. */
  readonly errors: readonly ErrorClass[]
  /** `raw` is the input with its nulls, for the mutations in which null and absent differ. */
  readonly resolve: (input: InputOf<Fields>, context: Context, raw: InputShapeFromFields<Fields>) => Promise<Shape>
  readonly payload: (t: PayloadFields<Shape>) => FieldMap
  /** For what creates something, or shows a secret once: callers may repeat it with an `idempotencyKey`. */
  readonly repeats?: Repeats<Shape>
}

/**
 * Adds a mutation to the schema. Every mutation is made here, does not compile without its `callers`, and is in the
 * audit trail (recorded.ts).
 */
export function mutation<Shape, Fields extends InputFieldMap = NoFields>(
  name: string,
  options: Mutation<Fields, Shape>,
): void
// By the signature above, the functions of one mutation agree. This one only passes values between them.
export function mutation(name: string, options: Mutation<InputFieldMap, object>): void {
  const { description, callers, bumps = false, fields, input, errors, resolve, done, payload, repeats = null } = options
  const [sentence, scopes] =
    typeof callers === 'string'
      ? [sentences[callers], { [callers]: true }]
      : [callers.sentence, (_root: unknown, args: Input) => callers.scopes(inputIn(args))]
  // eslint-disable-next-line no-restricted-syntax -- the one place for it
  builder.relayMutationField(
    name,
    input === undefined || fields === undefined
      ? null
      : {
          description: input,
          inputFields: (t) => ({ ...fields(t), ...(repeats && { idempotencyKey: idempotencyKeyField(t) }) }),
        },
    {
      description: [description, sentence, ...(bumps ? ['Bumps `configVersion`.'] : [])].join(' '),
      authScopes: scopes,
      errors: outcome(name, errors),
      resolve: (_root, args, context) =>
        recorded(name, context, {
          ...{ input: rawIn(args), repeats },
          change: (own) => {
            const raw = repeats ? withoutKey(rawIn(args)) : rawIn(args)
            return resolve(given(raw), own, raw)
          },
        }),
      unauthorizedResolver: async (_root, args, context, _info, error) => {
        await recordForbidden(name, context, rawIn(args))
        throw error
      },
    },
    { description: done, outputFields: payload },
  )
}

interface Input {
  readonly input?: Readonly<Record<string, unknown>>
}

/** A mutation without input fields has no argument. */
const rawIn = ({ input = {} }: Input) => input
const inputIn = (args: Input) => given(rawIn(args))

/** The key is for the one who records the mutation; its own function does not know of it. */
function withoutKey(input: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(Object.entries(input).filter(([field]) => field !== 'idempotencyKey'))
}

/** The input field with which a caller repeats a call whose answer it has not received. */
const idempotencyKeyField = (t: InputFields) =>
  t.string({
    description:
      'A key of your own, 1 to 64 printable ASCII characters. The same call with the same key and input within 24 hours changes nothing and has the same result, including the secret that it shows; with other input it is a ValidationError. Keys of other callers and other mutations do not matter. Ignored with `dryRun`. When null, each call is a new one.',
  })
