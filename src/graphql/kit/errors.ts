import { GraphQLError } from 'graphql'

import type { CallerError, ValidationIssue as ValidationIssueShape } from '../../base/errors.ts'
import { ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import { builder } from './builder.ts'
import { IssueCode } from './issue-codes.ts'

const ErrorInterface = builder.interfaceRef<CallerError>('Error').implement({
  description:
    'A failure that the caller can do something about. Every mutation returns a union of its payload and the errors that it can return; every other failure is a top-level error.',
  fields: (t) => ({
    message: t.exposeString('message', {
      description: 'What is wrong and which rule was broken, for people to read.',
    }),
  }),
})

const pathDescription =
  'In a mutation that makes several changes, the path from the arguments to the one that failed, such as `["input", "changes", "3", "deleteNode"]`; empty in all others.'

builder.objectType(NotFoundError, {
  name: 'NotFoundError',
  description: 'The object does not exist or is not yours. The API does not tell the two apart.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    path: t.stringList({ description: pathDescription, resolve: ({ path }) => [...path] }),
    resource: t.exposeString('resource', {
      description: 'The kind of object that was looked up, such as `Cluster`.',
    }),
  }),
})

builder.objectType(ConflictError, {
  name: 'ConflictError',
  description: 'The request conflicts with the present state, such as a name that is taken.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ path: t.stringList({ description: pathDescription, resolve: ({ path }) => [...path] }) }),
})

builder.objectType(LimitError, {
  name: 'LimitError',
  description:
    'A limit is reached: the overlay network has no free address, a bundle is too large, or too much expensive work of the tenant is waiting already.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    path: t.stringList({ description: pathDescription, resolve: ({ path }) => [...path] }),
    retryAfterSeconds: t.expose('retryAfterSeconds', {
      type: 'PositiveInt',
      nullable: true,
      description: 'After how many seconds the same request may succeed; null when waiting does not help.',
    }),
  }),
})

const ValidationIssue = builder.objectRef<ValidationIssueShape>('ValidationIssue').implement({
  description: 'One rule that the input broke.',
  fields: (t) => ({
    code: t.expose('code', { type: IssueCode, description: 'The kind of rule, for programs.' }),
    path: t.stringList({
      description: 'The path from the arguments to the value, such as `["input", "routes", "3"]`.',
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
      description: 'The path from the arguments to the first value that breaks a rule.',
      resolve: ({ issues }) => [...(issues[0]?.path ?? [])],
    }),
    issues: t.field({
      type: [ValidationIssue],
      description: 'All broken rules that were found; `path` is that of the first.',
      resolve: ({ issues }) => [...issues],
    }),
  }),
})

/** Malformed input outside a mutation's union, such as a cursor that no list returned. */
export const badUserInput = (message: string): GraphQLError =>
  new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })

export type ErrorClass = typeof NotFoundError | typeof ConflictError | typeof LimitError | typeof ValidationError

/** The `errors` of a mutation: those that it can return, and the name of its union. */
export const outcome = (mutation: string, types: readonly ErrorClass[]) => ({
  types: [...types],
  union: {
    name: `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Result`,
    description: `The result of \`${mutation}\`: its payload, or the error that kept it from changing anything.`,
  },
})
