import { CriticalityLevel, diff, DiffRule } from '@graphql-inspector/core'
import { isEnumType, isInputObjectType, isInterfaceType, isObjectType, type GraphQLSchema } from 'graphql'

/** The form of every reason of a deprecation (docs/api-changes.md). */
const reasonForm = /^Use `([A-Za-z]+(?:\.[A-Za-z_]+)?)` instead; it stays until (\d{4}-\d{2}-\d{2})\.$/

/** Optional inputs are dangerous to graphql-inspector, since their default could differ from what was done before. */
const expected = ['INPUT_FIELD_ADDED', 'FIELD_ARGUMENT_ADDED']

/**
 * What is wrong with the way from one schema to the next: changes that can matter to a program and that the changelog
 * does not name, and removals of what is to stay for some time.
 * @param notes the changelog's section for the next release
 * @param today the day, as in 2026-12-31
 */
export async function unannounced(
  released: GraphQLSchema,
  present: GraphQLSchema,
  notes: string,
  today: string,
): Promise<string[]> {
  const [, breaking = ''] = /^### Breaking\n(.*?)(?=^### |(?![\s\S]))/ms.exec(notes) ?? []
  const promised = new Map(deprecations(released).map(({ path, reason }) => [path, reasonForm.exec(reason)?.[2] ?? '']))
  const changes = await diff(released, present, [DiffRule.suppressRemovalOfDeprecatedField])
  return changes.flatMap(({ criticality: { level }, type, path = '', message }) => {
    const stays = String(type).endsWith('_REMOVED') ? promised.get(path) : undefined
    if (stays !== undefined) {
      return today > stays
        ? isNamed(notes, path, 'a removal', message)
        : [`${path} is to stay until ${stays}: ${message}`]
    }
    if (level === CriticalityLevel.Breaking) return isNamed(breaking, path, 'a breaking change', message)
    if (level !== CriticalityLevel.Dangerous || expected.includes(String(type))) return []
    return isNamed(notes, path, 'a change to expect', message)
  })
}

const isNamed = (notes: string, path: string, what: string, message: string): string[] =>
  notes.includes(`\`${path}\``) ? [] : [`${what} that the changelog does not name as \`${path}\`: ${message}`]

/** Every deprecated field, argument, input field and enum value, with its reason. */
function deprecations(schema: GraphQLSchema): { path: string; reason: string }[] {
  const all = Object.values(schema.getTypeMap()).flatMap((type) => {
    const own = (one: { readonly name: string; readonly deprecationReason?: string | null | undefined }) => ({
      path: `${type.name}.${one.name}`,
      reason: one.deprecationReason ?? null,
    })
    if (isEnumType(type)) return type.getValues().map(own)
    if (isInputObjectType(type)) return Object.values(type.getFields()).map(own)
    if (!isObjectType(type) && !isInterfaceType(type)) return []
    return Object.values(type.getFields()).flatMap((field) => [
      own(field),
      ...field.args.map((arg) => ({ ...own(arg), path: `${type.name}.${field.name}.${arg.name}` })),
    ])
  })
  return all.flatMap(({ path, reason }) => (reason === null ? [] : [{ path, reason }]))
}

/** The deprecations whose reason does not say what to use, in the schema, and until when the old one stays. */
export const unexplained = (schema: GraphQLSchema): string[] =>
  deprecations(schema).flatMap(({ path, reason }) => {
    const [, successor] = reasonForm.exec(reason) ?? []
    return successor !== undefined && exists(schema, successor) ? [] : [`${path}: ${reason}`]
  })

function exists(schema: GraphQLSchema, path: string): boolean {
  const [name = '', member] = path.split('.')
  const type = schema.getType(name)
  if (!type || member === undefined) return type !== undefined
  if (isEnumType(type)) return type.getValue(member) !== undefined && type.getValue(member) !== null
  return (isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)) && member in type.getFields()
}
