import { readFileSync } from 'node:fs'

import { expect, test } from '@jest/globals'
import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  lexicographicSortSchema,
  printSchema,
} from 'graphql'

import { schema } from '../../src/graphql/schema.ts'

test('schema.graphql is what the program serves (npm run schema > schema.graphql)', () => {
  expect(readFileSync('schema.graphql', 'utf8').trim()).toBe(printSchema(lexicographicSortSchema(schema)).trim())
})

/** Everything a newcomer can look at in GraphiQL, with its description. */
function elements(): { name: string; description: string | null | undefined }[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type))
    .flatMap((type) => {
      const own = { name: type.name, description: type.description }
      if (isEnumType(type)) {
        return [
          own,
          ...type.getValues().map(({ name, description }) => ({ name: `${type.name}.${name}`, description })),
        ]
      }
      if (isInputObjectType(type)) {
        return [
          own,
          ...Object.values(type.getFields()).map(({ name, description }) => ({
            name: `${type.name}.${name}`,
            description,
          })),
        ]
      }
      if (!isObjectType(type) && !isInterfaceType(type)) return [own]
      const fields = Object.values(type.getFields()).flatMap((field) => [
        { name: `${type.name}.${field.name}`, description: field.description },
        ...field.args.map(({ name, description }) => ({ name: `${type.name}.${field.name}(${name})`, description })),
      ])
      return [own, ...fields]
    })
}

test('every type, field, argument and value says what it means', () => {
  expect(
    elements()
      .filter(({ description }) => !description?.trim())
      .map(({ name }) => name),
  ).toEqual([])
})

test('no description is the name again', () => {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[^a-z]/g, '')
  const empty = elements().filter(
    ({ name, description }) => plain(description ?? '') === plain(name.split('.').at(-1) ?? ''),
  )
  expect(empty.map(({ name }) => name)).toEqual([])
})
