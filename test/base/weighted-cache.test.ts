import { describe, expect, test } from '@jest/globals'

import { WeightedCache } from '../../src/base/limits/weighted-cache.ts'

describe('a cache with a budget of weight', () => {
  const filled = (...entries: readonly [key: string, weight: number][]) => {
    const cache = new WeightedCache<string>(10)
    for (const [key, weight] of entries) cache.set(key, key.toUpperCase(), weight)
    return cache
  }

  test('keeps what fits, and drops what was used longest ago', () => {
    const cache = filled(['a', 4], ['b', 4])
    expect(cache.get('a')).toBe('A')
    cache.set('c', 'C', 4)
    expect({ a: cache.get('a'), b: cache.get('b'), c: cache.get('c') }).toEqual({ a: 'A', b: undefined, c: 'C' })
    expect(cache.weight).toBe(8)
  })

  test('counts an entry once, with its present weight', () => {
    const cache = filled(['a', 4], ['a', 6], ['b', 4])
    expect({ weight: cache.weight, a: cache.get('a') }).toEqual({ weight: 10, a: 'A' })
  })

  test('makes room for a heavy entry by as many light ones as it takes', () => {
    const cache = filled(['a', 2], ['b', 2], ['c', 2], ['d', 2])
    cache.set('e', 'E', 8)
    expect({ weight: cache.weight, c: cache.get('c'), d: cache.get('d') }).toEqual({ weight: 10, c: undefined, d: 'D' })
  })

  test('does not keep what is heavier than its budget, nor what that replaces', () => {
    const cache = filled(['a', 2], ['b', 2])
    cache.set('b', 'B', 11)
    expect({ weight: cache.weight, a: cache.get('a'), b: cache.get('b') }).toEqual({ weight: 2, a: 'A', b: undefined })
  })
})
