import * as z from 'zod'

import type { Scope } from '../../../auth/scope.ts'
import { ValidationError } from '../../../base/errors.ts'
import type { IssueCode } from '../../../base/issues.ts'
import type { Node } from '../../../db/client/types.ts'
import type { NodeValues } from '../../../db/writes/node-rows.ts'
import { signerOf } from '../../pki/cluster-ca.ts'
import type { Vault } from '../../pki/vault.ts'
import { addProblem } from '../../shared/issues.ts'
import { check, defined, descriptionRule, mtuRule } from '../../shared/rules.ts'
import { groupsOf, renewal } from '../../signing/node-signing.ts'
import { labelsOf, labelsRule, mostLabels, type Label } from '../labels.ts'
import { groupsRule, mostGroups } from '../node-rules.ts'
import { changeNodes, emitChanged, type NodesOutcome, type NodesWork, type NodeWork } from './change-nodes.ts'

/** What many nodes are given; an absent field stays as it is. */
export interface NodesUpdate {
  readonly set?: {
    readonly groups?: readonly string[] | undefined
    readonly labels?: readonly Label[] | undefined
    readonly mtu?: number | undefined
    readonly isRelay?: boolean | undefined
    /** An empty text for no description. */
    readonly description?: string | undefined
  }
  readonly addGroups?: readonly string[] | undefined
  readonly removeGroups?: readonly string[] | undefined
  readonly setLabels?: readonly Label[] | undefined
  /** Keys. */
  readonly removeLabels?: readonly string[] | undefined
}

const rules = z
  .object({
    set: z
      .object({
        groups: groupsRule,
        labels: labelsRule,
        mtu: mtuRule,
        isRelay: z.boolean(),
        description: descriptionRule,
      })
      .partial()
      .default({}),
    addGroups: groupsRule.default([]),
    removeGroups: groupsRule.default([]),
    setLabels: labelsRule.default({}),
    removeLabels: z.array(z.string().max(63, 'must have at most 63 characters')).max(mostLabels).default([]),
  })
  .superRefine(({ set, addGroups, removeGroups, setLabels, removeLabels }, context) => {
    const refuse = (path: string[], message: string, code: IssueCode = 'EXCLUSIVE') => {
      addProblem(context, { code, message }, path)
    }
    const keys = Object.keys(setLabels)
    if (set.groups && addGroups.length + removeGroups.length > 0)
      refuse(['set', 'groups'], 'replaces all groups: leave out addGroups and removeGroups')
    if (set.labels && keys.length + removeLabels.length > 0)
      refuse(['set', 'labels'], 'replaces all labels: leave out setLabels and removeLabels')
    addGroups.forEach((group, index) => {
      if (removeGroups.includes(group)) refuse(['addGroups', String(index)], 'is in removeGroups, too')
    })
    if (keys.some((key) => removeLabels.includes(key))) refuse(['removeLabels'], 'has a key of setLabels')
    if (Object.keys(set).length + addGroups.length + removeGroups.length + keys.length + removeLabels.length === 0)
      refuse([], 'changes nothing: give set, addGroups, removeGroups, setLabels or removeLabels', 'REQUIRED')
  })

type Update = z.output<typeof rules>

/**
 * Checks what many nodes are to be given, and returns the change for the nodes of one cluster.
 * @throws ValidationError
 */
export function nodesUpdate(vault: Vault, input: NodesUpdate): NodesWork {
  const update = check(rules, input)
  return {
    what: wordsOf(update),
    decide: (cluster) => {
      let ca: ReturnType<typeof signerOf> | null = null
      const signer = () => (ca ??= signerOf(vault, cluster))
      return (node) => {
        const now = new Date()
        const { groups, labels } = { groups: newGroups(node, update), labels: newLabels(node, update) }
        const { mtu, isRelay, description } = update.set
        const values: NodeValues = defined({
          mtu: mtu === node.mtu ? undefined : mtu,
          description: description === node.description ? undefined : description,
          labels: labels ?? undefined,
          ...(isRelay === undefined || isRelay === node.isRelay ? {} : { isRelay, lighthouseRelayUpdatedAt: now }),
        })
        const signed = groups === null ? null : renewal(signer, cluster, node, { groups })
        const work: NodeWork = {
          values: { ...values, ...(groups && { groups: [...groups] }), ...signed?.columns },
          revoked: signed?.revoked ?? [],
        }
        return Object.keys(work.values).length === 0 ? null : work
      }
    },
  }
}

/** Changes nodes of one cluster. @throws as changeNodes */
export async function updateNodes(
  scope: Scope,
  clusterId: string,
  ids: readonly string[],
  work: NodesWork,
): Promise<NodesOutcome> {
  const outcome = await changeNodes(scope, clusterId, ids, work)
  emitChanged(scope, outcome)
  return outcome
}

/** Null when they stay the same. @throws ValidationError when they become too many */
function newGroups(node: Node, { set, addGroups, removeGroups }: Update): readonly string[] | null {
  const before = groupsOf(node)
  const kept = set.groups ?? before.filter((group) => !removeGroups.includes(group))
  const groups = [...kept, ...addGroups.filter((group) => !kept.includes(group))]
  if (groups.length > mostGroups)
    throw ValidationError.at(
      ['input', 'addGroups'],
      'TOO_MANY',
      `"${node.name}" would have more than ${mostGroups} groups`,
    )
  return isSame(groups, before) ? null : groups
}

/** As the column holds them; null when they stay the same. @throws ValidationError when they become too many */
function newLabels(node: Node, { set, setLabels, removeLabels }: Update): Record<string, string> | null {
  const before = labelsOf(node)
  const kept = before.filter(({ key }) => !removeLabels.includes(key)).map(({ key, value }) => [key, value] as const)
  const labels: Record<string, string> = set.labels ?? { ...Object.fromEntries(kept), ...setLabels }
  if (Object.keys(labels).length > mostLabels)
    throw ValidationError.at(
      ['input', 'setLabels'],
      'TOO_MANY',
      `"${node.name}" would have more than ${mostLabels} labels`,
    )
  const isUnchanged =
    Object.keys(labels).length === before.length && before.every(({ key, value }) => labels[key] === value)
  return isUnchanged
    ? null
    : Object.fromEntries(Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1)))
}

const isSame = (some: readonly string[], others: readonly string[]): boolean =>
  some.length === others.length && some.every((one, index) => one === others[index])

/** What happens, for the audit trail. */
function wordsOf({ set, addGroups, removeGroups, setLabels, removeLabels }: Update): string {
  const { groups, labels, mtu, isRelay, description } = set
  return [
    ...(groups ? [`groups ${groups.join(', ') || 'none'}`] : []),
    ...(addGroups.length + removeGroups.length > 0
      ? [`groups ${[...addGroups.map((one) => `+${one}`), ...removeGroups.map((one) => `-${one}`)].join(' ')}`]
      : []),
    ...(mtu === undefined ? [] : [`MTU ${mtu}`]),
    ...(isRelay === undefined ? [] : [isRelay ? 'is a relay' : 'is no relay']),
    ...(labels || Object.keys(setLabels).length + removeLabels.length > 0 ? ['labels'] : []),
    ...(description === undefined ? [] : ['description']),
  ].join('; ')
}
