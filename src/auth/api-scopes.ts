/** What access tokens can be limited to. */
const resources = ['tenants', 'clusters', 'nodes', 'bundles', 'credentials', 'audit', 'replicas'] as const
export type Resource = (typeof resources)[number]

/** What a token may do with a resource: `write` includes `read`. */
export type ApiScope = `${Resource}:${'read' | 'write'}`

export const apiScopes: readonly ApiScope[] = resources.flatMap((resource): ApiScope[] => [
  `${resource}:read`,
  `${resource}:write`,
])

/** Whether scopes include another one; null are all scopes. */
export function includesScope(scopes: readonly ApiScope[] | null, wanted: ApiScope): boolean {
  return scopes === null || scopes.some((scope) => scope === wanted || scope === writing(wanted))
}

const writing = (scope: ApiScope): string => scope.replace(/:read$/, ':write')
