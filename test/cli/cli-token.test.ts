import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { decodeProtectedHeader } from 'jose'

import { jwtVerifier } from '../../src/auth/jwt.ts'
import { deriveKeys } from '../../src/auth/keys.ts'
import { createLog } from '../../src/base/log.ts'
import { startNoticeBridge } from '../../src/db/notify/bridge.ts'
import { listen } from '../../src/http/server/server.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { mutate } from '../support/mutate.ts'
import { orrery } from '../support/orrery-process.ts'
import { openStream } from '../support/streams.ts'
import { createWorld, type World } from '../support/world.ts'

const secret = 's'.repeat(32)
const tenant = '11111111-1111-4111-8111-111111111111'
const days = 86_400_000

describe('orrery token create --jwt', () => {
  const { verify } = jwtVerifier(deriveKeys(secret).jwt, null)

  test.each([
    ['--role operator', { role: 'operator', subject: 'orrery-cli' }, 1],
    [`--role admin --tenant ${tenant.toUpperCase()} --name tina --ttl 30m`, { role: 'admin', subject: 'tina' }, 0.5],
    [`--role viewer --tenant ${tenant} --ttl 60m`, { role: 'viewer', tenantId: tenant }, 1],
  ])('%s prints one JWT and nothing else, for what was asked', async (options, wanted, hours) => {
    const environment = { ORRERY_SECRET: secret }
    const { code, output } = await orrery(['token', 'create', '--jwt', ...options.split(' ')], environment).ended
    expect(code).toBe(0)
    const claims = await verify(output.trim())
    expect(claims).toMatchObject(wanted.role === 'operator' ? wanted : { ...wanted, tenantId: tenant })
    expect((Number(claims?.expiresAt) - Date.now()) / 3_600_000).toBeCloseTo(hours, 1)
    expect(decodeProtectedHeader(output.trim())).toEqual({ alg: 'HS256', typ: 'JWT' })
  })
})

describe.each(engines)('orrery token, beside a server on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'acme', randomUUID())
  })
  afterAll(() => app.close())

  const run = (...args: string[]) =>
    orrery(['token', ...args], { DATABASE_URL: app.url, ORRERY_SECRET: app.secret }).ended
  const create = async (...args: string[]) => {
    const { code, output } = await run('create', ...args)
    expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/^orp_[\w-]{43}\n$/) })
    return output.trim()
  }
  const viewer = async (token: string) => {
    const query = '{ viewer { __typename ... on Operator { subject } ... on TenantAdmin { subject role } } }'
    const { status, data } = await app.answer(token, query)
    return data?.['viewer'] ?? status
  }
  const rowOf = (name: string) => app.database.client.credential.findFirstOrThrow({ where: { name } })

  test('create prints an access token alone, for who was asked and how long', async () => {
    expect(await viewer(await create('--role', 'operator'))).toEqual({ __typename: 'Operator', subject: 'orrery-cli' })
    const ours = ['--tenant', world.tenantId]
    const token = await create('--role', 'viewer', ...ours, '--name', 'backup', '--ttl', '10d')
    expect(await viewer(token)).toEqual({ __typename: 'TenantAdmin', subject: 'backup', role: 'VIEWER' })
    const { createdBy, expiresAt } = await rowOf('backup')
    expect(createdBy).toBe('the command line')
    expect((Number(expiresAt) - Date.now()) / days).toBeCloseTo(10, 1)
    const end = new Date(Date.now() + 20 * days).toISOString()
    await create('--role', 'admin', ...ours, '--name', 'until', '--expires', end)
    expect((await rowOf('until')).expiresAt?.toISOString()).toBe(end)
  })

  test('create limits a token to clusters, and list names them', async () => {
    const limits = ['--cluster', world.clusterId, '--name', 'limited']
    const token = await create('--role', 'viewer', '--tenant', world.tenantId, ...limits)
    expect(await viewer(token)).toMatchObject({ subject: 'limited' })
    const { id } = await rowOf('limited')
    const { output } = await run('list', '--tenant', world.tenantId)
    const line = output.split('\n').find((one) => one.startsWith(id))
    expect(line?.split('\t').slice(-2)).toEqual([world.clusterId, 'limited'])
  })

  test('what is refused is said in a line', async () => {
    for (const args of [
      ['create', '--role', 'viewer', '--tenant', world.tenantId, '--cluster', randomUUID()],
      ['create', '--role', 'admin', '--tenant', randomUUID()],
      ['create', '--role', 'operator', '--expires', '2001-01-01'],
      ['create', '--role', 'operator', '--name', ''],
      ['revoke', randomUUID()],
    ]) {
      const { code, output } = await run(...args)
      expect({ args, code, output }).toEqual({ args, code: 1, output: expect.stringMatching(/^[^\n]+\n$/) })
    }
  })

  test('list shows who has credentials, all of them or a tenant’s, and no token', async () => {
    const token = await create('--role', 'admin', '--tenant', world.tenantId, '--name', 'listed')
    await create('--role', 'operator', '--name', 'of operators')
    await viewer(token)
    await app.flush()
    const { id, lastFour } = await rowOf('listed')
    const { output } = await run('list', '--tenant', world.tenantId)
    const line = output.split('\n').find((one) => one.startsWith(id))
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/)
    expect(line?.split('\t')).toEqual([
      id,
      'access_token',
      'admin',
      world.tenantId,
      time,
      time,
      lastFour,
      '-',
      'listed',
    ])
    expect(output).not.toContain('of operators')
    expect((await run('list')).output).toContain('of operators')
    expect(output).not.toContain('orp_')
  })

  test('list shows a token that was replaced, as long as it works', async () => {
    const { credential } = app.database.client
    const replaced = async (name: string) => {
      const token = await create('--role', 'viewer', '--tenant', world.tenantId, '--name', name)
      const { id } = await rowOf(name)
      await mutate(app, app.operator, 'rotateAccessToken', { id, graceSeconds: 60 })
      return { id, token, former: await credential.findFirstOrThrow({ where: { credentialId: id } }) }
    }
    const [works, ended] = [await replaced('rotated'), await replaced('rotated before')]
    await credential.update({ where: { id: ended.former.id }, data: { expiresAt: new Date(Date.now() - 1000) } })
    const { output } = await run('list', '--tenant', world.tenantId)
    const line = output.split('\n').find((one) => one.startsWith(works.former.id))
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/)
    const what = ['replaced_token', '-', world.tenantId, time, '-', works.token.slice(-4), '-', 'rotated']
    expect(line?.split('\t')).toEqual([works.former.id, ...what])
    expect(output).toContain(ended.id)
    expect(output).not.toContain(ended.former.id)
  })

  test('revoke ends a token with its next request, and on PostgreSQL its streams at once', async () => {
    const server = await listen(app.app, { host: '127.0.0.1', port: 0 })
    const bridge = await startNoticeBridge(app.database, { log: createLog('silent') })
    const token = await create('--role', 'viewer', '--tenant', world.tenantId, '--name', 'leaving')
    const query = 'subscription ($id: UUID!) { clusterChanged(clusterId: $id) { __typename } }'
    const stream = await openStream(server.url, token, { query, variables: { id: world.clusterId } })
    await stream.next()
    const { id } = await rowOf('leaving')
    expect(await run('revoke', id)).toEqual({ code: 0, output: 'Revoked.\n' })
    expect(await viewer(token)).toBe(401)
    if (engine === 'postgresql') expect(await stream.next()).toBe('complete')
    else await stream.close()
    await bridge.close()
    await server.close()
  })
})
