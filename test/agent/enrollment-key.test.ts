import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from '@jest/globals'

import { enrolledClusters } from '../../src/agent/enrollment-state.ts'
import { mutate } from '../support/mutate.ts'
import { describeWithNebula } from '../support/nebula.ts'
import { parseNodeCertificate } from '../support/node-certificate.ts'
import { orrery } from '../support/orrery-process.ts'
import { Site } from './support/site.ts'

interface Key {
  readonly token: string
  readonly enrollmentKey: { readonly id: string }
}

describeWithNebula('a machine that enrolls by an enrollment key, with the program as it is shipped', () => {
  let site: Site
  let folder: string
  beforeAll(async () => {
    site = await Site.open()
    folder = await mkdtemp(join(tmpdir(), 'orrery-enroll-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true })
    await site.close()
  })

  const makeKey = (input: object) =>
    mutate<Key>(
      ...([site.app, site.world.admin, 'createEnrollmentKey'] as const),
      { clusterId: site.world.clusterId, name: 'fleet', ...input },
      'token enrollmentKey { id }',
    )
  /** Runs `orrery agent enroll` as a machine of its own. */
  const enroll = async (name: string, token: string, flags: readonly string[] = []) => {
    const [stateDir, tokenFile] = [join(folder, name), join(folder, `${name}.token`)]
    await writeFile(tokenFile, `${token}\n`, { mode: 0o600 })
    const where = ['--server', site.url, '--token-file', tokenFile, '--state-dir', stateDir]
    const { code, output } = await orrery(['agent', 'enroll', ...where, '--name', name, ...flags], {}).ended
    return { stateDir, code, output }
  }
  const shown = async (id: string) => {
    const query = 'query ($id: UUID!) { cluster(id: $id) { enrollmentKeys { id useCount usesAllowed } } }'
    const { cluster } = await site.app.ask<{ cluster: { enrollmentKeys: { id: string }[] } }>(
      ...([site.world.admin, query, { id: site.world.clusterId }] as const),
    )
    return cluster.enrollmentKeys.find((key) => key.id === id)
  }
  const invalid = /This enrollment key is not valid, or not any more: .* used up or revoked.* Get a new one\./

  test('becomes what the key says and runs; each one is a use, and the machine after the last is told', async () => {
    const { token, enrollmentKey } = await makeKey({
      ...{ groups: ['web', 'edge'], labels: [{ key: 'site', value: 'Basel' }], ephemeralSeconds: 3600, uses: 2 },
    })
    const machines = await Promise.all(['first', 'second'].map((name) => enroll(name, token)))
    for (const { code, output, stateDir } of machines) {
      expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('Next: orrery agent run') })
      // The key is in nothing that is shown or kept.
      expect(output).not.toContain(token)
      const [cluster] = await enrolledClusters(stateDir)
      const { nodeId, name } = (await cluster?.enrollment()) ?? {}
      const node = await site.node(nodeId ?? '')
      expect(node).toMatchObject({ name, groups: ['web', 'edge'], labels: { site: 'Basel' }, ephemeralSeconds: 3600 })
      const certificate = parseNodeCertificate((await cluster?.read('host.crt')) ?? '')
      expect(certificate).toMatchObject({ name, groups: ['web', 'edge'] })
      expect(await cluster?.token()).toMatch(/^orn_/)
    }
    expect(await shown(enrollmentKey.id)).toMatchObject({ useCount: 2, usesAllowed: 2 })

    const third = await enroll('third', token)
    expect(third).toMatchObject({ code: 1, output: expect.stringMatching(invalid) })
    expect(await enrolledClusters(third.stateDir)).toEqual([])
    expect(await shown(enrollmentKey.id)).toMatchObject({ useCount: 2, usesAllowed: 2 })

    const [first] = machines
    const [cluster] = await enrolledClusters(first?.stateDir ?? '')
    const { nodeId = '' } = (await cluster?.enrollment()) ?? {}
    await site.run(first?.stateDir)
    await site.runs(nodeId, await site.wanted())
  })

  test('is refused, and spends no use, for a group that is neither the key’s nor free to ask for', async () => {
    const { token, enrollmentKey } = await makeKey({ groups: ['web'] })
    const refused = await enroll('greedy', token, ['--groups', 'admins'])
    expect(refused).toMatchObject({ code: 1, output: expect.stringMatching(/admins/) })
    expect(await shown(enrollmentKey.id)).toMatchObject({ useCount: 0 })
    // The next attempt goes on with the key pair of the failed one.
    const keyFile = join(refused.stateDir, site.world.clusterId, 'host.key')
    const made = await readFile(keyFile, 'utf8')
    expect(await enroll('greedy', token)).toMatchObject({ code: 0 })
    expect(await readFile(keyFile, 'utf8')).toBe(made)
  })

  test('hears the same of a key that was revoked', async () => {
    const { token, enrollmentKey } = await makeKey({ uses: 5 })
    await site.mutate('revokeEnrollmentKey', { id: enrollmentKey.id })
    expect(await enroll('late', token)).toMatchObject({ code: 1, output: expect.stringMatching(invalid) })
  })
})
