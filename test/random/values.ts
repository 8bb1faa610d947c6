import {
  type GraphQLInputField,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql'

import { fileMark } from '../support/schema-walk.ts'
import type { Random } from './random.ts'
import { ownerships, type Slot } from './slots.ts'

/** Publicly known: the PEM of an X25519 key of zeros and ones, in Nebula's form. */
const publicKey = (byte: number) =>
  `-----BEGIN NEBULA X25519 PUBLIC KEY-----\n${Buffer.alloc(32, byte).toString('base64')}\n-----END NEBULA X25519 PUBLIC KEY-----\n`

const words = ['amber', 'birch', 'cobalt', 'delta', 'ember', 'fjord', 'Ä-größe', '語', 'o’clock', '%', '_', '10']

/** Filters hold filters: one within another is enough, and ever more of them would have no end. */
const isTooDeep = ({ name }: GraphQLInputField, path: readonly string[]): boolean =>
  combining.includes(name) && path.some((one) => combining.includes(one))
const combining = ['and', 'or', 'not']

/** Makes values of a schema's input types, most of which the rules of the domain let through. */
export class Values {
  readonly slots: Slot[] = []
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** @param path the names that lead to the value; the last ones say what an id or a text is for */
  of(type: GraphQLInputType, path: readonly string[]): unknown {
    const random = this.#random
    if (isNonNullType(type)) return this.of(type.ofType, path)
    if (isListType(type)) return Array.from({ length: random.below(4) }, () => this.of(type.ofType, path))
    if (isEnumType(type)) return random.pick(type.getValues()).name
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields())
      const chosen = type.isOneOf
        ? [random.pick(fields)]
        : fields.filter((field) => this.#isGiven(field) && !isTooDeep(field, path))
      return Object.fromEntries(chosen.map((field) => [field.name, this.of(field.type, [...path, field.name])]))
    }
    return this.#scalar(type.name, path)
  }

  #isGiven({ type, name }: GraphQLInputField): boolean {
    return isNonNullType(type) || this.#random.chance(name === 'dryRun' ? 0.1 : 0.4)
  }

  #scalar(type: string, path: readonly string[]): unknown {
    const random = this.#random
    const name = path.at(-1) ?? ''
    switch (type) {
      case 'UUID':
        return this.#slot(path)
      case 'String':
        return this.#text(name)
      case 'Boolean':
        return random.chance(0.5)
      case 'Int':
        return name === 'mtu' ? 1280 + random.below(200) : random.below(name === 'first' || name === 'last' ? 5 : 40)
      case 'PositiveInt':
        return random.pick([1, 2, 3, 4, 1000, 2 ** 31 - 1])
      case 'NonNegativeInt':
        return random.below(5)
      case 'DateTimeISO':
        // Past, and to come; what needs a time to come takes either.
        return new Date(Date.now() + (random.below(60) - 20) * 86_400_000).toISOString()
      case 'Port':
        return 1 + random.below(65_535)
      case 'IP':
        return random.pick(['203.0.113.7', `10.42.0.${random.below(256)}`, '2001:db8::1'])
      case 'CIDR':
        return random.pick([`192.168.${random.below(256)}.0/24`, '10.42.0.0/16', '2001:db8::/32', '0.0.0.0/0'])
      case 'URL':
        return `https://replica-${random.below(20)}.example.com`
      case 'File':
        return fileMark
      default:
        throw new Error(`${path.join('.')}: there is no generator for the scalar ${type}: add one`)
    }
  }

  #text(name: string): string {
    const random = this.#random
    if (name === 'after' || name === 'before') {
      const key = random.chance(0.5) ? [random.below(1001)] : [random.pick(words), random.pick(words)]
      return Buffer.from(JSON.stringify(key)).toString('base64url')
    }
    if (name === 'publicKey') return publicKey(random.below(256))
    if (name === 'key') return random.pick(['site', 'env/stage', 'a', 'No Key'])
    if (name === 'port') return random.pick(['any', '22', '200-300', 'fragment'])
    if (name === 'nebulaVersion') return random.pick(['1.9.5', '1.10.0'])
    if (name === 'name')
      return random.chance(0.3) ? random.pick(words) : `${random.pick(words)}-${random.below(10_000)}`
    return random.pick(words)
  }

  #slot(path: readonly string[]): string {
    const named = /tenant|cluster|node/i.exec(path.at(-1) ?? '') ?? /tenant|cluster|node/i.exec(path[0] ?? '')
    const slot: Slot = {
      mark: `<id ${this.slots.length}>`,
      owner: this.#random.pick(ownerships),
      kind: named?.[0].toLowerCase() ?? 'any',
    }
    this.slots.push(slot)
    return slot.mark
  }
}
