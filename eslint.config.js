// Lint rules: TypeScript at its strictest, the printed GraphQL schema, and the few habits of this house that a linter
// can hold up. Which folder may import which is not here but in .dependency-cruiser.cjs.
import graphql from '@graphql-eslint/eslint-plugin'
import { defineConfig, globalIgnores } from 'eslint/config'
import typescript from 'typescript-eslint'

/**
 * No reading of the environment, by whichever door, no test that keeps the others from running, and no thread that the
 * build does not know.
 * @satisfies {import('eslint').Linter.RulesRecord}
 */
const restricted = {
  'no-restricted-properties': [
    'error',
    { object: 'process', property: 'env', message: 'Only src/config.ts reads the environment; be handed the value.' },
    ...['test', 'it', 'describe'].map((object) => ({
      object,
      property: 'only',
      message: 'The other tests would be left out of the gate.',
    })),
  ],
  'no-restricted-syntax': /** @type {['error', ...object[]]} */ ([
    'error',
    {
      selector: "MemberExpression[property.name='env'][object.property.name='process']",
      message: 'Only src/config.ts reads the environment; be handed the value.',
    },
    {
      selector: "ImportDeclaration[source.value=/^(node:)?process$/] ImportSpecifier[imported.name='env']",
      message: 'Only src/config.ts reads the environment; be handed the value.',
    },
    {
      selector: "NewExpression[callee.name='Worker']",
      message: 'Threads are started by startThread of src/base/program.ts, which knows where the build puts them.',
    },
    {
      selector: 'MemberExpression[property.name=/^(relayMutationField|mutationFields?)$/]',
      message: 'Mutations are made by src/graphql/changes/mutation.ts, which demands that they say who may call them.',
    },
  ]),
}

/** Where each kind of caller may be asked for by name; everybody else asks src/graphql/kit/access.ts. */
const callers =
  'Who may what is decided in src/graphql/kit/access.ts: ask a function of it, which answers for every kind.'
const kinds = '/^(operator|tenantAdmin|node|enrollingMachine|anonymous)$/'
const isKind = (/** @type {string} */ side) => `:matches([${side}.property.name='kind'], [${side}.name='kind'])`
const callersAreAskedInOnePlace = [
  ...[
    ['left', 'right'],
    ['right', 'left'],
  ].map(([kind = '', literal = '']) => ({
    selector: `BinaryExpression[operator=/^[!=]==?$/]${isKind(kind)}[${literal}.value=${kinds}]`,
    message: callers,
  })),
  {
    selector: 'MemberExpression[object.name=/^(session|caller)$/][property.name=/^(isAdmin|role)$/]',
    message: callers,
  },
]

/** A switch over kinds of callers with a default lets a new kind through unasked. */
const callersAreNamed = {
  selector: `SwitchStatement:has(SwitchCase > Literal[value=/^(tenantAdmin|enrollingMachine|anonymous)$/]) > SwitchCase[test=null]`,
  message: 'Name each kind of caller, so that a new one does not compile until somebody has decided.',
}

export default defineConfig(
  globalIgnores(['dist/', 'web/dist/', 'data/', 'coverage/', 'src/db/generated/', 'web/src/api/generated/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.{ts,tsx,js,mjs,cjs}'],
    extends: [typescript.configs.strictTypeChecked, typescript.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...restricted,
      eqeqeq: 'error',
      'no-console': 'error',
      'no-implicit-coercion': 'error',
      'no-useless-rename': 'error',
      'object-shorthand': 'error',
      'max-lines': ['error', { max: 300 }],
      // Constants have one style: in capitals are only the environment's variables; columns and claims keep their names.
      '@typescript-eslint/naming-convention': [
        'error',
        { selector: 'variable', format: ['camelCase', 'PascalCase', 'snake_case'], leadingUnderscore: 'allow' },
        // What is taken from an object has the object's name for it.
        { selector: 'variable', modifiers: ['destructured'], format: null },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      // `import { type A } from` would leave an import for its side effects behind.
      '@typescript-eslint/no-import-type-side-effects': 'error',
      // An alias has an implicit index signature, which some generics want, and an interface has none: each has its use.
      '@typescript-eslint/consistent-type-definitions': 'off',
      // Where an interface wants a promise, `async` alone turns what is thrown into a rejection.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // `[...text]` is the text's code points, and meant so.
      '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: { 'no-restricted-syntax': [...restricted['no-restricted-syntax'], callersAreNamed] },
  },
  {
    files: ['src/**/*.ts'],
    // What the database holds was written by this program.
    ignores: ['src/base/json.ts', 'src/db/client/client.ts', 'src/db/reads/row-values.ts'],
    rules: {
      'no-restricted-properties': [
        ...restricted['no-restricted-properties'],
        { object: 'JSON', property: 'parse', message: 'Read JSON texts by jsonOf or readJson of src/base/json.ts.' },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/base/pieces.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          name: 'node:timers/promises',
          importNames: ['setImmediate'],
          message: 'Long work takes breaks by src/base/pieces.ts.',
        },
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    // access.ts decides; listener.ts asks whether a caller is still the same.
    ignores: ['src/graphql/kit/access.ts', 'src/graphql/kit/listener.ts'],
    rules: {
      'no-restricted-syntax': [...restricted['no-restricted-syntax'], callersAreNamed, ...callersAreAskedInOnePlace],
    },
  },
  {
    files: ['src/config.ts', 'test/support/**/*.ts', 'scripts/**/*.mjs'],
    rules: { 'no-restricted-properties': 'off', 'no-restricted-syntax': 'off' },
  },
  {
    files: ['src/main.ts', 'src/cli/**/*.ts', 'scripts/**/*.mjs'],
    rules: { 'no-console': 'off' },
  },
  {
    // A measurement is a program that prints; it starts others with what they need of the environment.
    files: ['bench/**/*.{ts,mjs}'],
    rules: { 'no-console': 'off', 'no-restricted-properties': 'off', 'no-restricted-syntax': 'off' },
  },
  {
    // The peers have packages of their own, which are installed for a run only: their types are not there.
    files: ['bench/peers/**'],
    extends: [typescript.configs.disableTypeChecked],
    languageOptions: { parserOptions: { projectService: false } },
  },
  {
    files: ['**/*.cjs'],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    // The checked-in print of the schema: what a newcomer reads in GraphiQL.
    files: ['schema.graphql'],
    // Its types are of ESLint 9; what runs is what 10 wants.
    plugins: { '@graphql-eslint': /** @type {import('eslint').ESLint.Plugin} */ (/** @type {unknown} */ (graphql)) },
    extends: [graphql.configs['flat/schema-recommended'], graphql.configs['flat/schema-relay']],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: './schema.graphql', documents: [] } },
    },
    rules: {
      '@graphql-eslint/require-description': [
        'error',
        {
          types: true,
          rootField: true,
          DirectiveDefinition: true,
          EnumValueDefinition: true,
          FieldDefinition: true,
          InputValueDefinition: true,
        },
      ],
      // Ids are plain UUIDs, and nothing is fetched by an id of unknown type (docs/architecture.md).
      '@graphql-eslint/strict-id-in-types': 'off',
      // There is no `interface Node`, and short lists (the errors, the replicas) are lists.
      '@graphql-eslint/relay-edge-types': [
        'error',
        { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
      ],
      // Both directions are there everywhere.
      '@graphql-eslint/relay-arguments': ['error', { includeBoth: true }],
    },
  },
)
