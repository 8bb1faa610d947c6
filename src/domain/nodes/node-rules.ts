import * as z from 'zod'

import { publicIpRule } from '../shared/addresses.ts'
import { nodeNotes } from './node-notes.ts'
import { isDefaultRoute, routeRule } from './routes.ts'
import { addProblem } from '../shared/issues.ts'
import { certifiedNameRule, groupRule, mtuRule, portRule } from '../shared/rules.ts'

const mostRoutes = 256
export const mostGroups = 64

/** A list without duplicates; one that is too long is refused before its items are validated. */
const listRule = (item: z.ZodType<string, string>, most: number, what: string) =>
  z
    .array(z.string())
    .max(most, `must have at most ${most} ${what}`)
    .pipe(
      z.array(item).superRefine((values, context) => {
        values.forEach((value, index) => {
          if (values.indexOf(value) < index)
            addProblem(context, { code: 'DUPLICATE', message: `is there twice: ${value}` }, [index])
        })
      }),
    )

const routesRule = listRule(routeRule, mostRoutes, 'routes')

export const groupsRule = listRule(groupRule, mostGroups, 'groups')

const routing = { routes: routesRule, allowDefaultRoute: z.boolean().default(false) }

const noUnaskedDefault = (
  { routes, allowDefaultRoute }: { routes: readonly string[]; allowDefaultRoute: boolean },
  context: z.RefinementCtx,
): void => {
  if (allowDefaultRoute) return
  const message = 'takes all traffic: set allowDefaultRoute when that is wanted'
  routes.forEach((route, index) => {
    if (isDefaultRoute(route)) addProblem(context, { code: 'NOT_ALLOWED', message }, ['routes', index])
  })
}

const lighthouse = {
  isLighthouse: z.boolean().default(false),
  lighthousePublicIp: publicIpRule.nullable().default(null),
  lighthousePort: portRule.nullable().default(null),
}

const reachable = (
  { isLighthouse, lighthousePublicIp }: { isLighthouse: boolean; lighthousePublicIp: string | null },
  context: z.RefinementCtx,
): void => {
  if (isLighthouse && lighthousePublicIp === null) {
    const message = 'is needed: the others find a lighthouse by its public address'
    addProblem(context, { code: 'REQUIRED', message }, ['lighthousePublicIp'])
  }
}

export const newNodeRules = z
  .object({
    name: certifiedNameRule,
    isAdmin: z.boolean().default(false),
    mtu: mtuRule.default(1300),
    groups: groupsRule.default([]),
    overlayIp: z.string().optional(),
    isRelay: z.boolean().default(false),
    ...routing,
    routes: routesRule.default([]),
    ...lighthouse,
    ...nodeNotes.shape,
  })
  .superRefine(noUnaskedDefault)
  .superRefine(reachable)

export const nameRules = z.object({ name: certifiedNameRule })
export const mtuRules = z.object({ mtu: mtuRule })
export const routesRules = z.object(routing).superRefine(noUnaskedDefault)
export const groupsRules = z.object({ groups: groupsRule })
export const lighthouseRules = z.object(lighthouse).superRefine(reachable)
