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

test('no list has holes: whoever reads an element need not expect null in its place', () => {
  const holed = Object.values(schema.getTypeMap())
    .filter((type) => !isIntrospectionType(type))
    .flatMap((type) => {
      if (isInputObjectType(type)) {
        return Object.values(type.getFields()).map((field) => ({
          name: `${type.name}.${field.name}`,
          type: field.type,
        }))
      }
      if (!isObjectType(type) && !isInterfaceType(type)) return []
      return Object.values(type.getFields()).flatMap(({ name, type: given, args }) => [
        { name: `${type.name}.${name}`, type: given },
        ...args.map((arg) => ({ name: `${type.name}.${name}(${arg.name})`, type: arg.type })),
      ])
    })
    // The text of a type has an exclamation mark after what cannot be null.
    .filter(({ type }) => /[^!]\]/.test(String(type)))
  expect(holed.map(({ name }) => name)).toEqual([])
})
