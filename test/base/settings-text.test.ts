import { expect, test } from '@jest/globals'

import { parseSettings } from '../../src/nebula/settings-text.ts'

const hosts = (count: number) =>
  `static_host_map:\n${Array.from({ length: count }, (_, i) => `  "10.${i >> 16}.${(i >> 8) & 255}.${i & 255}": [a]\n`).join('')}`

/** The least processor time of several tries: a busy machine does not lengthen it. */
function timeOf(count: number): number {
  const text = hosts(count)
  const times = Array.from({ length: 5 }, () => {
    const before = process.cpuUsage()
    parseSettings(text)
    const { user, system } = process.cpuUsage(before)
    return user + system
  })
  return Math.min(...times)
}

test('a configuration of ten times as many hosts takes about ten times as long to read', () => {
  timeOf(1000)
  // Comparing every two keys, it took a hundred times as long.
  expect(timeOf(10_000) / timeOf(1000)).toBeLessThan(30)
})
