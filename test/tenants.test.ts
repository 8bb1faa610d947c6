import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from './support/app.ts'
import { engines } from './support/database.ts'

const create = /* GraphQL */ `
  mutation ($input: CreateTenantInput!) {
    createTenant(input: $input) {
      __typename
      ... on CreateTenantPayload {
        tenant {
          id
          name
          createdAt
        }
      }
      ... on ValidationError {
        message
        path
        issues {
          path
          message
        }
      }
      ... on Error {
        message
      }
    }
  }
`

describe.each(engines)('tenants on %s', (engine) => {
  let app: TestApp
  beforeAll(async () => {
    app = await startApp(engine)
  })
  afterAll(() => app.close())

  test('an operator creates one and finds it in the list', async () => {
    const { createTenant } = await app.ask<{
      createTenant: { __typename: string; tenant: { id: string } }
    }>(app.operator, create, { input: { name: '  Acme  ' } })
    expect(createTenant).toMatchObject({
      __typename: 'CreateTenantPayload',
      tenant: { name: 'Acme' },
    })
    const { tenants } = await app.ask<{ tenants: unknown }>(
      app.operator,
      '{ tenants { totalCount nodes { id name } } }',
    )
    expect(tenants).toEqual({
      totalCount: 1,
      nodes: [{ id: createTenant.tenant.id, name: 'Acme' }],
    })
  })
})
