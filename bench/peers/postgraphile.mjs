// PostGraphile 5 (on its own server, grafserv) with row-level security as its documentation sets it up: a role for the
// API, policies that read the caller's tenant from settings, and SQL functions for what the tables alone do not
// express.
import { createServer } from 'node:http'
import pg from 'pg'
import { grafserv } from 'postgraphile/grafserv/node'
import { postgraphile } from 'postgraphile'
import { makePgService } from 'postgraphile/adaptors/pg'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import { makeV4Preset } from 'postgraphile/presets/v4'
import { authenticator } from './authenticate.mjs'
import { openData } from './data.mjs'

const [port, url, keys] = process.argv.slice(2)

// The only part of Node 22 that PostGraphile 5 needs; without it, on Node 20, every query fails because it gets no rows.
Promise.withResolvers ??= () => {
  let resolve, reject
  const promise = new Promise((...ends) => ([resolve, reject] = ends))
  return { promise, resolve, reject }
}

const setUp = `
  DO $$ BEGIN CREATE ROLE orrery_peer; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
  GRANT USAGE ON SCHEMA public TO orrery_peer;
  GRANT SELECT ON tenants, clusters, nodes, config_bundles TO orrery_peer;
  ${['tenants:id', 'clusters:tenant_id', 'nodes:tenant_id', 'config_bundles:tenant_id']
    .map((pair) => pair.split(':'))
    .map(
      ([table, column]) => `
        ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
        DROP POLICY IF EXISTS peer ON ${table};
        CREATE POLICY peer ON ${table} FOR SELECT TO orrery_peer USING (
          ${column} = (SELECT current_setting('peer.tenant_id', true)) OR (SELECT current_setting('peer.operator', true)) = 'yes');`,
    )
    .join('\n')}
  CREATE OR REPLACE FUNCTION viewer() RETURNS nodes LANGUAGE sql STABLE AS
    $$ SELECT * FROM nodes WHERE id = current_setting('peer.node_id', true) $$;
  CREATE OR REPLACE FUNCTION clusters_latest_bundle_version(c clusters) RETURNS integer LANGUAGE sql STABLE AS
    $$ SELECT max(version) FROM config_bundles WHERE tenant_id = c.tenant_id AND cluster_id = c.id $$;
`
const client = new pg.Client({ connectionString: url })
await client.connect()
await client.query(setUp)
await client.end()

const authenticate = authenticator(await openData(url), JSON.parse(keys))
const instance = postgraphile({
  extends: [PostGraphileAmberPreset, makeV4Preset({ disableDefaultMutations: true, dynamicJson: true })],
  // Its interface has the name that the table's type needs.
  disablePlugins: ['NodePlugin'],
  pgServices: [makePgService({ connectionString: url, schemas: ['public'] })],
  grafserv: { watch: false, graphiql: false },
  grafast: {
    async context(requestContext) {
      const caller = await authenticate(requestContext.node?.req.headers.authorization)
      return {
        pgSettings: {
          role: 'orrery_peer',
          'peer.tenant_id': caller?.tenantId ?? '',
          'peer.node_id': caller?.node?.id ?? '',
          'peer.operator': caller && caller.tenantId === null ? 'yes' : 'no',
        },
      }
    },
  },
})
const serv = instance.createServ(grafserv)
const server = createServer({ keepAliveTimeout: 75_000 })
await serv.addTo(server)
server.listen(Number(port), '127.0.0.1')
