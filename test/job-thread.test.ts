import { expect, test } from '@jest/globals'

import type { PlanState } from '../src/domain/plan/files.ts'
import { compareInThread } from '../src/domain/plan/thread.ts'

const nodes = Array.from({ length: 3000 }, (_, index) => ({
  id: `node-${index}`,
  name: `node-${index}`,
  overlayIp: `10.42.${index >> 8}.${index & 255}`,
  mtu: 1300,
  routes: [],
  groups: [],
  isLighthouse: false,
  lighthousePublicIp: null,
  lighthousePort: null,
  isRelay: false,
  publicKey: null,
  certificate: 'made up',
  certificateFingerprint: null,
}))

const state = (lighthousePort: number): PlanState => ({
  certificateVersion: 1,
  lighthousePort,
  firewall: { inbound: [], outbound: [] },
  blocklist: [],
  cas: [],
  shared: null,
  nodes: nodes.map((node) => ({ ...node, mtu: lighthousePort })),
  signingCa: null,
})

const stays = () => new AbortController().signal

test('a job whose client leaves ends with its thread, and what waits behind it gets another', async () => {
  const leaving = new AbortController()
  const abandoned = compareInThread(state(4242), state(4243), leaving.signal)
  const waiting = compareInThread(state(4242), state(4242), stays())
  setTimeout(() => leaving.abort(new Error('left')), 20)
  await expect(abandoned).rejects.toThrow('left')
  expect((await waiting).changes).toEqual([])
})

test('a job is not begun for somebody who has left, and one that fails harms none behind it', async () => {
  const gone = AbortSignal.abort(new Error('left'))
  await expect(compareInThread(state(4242), state(4243), gone)).rejects.toThrow('left')
  const broken = { ...state(4242), cas: ['no certificate'] }
  await expect(compareInThread(broken, broken, stays())).rejects.toThrow('change-plan')
  expect((await compareInThread(state(4242), state(4243), stays())).nodeCount).toBe(3000)
})
