import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'

/** Rows made directly: what is measured is reading them. Every tenant has one cluster; all nodes are in it. */
async function fill(app: TestApp, rows: number, prefix: string): Promise<void> {
  const { client } = app.database
  const numbers = Array.from({ length: rows }, (_, index) => index)
  const tenants = numbers.map((index) => ({ id: randomUUID(), name: `${prefix}-${index}` }))
  await client.tenant.createMany({ data: tenants })
  const clusters = tenants.map(({ id, name }) => ({
    id: randomUUID(),
    tenantId: id,
    name,
    clusterTokenHash: randomUUID(),
    firewall: { inbound: [], outbound: [] },
  }))
  await client.cluster.createMany({ data: clusters })
  const children = clusters.map(({ id: clusterId, tenantId }) => ({ clusterId, tenantId }))
  await client.node.createMany({
    data: children.flatMap((child) =>
      ['10.42.0.1', '10.42.0.2'].map((overlayIp) => ({
        ...child,
        id: randomUUID(),
        name: `node-${overlayIp}`,
        tokenHash: randomUUID(),
        routes: [],
        groups: [],
        overlayIp,
        certificate: 'signed',
      })),
    ),
  })
  await client.configBundle.createMany({
    data: children.flatMap((child) =>
      [1, 2].map((version) => ({ ...child, version, data: Buffer.from('x'), sha256: '', size: 1 })),
    ),
  })
  await client.clusterState.createMany({
    data: children.map(({ clusterId }) => ({ clusterId, instanceId: randomUUID(), runningConfigVersion: 1 })),
  })
}

/** Everything below a tenant, each edge that leads up again, counts, and what is computed per cluster. */
const deep = /* GraphQL */ `
  query ($first: Int!) {
    tenants(first: $first) {
      totalCount
      nodes {
        name
        clusters(first: 2) {
          totalCount
          nodes {
            name
            tenant {
              name
            }
            latestBundleVersion
            convergence {
              total
              applied
              unseen
              behindSince
              furthestBehind(first: 2) {
                name
              }
            }
            latestBundle {
              version
              message
              createdBy {
                name
              }
            }
            states {
              runningConfigVersion
            }
            nodes(first: 2) {
              totalCount
              nodes {
                name
                overlayIp
                cluster {
                  name
                }
              }
            }
            bundles(first: 2) {
              totalCount
              nodes {
                version
                cluster {
                  name
                }
              }
            }
          }
        }
      }
    }
  }
`

describe.each(engines)('SQL statements on %s', (engine) => {
  let few: TestApp
  let many: TestApp
  beforeAll(async () => {
    few = await startApp(engine)
    many = await startApp(engine)
    await fill(few, 3, 'few')
    await fill(many, 300, 'many')
  })
  afterAll(async () => {
    await few.close()
    await many.close()
  })

  async function statementsOf(app: TestApp, first: number) {
    app.takeStatements()
    const answer = await app.ask<{ tenants: { nodes: { clusters: { nodes: { nodes: { nodes: unknown[] } }[] } }[] } }>(
      app.operator,
      deep,
      { first },
    )
    const nodes = answer.tenants.nodes.flatMap(({ clusters }) => clusters.nodes.flatMap((one) => one.nodes.nodes))
    return { statements: app.takeStatements(), nodes: nodes.length }
  }

  // Not always as many: look-ups of several fields become one statement where they fall into one tick.
  test('tenants → clusters → nodes → bundles take one a field at most, for 3 rows and for 300', async () => {
    const three = await statementsOf(few, 3)
    const threeHundred = await statementsOf(many, 300)
    expect([three.nodes, threeHundred.nodes]).toEqual([6, 600])
    expect(threeHundred.statements.length).toBeLessThanOrEqual(20)
    expect(three.statements.length).toBeLessThanOrEqual(20)
  })

  test('no list of bundles reads the archives', async () => {
    const { statements } = await statementsOf(few, 3)
    const ofBundles = statements.filter((sql) => sql.includes('config_bundles'))
    expect(ofBundles.length).toBeGreaterThan(0)
    for (const sql of ofBundles) expect(sql).not.toMatch(/\bdata\b|\*(?!\))/)
  })

  test('the newest version of a cluster is asked for by number alone where nothing else is wanted', async () => {
    few.takeStatements()
    await few.ask(few.operator, '{ clusters(first: 1) { nodes { configVersion } } }')
    const [sql = '', ...others] = few.takeStatements()
    expect(others).toEqual([])
    expect(
      /SELECT (.*?) FROM/s
        .exec(sql)?.[1]
        ?.match(/x\.\w+/g)
        ?.sort(),
    ).toEqual(['x.config_version', 'x.id', 'x.name'])
  })
})
