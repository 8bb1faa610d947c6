import {
  type GraphQLInputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  type GraphQLArgument,
  type GraphQLField,
} from 'graphql'

/** A value with a name for a failed test's title; the values themselves are long or cannot be printed. */
export interface Hostile {
  readonly name: string
  readonly value: unknown
}

const cursorOf = (key: unknown): string => Buffer.from(JSON.stringify(key)).toString('base64url')

const texts: readonly Hostile[] = [
  { name: 'a NUL', value: 'a\u0000b' },
  { name: 'a lone high surrogate', value: 'a\ud800b' },
  { name: 'a lone low surrogate', value: '\udc00' },
  { name: 'an escape', value: '\u001b[2J' },
  { name: 'a line and a tab', value: 'a\n\tb' },
  { name: 'a mark that turns the direction', value: 'a\u202eb' },
  { name: 'nothing', value: '' },
  { name: 'spaces', value: '   ' },
  { name: 'marks of LIKE', value: '%_\\%_\\' },
  { name: 'quotes', value: `'";--\`$$` },
  { name: '25 000 marks of LIKE', value: '%'.repeat(25_000) },
  { name: '60 000 characters', value: 'a'.repeat(60_000) },
  { name: '__proto__', value: '__proto__' },
]

/** What `after` and `before` unpack; elsewhere it would be letters. */
const cursors: readonly Hostile[] = [
  { name: 'a cursor of a NUL', value: cursorOf(['a\u0000b']) },
  { name: 'a cursor of half a pair', value: Buffer.from('["\\ud800"]').toString('base64url') },
  { name: 'a cursor of 0', value: cursorOf([0]) },
  { name: 'a cursor beyond int4', value: cursorOf([2 ** 31]) },
  { name: 'a cursor far below int4', value: cursorOf([-(2 ** 40)]) },
  { name: 'a cursor of 1e300', value: Buffer.from('[1e300]').toString('base64url') },
  { name: 'a cursor of two', value: cursorOf(['a\u0000b', '\u0000']) },
  { name: 'a cursor of two numbers', value: cursorOf([2 ** 53, 2 ** 53]) },
  { name: 'a cursor of a long text', value: cursorOf(['a'.repeat(40_000)]) },
  { name: 'a cursor of deep lists', value: Buffer.from('['.repeat(20_000)).toString('base64url') },
]

const integers: readonly Hostile[] = [0, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 53, 1e300, 0.5].map((value) => ({
  name: String(value),
  value,
}))

/** Texts that a lenient scalar could take for a number, an address or a time. */
const forms: readonly Hostile[] = [
  ...texts,
  { name: 'a URL with a NUL', value: 'http://a/\u0000' },
  { name: 'a URL with %00', value: 'http://a/%00' },
  { name: 'a URL with half a pair', value: 'http://a/\ud800' },
  { name: 'a long URL', value: `http://a/${'a'.repeat(50_000)}` },
  { name: 'a mapped address', value: '::ffff:10.0.0.1' },
  { name: 'an address with a zone', value: 'fe80::1%eth0' },
  { name: 'a network of /33', value: '10.0.0.0/33' },
  { name: 'a mapped network', value: '::ffff:10.0.0.0/104' },
  { name: 'the year 275760', value: '+275760-09-13T00:00:00.000Z' },
]

const strange: readonly Hostile[] = [
  { name: 'a list', value: [[]] },
  { name: 'an object', value: { a: 1 } },
  { name: 'a boolean', value: true },
]

function valuesOf(type: GraphQLInputType, path: readonly (string | number)[]): readonly Hostile[] {
  switch (getNamedType(type).name) {
    case 'String':
      return [...texts, ...(path.includes('after') || path.includes('before') ? cursors : []), ...strange]
    case 'Int':
    case 'PositiveInt':
    case 'NonNegativeInt':
    case 'Port':
      return [...integers, ...strange, ...texts.slice(0, 2)]
    case 'Boolean':
    case 'UUID':
    case 'File':
      return [...strange, ...texts.slice(0, 2), ...integers.slice(0, 1)]
    default:
      // Addresses, networks, URLs, times, enums: a new scalar gets every value.
      return [...forms, ...integers, ...strange]
  }
}

/** A value put at one place in the arguments of a field; the path says where. */
export interface Attack extends Hostile {
  readonly path: readonly (string | number)[]
  /** The field of an input type that it is put in; null for an argument. */
  readonly place: string | null
}

/** Every place of a scalar or an enum in an argument, with each hostile value of its type. */
const attacksOn = ({ name, type }: Pick<GraphQLArgument, 'name' | 'type'>): Attack[] => attacksAt(type, [name], null)

/**
 * The attacks on the arguments of each field. What is put into an input type of many fields, such as a filter, is dealt
 * out: each value in each of its places goes to two of these fields, and each of these fields gets its share.
 */
export function attacksOnEach(fields: readonly Pick<GraphQLField<unknown, unknown>, 'args'>[]): Attack[][] {
  const keyOf = ({ place, name }: Attack) => (place === null ? null : `${place} ${name}`)
  const all = fields.map(({ args }) => args.flatMap(attacksOn))
  const counts = new Map<string, number>()
  const turns = new Map<string, number>()
  for (const key of all.flatMap((attacks) => [...new Set(attacks.map(keyOf))])) {
    if (key === null) continue
    // Neighbouring values begin with neighbouring fields.
    if (!counts.has(key)) turns.set(key, counts.size)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return all.map((attacks) => {
    const isTaken = new Map<string | null, boolean>([[null, true]])
    return attacks.filter((attack) => {
      const key = keyOf(attack)
      if (key === null) return true
      const taken = isTaken.get(key)
      if (taken !== undefined) return taken
      const turn = turns.get(key) ?? 0
      turns.set(key, turn + 1)
      const isOurs = turn % (counts.get(key) ?? 1) < 2
      isTaken.set(key, isOurs)
      return isOurs
    })
  })
}

function attacksAt(type: GraphQLInputType, path: readonly (string | number)[], place: string | null): Attack[] {
  if (isNonNullType(type)) return attacksAt(type.ofType, path, place)
  if (isListType(type)) {
    const long = { name: 'a list of 5000', value: Array.from({ length: 5000 }, () => 'a'), path, place }
    return [...attacksAt(type.ofType, [...path, 0], place), long]
  }
  if (isInputObjectType(type)) {
    // A filter may hold filters of its own type: one of them is enough.
    const isInner = path.includes('not')
    const fields = Object.values(type.getFields()).filter((field) => !isInner || getNamedType(field.type) !== type)
    return fields
      .filter((field) => field.name === 'not' || getNamedType(field.type) !== type)
      .flatMap((field) => attacksAt(field.type, [...path, field.name], `${type.name}.${field.name}`))
  }
  const values = isEnumType(type) ? [...strange, ...texts.slice(0, 4)] : valuesOf(type, path)
  return values.map((one) => ({ ...one, path, place }))
}

/** A copy of `target` with the attack's value in its place; missing parts of the path are created. */
export function placed(target: unknown, { path: [key, ...rest], value }: Pick<Attack, 'path' | 'value'>): unknown {
  if (key === undefined) return value
  if (typeof key === 'number') return [placed(Array.isArray(target) ? target[0] : undefined, { path: rest, value })]
  const object = typeof target === 'object' && target !== null ? target : {}
  const inner = (object as Readonly<Record<string, unknown>>)[key]
  return { ...object, [key]: placed(inner, { path: rest, value }) }
}
