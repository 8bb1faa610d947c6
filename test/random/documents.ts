import {
  type GraphQLField,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isRequiredArgument,
  isUnionType,
} from 'graphql'

import { rootFields } from '../support/schema-walk.ts'
import type { Random } from './random.ts'
import type { Operation } from './slots.ts'
import { Values } from './values.ts'

type Field = GraphQLField<unknown, unknown>

/** How many objects deep an operation goes. */
const depth = 4

/** Makes valid operations of one root field from a schema: its arguments, and a selection of what it gives. */
export function operationMaker(schema: GraphQLSchema) {
  const roots = rootFields(schema).flatMap(({ kind, field }) => (kind === 'subscription' ? [] : [{ kind, field }]))
  return (random: Random): Operation => {
    // There are twice as many mutations, of which most callers may call few.
    const wanted = random.chance(0.7) ? 'query' : 'mutation'
    const { kind, field } = random.pick(roots.filter((one) => one.kind === wanted))
    const writer = new Writer(random)
    const text = writer.field(field, '', depth)
    const { declared, variables, slots } = writer
    const head = declared.length === 0 ? '' : `(${declared.join(', ')})`
    return { kind, field: field.name, document: `${kind} ${head} { ${text} }`, variables, slots }
  }
}

/** Writes one operation, with all values as variables. */
class Writer {
  readonly declared: string[] = []
  readonly variables: Record<string, unknown> = {}
  readonly #random: Random
  readonly #values: Values

  constructor(random: Random) {
    this.#random = random
    this.#values = new Values(random)
  }

  get slots() {
    return this.#values.slots
  }

  field(field: Field, alias: string, left: number): string {
    const given = field.args.filter((argument) => isRequiredArgument(argument) || this.#isWanted(argument.name))
    const passed = given.map(({ name, type }) => {
      const variable = `v${this.declared.length}`
      this.declared.push(`$${variable}: ${String(type)}`)
      this.variables[variable] = this.#values.of(type, [field.name, name])
      return `${name}: $${variable}`
    })
    const call = passed.length === 0 ? field.name : `${field.name}(${passed.join(', ')})`
    return `${alias}${call} ${this.#selection(field.type, left)}`
  }

  /** Pages are small for the most part: large ones of large ones are refused. */
  #isWanted(name: string): boolean {
    return this.#random.chance(name === 'first' ? 0.9 : name === 'last' ? 0.05 : 0.3)
  }

  #selection(type: GraphQLOutputType, left: number): string {
    const named = getNamedType(type)
    if (!isCompositeType(named)) return ''
    if (isInterfaceType(named)) return '{ __typename }'
    if (isUnionType(named)) {
      // Fields of one name and different types do not merge: each member's have a name of their own.
      const parts = named.getTypes().map((one, index) => {
        return `... on ${one.name} { __typename ${this.#fields(Object.values(one.getFields()), `m${index}_`, left)} }`
      })
      return `{ __typename ${parts.join(' ')} }`
    }
    return `{ __typename ${this.#fields(Object.values(named.getFields()), '', left)} }`
  }

  #fields(fields: readonly Field[], prefix: string, left: number): string {
    const usable = fields.filter(({ type }) => left > 0 || !isCompositeType(getNamedType(type)))
    const chosen = this.#random.some(usable, left > 2 ? 0.6 : 0.4)
    return chosen.map((one) => this.field(one, prefix && `${prefix}${one.name}: `, left - 1)).join(' ')
  }
}
