import { expect, test } from '@jest/globals'

import { updateNodeMtu } from '../../src/domain/nodes/node-settings.ts'
import { nodeMutation } from '../../src/graphql/changes/change-mutations.ts'
import { mutation } from '../../src/graphql/changes/mutation.ts'

const texts = { description: 'Does it.', input: 'What to do.', done: 'It was done.' }

test('a mutation that does not say who may call it neither compiles nor starts', () => {
  const open = { ...texts, errors: [], resolve: async () => ({}), payload: () => ({}) }
  // @ts-expect-error -- `callers` is missing
  expect(() => mutation('open', open)).toThrow(TypeError)
})

// The compiler is what is tested: `tsc` refuses an expected error that does not occur.
test('the compiler knows the input of a change by its fields', () => {
  const add = () => {
    nodeMutation('mistyped', {
      ...texts,
      fields: (t) => ({ mtu: t.string({ required: true, description: 'A text.' }) }),
      // @ts-expect-error -- the domain takes a number
      change: (scope, id, input) => updateNodeMtu(scope, id, input),
      warn: () => [],
    })
    nodeMutation('unnamed', {
      ...texts,
      fields: (t) => ({ mtu: t.int({ required: true, description: 'A number.' }) }),
      // @ts-expect-error -- no field has this name
      change: (scope, id, { size }) => updateNodeMtu(scope, id, { mtu: Number(size) }),
      warn: () => [],
    })
  }
  expect(add).not.toThrow()
})
