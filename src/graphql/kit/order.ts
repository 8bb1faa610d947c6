import { builder } from './builder.ts'

export const OrderDirection = builder.enumType('OrderDirection', {
  description: 'Which way a list is ordered.',
  values: {
    ASC: {
      value: 'asc',
      description:
        'The smallest, the oldest, the first of the alphabet first; a row without a value before all others.',
    },
    DESC: { value: 'desc', description: 'The other way round.' },
  } as const,
})
