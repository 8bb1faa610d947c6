import { GraphQLError } from 'graphql'

import type { CallerError } from '../../base/errors.ts'
import { ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import { builder } from './builder.ts'

const ErrorInterface = builder.interfaceRef<CallerError>('Error').implement({
  description:
    'A failure that the caller can do something about. Every mutation returns a union of its payload and the errors that it can really give; whatever else goes wrong is a top-level error.',
  fields: (t) => ({
    message: t.exposeString('message', {
      description: 'What is wrong, and which rule says so; for people to read.',
    }),
  }),
})

builder.objectType(NotFoundError, {
  name: 'NotFoundError',
  description: 'The thing does not exist, or it is not yours: the two cannot be told apart.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    resource: t.exposeString('resource', {
      description: 'The kind of thing that was looked for, such as `Cluster`.',
    }),
  }),
})

builder.objectType(ConflictError, {
  name: 'ConflictError',
  description: 'What is asked for clashes with what is there, such as a name that is taken.',
  interfaces: [ErrorInterface],
})

builder.objectType(LimitError, {
  name: 'LimitError',
  description:
    'A bound is reached: the overlay network has no free address, a bundle is too large, or too much expensive work of the tenant waits already.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    retryAfterSeconds: t.expose('retryAfterSeconds', {
      type: 'PositiveInt',
      nullable: true,
      description: 'In how many seconds the same may go through; null where time does not help.',
    }),
  }),
})

const ValidationIssue = builder.objectRef<{ path: readonly string[]; message: string }>('ValidationIssue').implement({
  description: 'One rule that the input broke.',
  fields: (t) => ({
    path: t.stringList({
      description: 'Leads from the arguments to the value, such as `["input", "routes", "3"]`.',
      resolve: ({ path }) => [...path],
    }),
    message: t.exposeString('message', {
      description: 'The rule, for people to read.',
    }),
  }),
})

builder.objectType(ValidationError, {
  name: 'ValidationError',
  description: 'The input breaks rules. Nothing was changed.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    path: t.stringList({
      description: 'Leads from the arguments to the first value that breaks a rule.',
      resolve: ({ issues }) => [...(issues[0]?.path ?? [])],
    }),
    issues: t.field({
      type: [ValidationIssue],
      description: 'Every rule that was found broken, the first one first.',
      resolve: ({ issues }) => [...issues],
    }),
  }),
})

/** Malformed input outside a mutation's union, such as a cursor that no list gave out. */
export const badUserInput = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })

type ErrorClass = typeof NotFoundError | typeof ConflictError | typeof LimitError | typeof ValidationError

/** The `errors` of a mutation: the ones it can really give, and the name of its union. */
export const outcome = (mutation: string, ...types: ErrorClass[]) => ({
  types,
  union: {
    name: `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Result`,
    description: `What came of \`${mutation}\`: its payload, or the error that kept it from changing anything.`,
  },
})
