import { randomUUID } from 'node:crypto'

import { expect } from '@jest/globals'

import { packBundle } from '../../src/domain/bundles/compile/pack.ts'
import { startApp } from '../support/app.ts'
import { send } from '../support/multipart.ts'
import { mutate } from '../support/mutate.ts'
import { fileMark } from '../support/schema-walk.ts'
import { createNode, createWorld } from '../support/world.ts'

type Answer = Record<string, unknown>

/** A tenant with a cluster of four nodes, another tenant's for what only an operator sees, and ways to ask for them. */
export async function openScene() {
  const instanceId = randomUUID()
  const app = await startApp('sqlite')
  const world = await createWorld(app, 'seed', instanceId)
  const other = await createWorld(app, 'other', randomUUID())
  await createNode(app, world.admin, { clusterId: world.clusterId, name: 'relay', isRelay: true })
  const lighthouse = { isLighthouse: true, lighthousePublicIp: '203.0.113.1' }
  await createNode(app, world.admin, { clusterId: world.clusterId, name: 'lighthouse', ...lighthouse })

  /** Asks for fields of Query, as the tenant's admin if no other token is given. */
  const ask = (fields: string, token = world.admin) => app.ask<Answer>(token, `{ ${fields} }`)
  const cluster = async (fields: string) => {
    const { cluster: found } = await app.ask<{ cluster: Answer | null }>(
      world.admin,
      `query ($id: UUID!) { cluster(id: $id) { ${fields} } }`,
      { id: world.clusterId },
    )
    return found
  }
  const node = async (id: string, fields: string, token = world.admin) =>
    (await ask(`node(id: "${id}") { ${fields} }`, token))['node']
  const nodes = async (filter: string, fields: string) =>
    (await ask(`nodes(clusterId: "${world.clusterId}"${filter}) { ${fields} }`))['nodes']
  const named = (...names: string[]) => ({ nodes: names.map((name) => ({ name })) })
  /** A mutation with the payload that it answers. */
  const change = async (name: string, input: object, payload: string, token = world.admin) => {
    const outcome = await mutate(app, token, name, input, payload)
    expect(outcome.__typename).toBe(`${name.charAt(0).toUpperCase()}${name.slice(1)}Payload`)
    return outcome
  }
  const aNode = (input: object = {}) =>
    createNode(app, world.admin, { clusterId: world.clusterId, name: randomUUID(), ...input })
  const aCluster = async () => {
    const made = await change('createCluster', { name: randomUUID() }, 'cluster { id name } token')
    return made as unknown as { cluster: { id: string; name: string }; token: string }
  }
  const aTenant = async () => {
    const { tenant } = await change('createTenant', { name: randomUUID() }, 'tenant { id name }', app.operator)
    return tenant as { id: string; name: string }
  }
  const aReplica = async (address = `http://${randomUUID()}.example/`) => {
    const { replica } = await change('registerReplica', { address }, 'replica { id address }', app.operator)
    return replica as { id: string; address: string }
  }
  const uploaded = async () => {
    const query = `mutation ($input: CreateConfigBundleInput!) { createConfigBundle(input: $input) {
      ... on CreateConfigBundlePayload { configBundle { version } } ... on Error { message } } }`
    const archive = await packBundle([{ path: 'config.yml', content: 'logging:\n  level: debug\n' }])
    const input = { clusterId: world.clusterId, archive: fileMark }
    const { text } = await send(app, world.admin, query, { input }, archive)
    const { data } = JSON.parse(text) as { data: { createConfigBundle: { configBundle: { version: number } } } }
    return data.createConfigBundle.configBundle.version
  }
  const bundle = async (version = '') =>
    (await ask(`configBundle(clusterId: "${world.clusterId}"${version}) { version message }`))['configBundle']
  const newest = async () => (await cluster('latestBundleVersion'))?.['latestBundleVersion']

  return {
    ...{ app, world, other, instanceId, ask, cluster, node, nodes, named, change },
    ...{ aNode, aCluster, aTenant, aReplica, uploaded, bundle, newest },
  }
}
