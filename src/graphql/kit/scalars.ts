import { GraphQLError, GraphQLScalarType, Kind, type GraphQLScalarTypeConfig } from 'graphql'
import {
  GraphQLDateTimeISO,
  GraphQLIP,
  GraphQLNonNegativeInt,
  GraphQLPort,
  GraphQLPositiveInt,
  GraphQLURL,
  GraphQLUUID,
} from 'graphql-scalars'

import { SpooledFile } from '../../base/limits/spool.ts'
import { greatestInteger } from '../../base/texts/text.ts'
import { isNetworkText } from '../../base/networks.ts'
import { builder } from './builder.ts'

const described = <In, Out>(scalar: GraphQLScalarType<In, Out>, description: string): GraphQLScalarType<In, Out> => {
  const config: GraphQLScalarTypeConfig<In, Out> = {
    ...scalar.toConfig(),
    description,
  }
  return new GraphQLScalarType(config)
}

const longestUrl = 2048

/** The library's type does not say that its values are numbers. */
const wholeFromZero = GraphQLNonNegativeInt as GraphQLScalarType<number, number>

const isColumnInteger = (value: number): boolean => value <= greatestInteger

/** A scalar that accepts fewer values; its description states the rule and is also the error's message. */
function within<In, Out>(
  scalar: GraphQLScalarType<In, Out>,
  allows: (value: In) => boolean,
  { description }: { readonly description: string },
): GraphQLScalarType<In, Out> {
  const allowed = (value: In): In => {
    if (allows(value)) return value
    throw new GraphQLError(`${scalar.name}: ${description}`, { extensions: { code: 'BAD_USER_INPUT' } })
  }
  return new GraphQLScalarType<In, Out>({
    ...scalar.toConfig(),
    description,
    parseValue: (value) => allowed(scalar.parseValue(value)),
    parseLiteral: (node, variables) => allowed(scalar.parseLiteral(node, variables)),
  })
}

/** Ids are stored in lower case; in a query either case means the same id (RFC 9562, section 4). */
const lowerCaseUuid = new GraphQLScalarType<string, string>({
  ...GraphQLUUID.toConfig(),
  description: 'The id of a row: a UUID (RFC 9562).',
  // Stored ids were validated when they were written. Validating them again took a twentieth of a page's time.
  serialize: (value) => (typeof value === 'string' ? value : GraphQLUUID.serialize(value)),
  parseValue: (value) => GraphQLUUID.parseValue(value).toLowerCase(),
  parseLiteral: (node, variables) => GraphQLUUID.parseLiteral(node, variables).toLowerCase(),
})

builder.addScalarType('UUID', lowerCaseUuid)
builder.addScalarType('DateTimeISO', described(GraphQLDateTimeISO, 'A point in time, ISO 8601 in UTC.'))
builder.addScalarType('Port', described(GraphQLPort, 'A UDP or TCP port: 1 to 65535.'))
builder.addScalarType('IP', described(GraphQLIP, 'An IPv4 or IPv6 address.'))
builder.addScalarType(
  'URL',
  within(GraphQLURL, (url) => String(url).length <= longestUrl, {
    description: `A full URL (RFC 3986) of at most ${longestUrl} characters.`,
  }),
)
builder.addScalarType(
  'PositiveInt',
  within(GraphQLPositiveInt, isColumnInteger, { description: `A whole number from 1 to ${greatestInteger}.` }),
)
builder.addScalarType(
  'NonNegativeInt',
  within(wholeFromZero, isColumnInteger, {
    description: `A whole number from 0 to ${greatestInteger}.`,
  }),
)

const asCidr = (value: unknown): string => {
  if (typeof value === 'string' && isNetworkText(value)) return value
  throw new GraphQLError('A network in CIDR notation is needed, such as 192.168.1.0/24', {
    extensions: { code: 'BAD_USER_INPUT' },
  })
}

builder.scalarType('CIDR', {
  description: 'A network in CIDR notation (RFC 4632), IPv4 or IPv6, such as `192.168.1.0/24`.',
  serialize: (value) => value,
  parseValue: asCidr,
  parseLiteral: (node) => asCidr(node.kind === Kind.STRING ? node.value : null),
})

function asFile(value: unknown): SpooledFile {
  if (value instanceof SpooledFile) return value
  throw new GraphQLError('A file is needed, as a part of a multipart request', {
    extensions: { code: 'BAD_USER_INPUT' },
  })
}

builder.scalarType('File', {
  description: 'A file, sent as a part of a multipart request (the GraphQL multipart request specification).',
  serialize: () => {
    throw new Error('files are only uploaded')
  },
  parseValue: asFile,
  parseLiteral: () => asFile(null),
})
