// Who may import whom: the table of docs/architecture.md, as rules. test/architecture.test.ts runs them in `npm test`
// and shows for each of them an import that it refuses. Names of rules read like the promise they keep.

/** Which folders of src a folder may import from, besides itself. */
const mayImport = {
  base: [],
  db: ['base'],
  pki: ['base'],
  auth: ['base', 'db'],
  ha: ['base', 'db'],
  nebula: ['base', 'pki'],
  domain: ['base', 'db', 'pki', 'auth', 'nebula'],
  graphql: ['base', 'auth', 'domain', 'db/generated'],
  http: ['base', 'auth', 'ha', 'domain', 'graphql'],
  agent: ['base', 'pki', 'nebula'],
}

const generatedClients = '^src/db/generated/(sqlite|postgresql)/'
const generatedEnums = '^src/db/generated/(sqlite|postgresql)/enums[.]ts$'
const entries = '^src/(main[.]ts$|cli/)'
/** The peers that the benchmark compares with have packages of their own. */
const peers = '^bench/peers/'

/** `main` and `cli` may import everything and so have no row. `http` may know the configuration's types, see below. */
const layers = Object.entries(mayImport).map(([layer, others]) => ({
  name: `${layer}-imports-only-${['itself', ...others].join('-').replace('/', '-')}`,
  comment: `src/${layer} may import from ${others.length === 0 ? 'nothing else' : `only ${others.join(', ')}`} in src.`,
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: {
    path: '^src/',
    pathNot: [`^src/(${[layer, ...others].join('|')})/`, ...(layer === 'http' ? ['^src/config[.]ts$'] : [])],
  },
}))

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...layers,
    {
      name: 'config-imports-only-base-auth',
      comment: 'src/config.ts stands before what it configures; how long a secret must be is a rule of auth.',
      severity: 'error',
      from: { path: '^src/config[.]ts$' },
      to: { path: '^src/', pathNot: '^src/(base|auth)/' },
    },
    {
      name: 'config-is-handed-down',
      comment: 'main and cli read the configuration and hand its values down; http may know its types.',
      severity: 'error',
      from: { path: '^src/', pathNot: [entries, '^src/http/', '^src/config[.]ts$'] },
      to: { path: '^src/config[.]ts$' },
    },
    {
      name: 'config-is-only-a-type-in-http',
      comment: 'http is given its configuration by main; it may import the types, not the values.',
      severity: 'error',
      from: { path: '^src/http/' },
      to: { path: '^src/config[.]ts$', dependencyTypesNot: ['type-only', 'type-import'] },
    },
    {
      name: 'pipeline-knows-no-route',
      comment: 'What every request goes through in src/http depends on nothing that only some of them ask for.',
      severity: 'error',
      from: { path: '^src/http/pipeline/' },
      to: { path: '^src/http/', pathNot: '^src/http/pipeline/' },
    },
    {
      name: 'raw-client-stays-below',
      comment:
        'The database client without a tenant is for db, auth, ha, main and cli. Everybody else is handed a scoped one.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(db|auth|ha)/', entries] },
      to: { path: '^src/db/client/(client|connection)[.]ts$' },
    },
    {
      name: 'sql-stays-in-db',
      comment: 'Pieces of SQL are made in src/db; others describe a list to it, and never write a condition.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/db/' },
      to: { path: '^src/db/reads/sql[.]ts$' },
    },
    {
      name: 'generated-client-is-only-a-type-above',
      comment: 'Outside db, auth, ha, main and cli the generated clients give types and enums, never a client.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(db|auth|ha)/', entries] },
      to: { path: generatedClients, pathNot: generatedEnums, dependencyTypesNot: ['type-only', 'type-import'] },
    },
    {
      name: 'system-session-is-made-at-the-entry',
      comment: "src/auth/system.ts makes the server's own operator session: a way round every access rule.",
      severity: 'error',
      from: { path: '^src/', pathNot: entries },
      to: { path: '^src/auth/system[.]ts$' },
    },
    {
      name: 'no-circular',
      comment: 'Imports go one way, types included.',
      severity: 'error',
      from: { path: '^(src|bench|scripts|web)/' },
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A file that imports nothing and that nothing imports is forgotten.',
      severity: 'error',
      from: { path: '^src/', pathNot: entries, orphan: true },
      to: {},
    },
    {
      name: 'no-dev-dependencies-in-src',
      comment: 'What src imports must be there after an installation without dev dependencies.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
    {
      name: 'only-declared-packages',
      comment: 'A package that another one happens to bring along may be gone tomorrow: name it in package.json.',
      severity: 'error',
      from: { path: '^(src|bench|scripts)/', pathNot: peers },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'only-what-resolves',
      comment: 'An import of nothing.',
      severity: 'error',
      from: { path: '^(src|bench|scripts)/', pathNot: peers },
      to: { couldNotResolve: true },
    },
    {
      name: 'src-imports-only-src',
      comment: 'Neither tests nor scripts are in the built program.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['local'], pathNot: '^src/' },
    },
    {
      name: 'bench-imports-only-itself-src-test',
      comment: 'A measurement starts the program, or a part of it, as the tests do and with their help.',
      severity: 'error',
      from: { path: '^bench/' },
      to: { dependencyTypes: ['local'], pathNot: '^(bench|src|test)/' },
    },
    {
      name: 'peers-import-only-peers',
      comment: 'What Orrery is compared with must not run on a part of it.',
      severity: 'error',
      from: { path: peers },
      to: { dependencyTypes: ['local'], pathNot: peers },
    },
    {
      name: 'web-imports-only-web',
      comment: 'The admin page is an ordinary client: it knows the printed schema and nothing else of the program.',
      severity: 'error',
      from: { path: '^web/' },
      to: { dependencyTypes: ['local'], pathNot: '^web/' },
    },
    {
      name: 'nobody-imports-web',
      comment: 'What runs in a browser does not run in the server.',
      severity: 'error',
      from: { pathNot: '^web/' },
      to: { path: '^web/src/' },
    },
    {
      name: 'scripts-import-only-scripts',
      comment: 'Scripts generate and build what the others need, so they run before any of it is there.',
      severity: 'error',
      from: { path: '^scripts/' },
      to: { dependencyTypes: ['local'], pathNot: '^scripts/' },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^src/db/generated/'] },
    // Imports of types count: a layer that knows another's types depends on it.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.d.ts'],
    },
  },
}
