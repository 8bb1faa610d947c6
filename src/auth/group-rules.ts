import * as z from 'zod'

import { jsonOf } from '../base/json.ts'
import { clusterIdsRule, tenantRoles, type PersonRights } from './session.ts'

/** What the members of a group of the identity provider may. */
export interface GroupRule {
  /** As the provider writes it in the claim: a name, a path or an id. */
  readonly group: string
  readonly rights: PersonRights
}

/** Rules at most, and characters of their JSON text. */
const most = { rules: 200, characters: 65_536 }

const group = z.string('must be a text').min(1, 'must not be empty').max(500, 'must have at most 500 characters')

/** A field that is misspelt could be the one that limits the members: it is refused. */
const noOther = (why: string) => ({
  error: (issue: { readonly code?: string; readonly keys?: unknown }) =>
    issue.code === 'unrecognized_keys' ? `has ${String(issue.keys)}, but ${why}` : undefined,
})

const operatorRule = z
  .strictObject({ group, role: z.literal('operator') }, noOther('a rule for operators has only group and role'))
  .transform(({ group, role }): GroupRule => ({ group, rights: { role } }))

const tenantRule = z
  .strictObject(
    {
      group,
      role: z.enum(tenantRoles),
      tenant: z.uuid('must be the id of a tenant').toLowerCase(),
      clusters: clusterIdsRule.optional(),
    },
    noOther('a rule has only group, role, tenant and clusters'),
  )
  .transform(({ group, role, tenant, clusters }): GroupRule => ({
    group,
    rights: { role, tenantId: tenant, clusterIds: clusters ?? null },
  }))

const roles = ['operator', ...tenantRoles].join(', ')

const rule = z.discriminatedUnion('role', [operatorRule, tenantRule], {
  // Also what is no object at all, unlike zod's type of it says.
  error: ({ code }: { readonly code: string }) =>
    code === 'invalid_union' ? `must be one of ${roles}` : 'must be an object',
})

const list = z
  .array(rule, 'must be a list')
  .min(1, 'must have at least one rule')
  .max(most.rules, `must have at most ${most.rules} rules`)
  .superRefine((rules, context) => {
    for (const [at, { group }] of rules.entries()) {
      const first = rules.findIndex((other) => other.group === group)
      if (first === at) continue
      const message = `is the group of [${first}], which decides before this rule`
      context.addIssue({ code: 'custom', path: [at, 'group'], message })
    }
  })

/** The rules as they are configured, in JSON. A problem names the place in the list: `[0].role` is the first rule's. */
export const groupRules = z
  .string()
  .max(most.characters, `must have at most ${most.characters} characters`)
  .transform((text, context): readonly GroupRule[] => {
    const read = jsonOf(list).safeParse(text)
    if (read.success) return read.data
    for (const { path, message } of read.error.issues) {
      context.addIssue({ code: 'custom', message: `${placeOf(path)}${message}` })
    }
    return z.NEVER
  })

function placeOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return ''
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
  return `${steps.join('')}: `
}

/**
 * What a person in some groups may. The first rule in the list whose group is among them decides alone: no rule adds to
 * another, and a tenant or a cluster of it that does not exist leads to no further rule.
 * @param groups the claim: a list of texts, or one text for one group; anything else is no group
 * @returns null when no rule has one of the groups: the person is not let in
 */
export function rightsByGroups(rules: readonly GroupRule[], groups: unknown): PersonRights | null {
  const among = new Set<unknown>(Array.isArray(groups) ? groups : [groups])
  return rules.find(({ group }) => among.has(group))?.rights ?? null
}
