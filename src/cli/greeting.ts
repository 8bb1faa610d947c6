import type { DemoCredential } from './demo/fill.ts'

/**
 * What the terminal shows when the server is ready.
 * @param link signs in as an operator; null: print how to make a link instead
 * @param orrery the name of the command line on this machine
 */
export function firstSteps(url: string, link: string | null, orrery: string): string {
  const signIn =
    link === null
      ? [`Orrery is ready: ${url}`, '', `A link that signs an operator in is printed by: ${orrery} sign-in`]
      : [
          `Orrery is ready. The admin page, signed in as an operator (once, within ten minutes; then: ${orrery} sign-in):`,
          '',
          `  ${link}`,
          '',
        ]
  return [
    '',
    ...signIn,
    `A token for other clients is printed by: ${orrery} token create --role operator`,
    '',
    'Three mutations to try first (the id of each answer goes into the next):',
    '',
    '  mutation { createTenant(input: { name: "Acme" }) {',
    '    ... on CreateTenantPayload { tenant { id } } ... on Error { message } } }',
    '',
    '  mutation { createCluster(input: { tenantId: "…", name: "production" }) {',
    '    ... on CreateClusterPayload { cluster { id networkCidr } token } ... on Error { message } } }',
    '',
    '  mutation { createNode(input: { clusterId: "…", name: "gateway", routes: ["192.168.1.0/24"] }) {',
    '    ... on CreateNodePayload { node { id overlayIp } token } ... on Error { message } } }',
    '',
  ].join('\n')
}

/** The demo's credentials, each with its owner. */
export function demoText(credentials: readonly DemoCredential[]): string {
  return [
    'The demo’s credentials (put one after `Bearer` in the Authorization header):',
    '',
    ...credentials.flatMap(({ who, token }) => [`  ${who}`, `    ${token}`, '']),
  ].join('\n')
}
