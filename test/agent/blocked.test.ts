import { afterAll, beforeAll, expect, test } from '@jest/globals'

import { ClusterFolder } from '../../src/agent/enrollment-state.ts'
import { sayStatus, statusOf } from '../../src/agent/status.ts'
import type { LogLine } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { describeWithNebula } from '../support/nebula.ts'
import { Site } from './support/site.ts'

describeWithNebula('the agent of a node that is blocked', () => {
  let site: Site
  beforeAll(async () => {
    site = await Site.open()
  })
  afterAll(() => site.close())

  test('says so in its log and status, keeps asking, and comes back by itself when the node is unblocked', async () => {
    const { enrollment } = await site.enroll({ name: 'laptop' })
    const { nodeId, clusterId } = enrollment
    const folder = new ClusterFolder(site.stateDir, clusterId)
    await site.run()
    await site.runs(nodeId, await site.wanted())
    const before = (await site.node(nodeId)).certificate
    const logged: LogLine[] = []
    site.takeLog()
    await site.mutate('blockNodes', { ids: [nodeId] })
    const words = 'refused: This node is blocked: '
    const refusals = await eventually(
      'it says so more than once',
      () => {
        logged.push(...site.takeLog())
        return Promise.resolve(
          logged.filter(({ msg, reason }) => msg.startsWith('no news') && String(reason).includes(words)),
        )
      },
      ({ length }) => length > 1,
    )
    expect(refusals[0]).toMatchObject({ msg: 'no news; Nebula runs on', seconds: expect.any(Number) })
    const status = await eventually(
      'the status has it',
      () => statusOf(folder),
      ({ refusal }) => refusal !== null,
    )
    expect(status.refusal).toContain(words)
    expect(sayStatus(status)).toMatch(/^ {2}refused {6}.*This node is blocked/m)

    await site.mutate('unblockNodes', { ids: [nodeId] })
    await site.runs(nodeId, await site.wanted())
    const { certificate } = await site.node(nodeId)
    expect(certificate).not.toBe(before)
    expect(await site.read(clusterId, 'current', 'host.crt')).toBe(certificate)
    await eventually(
      'the status is clean again',
      () => statusOf(folder),
      ({ refusal }) => refusal === null,
    )
  })
})
