import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'

import { breaks, inPieces, piecesOf } from '../../src/base/pieces.ts'

/** Milliseconds on the clock that the work sees. */
let clock = 0
/** How often others had their turn. */
let turns = 0
let next: NodeJS.Immediate

beforeEach(() => {
  ;[clock, turns] = [0, 0]
  jest.spyOn(performance, 'now').mockImplementation(() => clock)
  const turn = () => {
    turns += 1
    next = setImmediate(turn)
  }
  next = setImmediate(turn)
})
afterEach(() => {
  clearImmediate(next)
  jest.restoreAllMocks()
})

describe('work in pieces', () => {
  test('goes on at once while it is short', async () => {
    const pause = breaks()
    for (let piece = 0; piece < 1000; piece += 1) {
      clock += 0.004
      await pause()
    }
    expect(turns).toBe(0)
  })

  test('gives others a turn after each 5 ms', async () => {
    const pause = breaks()
    for (let piece = 0; piece < 40; piece += 1) {
      clock += 1
      await pause()
    }
    expect(turns).toBe(8)
  })

  test('gives them one after a piece that takes longer, and then begins to count anew', async () => {
    const seen: number[] = []
    for await (const [milliseconds = 0] of inPieces([30, 4, 4, 4, 30], 1)) {
      seen.push(turns)
      clock += milliseconds
    }
    expect(seen).toEqual([0, 1, 1, 2, 2])
  })
})

test('a list in pieces is the list, in its order', async () => {
  const list = [1, 2, 3, 4, 5]
  expect(piecesOf(list, 2)).toEqual([[1, 2], [3, 4], [5]])
  expect(piecesOf([], 2)).toEqual([])
  const seen: (readonly number[])[] = []
  for await (const piece of inPieces(list, 5)) seen.push(piece)
  expect(seen).toEqual([list])
})
