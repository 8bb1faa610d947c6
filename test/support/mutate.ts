import { isUnionType } from 'graphql'

import { schema } from '../../src/graphql/schema.ts'
import type { TestApp } from './app.ts'

/** The possible results of a mutation's union, as far as tests read them: `__typename` says which it is. */
export interface Outcome {
  readonly __typename: string
  readonly message?: string
  readonly issues?: readonly { readonly path: readonly string[]; readonly message: string }[]
  readonly [field: string]: unknown
}

/** Calls a mutation of the form `name(input: NameInput!): NameResult!`; fails the test on a top-level error. */
export async function mutate<Payload = Outcome>(
  app: TestApp,
  token: string | null,
  mutation: string,
  input: object,
  payload = '__typename',
): Promise<Outcome & Payload> {
  const data = await app.ask<Record<string, Outcome & Payload>>(token, operation(mutation, payload), { input })
  const outcome = data[mutation]
  if (!outcome) throw new Error(`${mutation} answered nothing`)
  return outcome
}

/** The code of the top-level error of a mutation; null when there is none. */
export async function refusedWith(app: TestApp, token: string | null, mutation: string, input: object) {
  const { errors } = await app.answer(token, operation(mutation, '__typename'), { input })
  return errors?.[0]?.extensions?.code ?? null
}

/** Creates and publishes a cluster's next version; returns it. */
export async function publishVersion(app: TestApp, token: string, clusterId: string): Promise<number> {
  const { cluster } = await mutate<{ cluster: { configVersion: number } }>(
    app,
    token,
    'publishClusterConfig',
    { clusterId },
    'cluster { configVersion }',
  )
  await app.publish()
  return cluster.configVersion
}

function operation(mutation: string, payload: string): string {
  const name = mutation.charAt(0).toUpperCase() + mutation.slice(1)
  const union = schema.getType(`${name}Result`)
  const mayBeInvalid = isUnionType(union) && union.getTypes().some((type) => type.name === 'ValidationError')
  return `mutation ($input: ${name}Input!) {
    ${mutation}(input: $input) {
      __typename
      ... on ${name}Payload { ${payload} }
      ... on Error { message }
      ${mayBeInvalid ? '... on ValidationError { issues { path message } }' : ''}
    }
  }`
}
