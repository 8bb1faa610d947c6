import { describe, expect, test } from '@jest/globals'
import * as z from 'zod'

import { jsonOf, readJson } from '../../src/base/json.ts'

const secret = 'orr_node_secret'

describe('JSON texts', () => {
  const port = jsonOf(z.strictObject({ port: z.int() }))

  test('of the shape give its value', () => {
    expect(port.parse('{ "port": 4242 }')).toEqual({ port: 4242 })
  })

  test.each([
    ['is no JSON', secret, [], 'is not JSON'],
    ['is empty', '', [], 'is not JSON'],
    ['goes on after its end', `{"port":4242} ${secret}`, [], 'is not JSON'],
    ['has another shape', '{"port":"4242"}', ['port'], 'Invalid input: expected number, received string'],
    ['is null', 'null', [], 'Invalid input: expected object, received null'],
  ])('one that %s is refused by the path and the rule, without its text', (_what, text, path, message) => {
    const { success, error } = port.safeParse(text)
    expect(success).toBe(false)
    expect(error?.issues.map((issue) => ({ path: issue.path, message: issue.message }))).toEqual([{ path, message }])
    expect(JSON.stringify(error)).not.toContain(secret)
  })

  test('are refused where there is none', () => {
    expect(port.safeParse(undefined).success).toBe(false)
  })

  test('without a shape give any value, and undefined for what is not JSON', () => {
    expect(['null', '0', '""', '[1]'].map(readJson)).toEqual([null, 0, '', [1]])
    expect(['', 'undefined', '{', 'NaN'].map(readJson)).toEqual([undefined, undefined, undefined, undefined])
  })
})
