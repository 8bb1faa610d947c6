import { expect, test } from '@jest/globals'

import { AbandonedError } from '../../src/base/limits/fair-queue.ts'
import type { PlanState } from '../../src/domain/plan/files.ts'
import { compareInThread } from '../../src/domain/plan/thread.ts'

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

const stays = (owner = 'somebody') => ({ owner, signal: new AbortController().signal })

test('a job whose client leaves ends with its thread, and what waits behind it gets another', async () => {
  const leaving = new AbortController()
  const abandoned = compareInThread({ owner: 'somebody', signal: leaving.signal }, state(4242), state(4243))
  const waiting = compareInThread(stays(), state(4242), state(4242))
  setTimeout(() => leaving.abort(), 20)
  await expect(abandoned).rejects.toThrow(AbandonedError)
  expect((await waiting).changes).toEqual([])
})

test('a job is not begun for somebody who has left, and one that fails harms none behind it', async () => {
  await expect(
    compareInThread({ owner: 'somebody', signal: AbortSignal.abort() }, state(4242), state(4243)),
  ).rejects.toThrow(AbandonedError)
  const broken = { ...state(4242), cas: ['no certificate'] }
  await expect(compareInThread(stays(), broken, broken)).rejects.toThrow('change-plan')
  expect((await compareInThread(stays(), state(4242), state(4243))).nodeCount).toBe(3000)
})

test('a small job does not wait for the large ones of another owner', async () => {
  const done: string[] = []
  const ask = (owner: string, wanted: PlanState) =>
    compareInThread(stays(owner), state(4242), wanted).then(() => done.push(owner))
  const small = { ...state(4242), nodes: [] }
  // The second thread has been started by the time that the order of the answers is asked for.
  await Promise.all([ask('greedy', small), ask('modest', small)])
  done.length = 0
  await Promise.all([...Array.from({ length: 4 }, () => ask('greedy', state(4243))), ask('modest', small)])
  expect(done[0]).toBe('modest')
})
