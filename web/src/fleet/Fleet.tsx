import { Code, Text, Title } from '@mantine/core'
import { useState } from 'react'

import { Empty } from '../kit/Empty.tsx'
import { Failed } from '../kit/ErrorBoundary.tsx'
import { useMessages } from '../messages/messages.ts'
import type { Fleet as FleetData } from './figures.ts'
import styles from './Fleet.module.css'
import { FleetRow } from './FleetRow.tsx'
import { worstFirst } from './problems.ts'
import { useFleet } from './use-fleet.ts'

const firstCommand = 'mutation { createTenant(input: { name: "Acme" }) { __typename } }'

/** Every cluster that the visitor sees, those with problems first. */
export function Fleet() {
  const messages = useMessages().fleet
  const { data: fleet, error, refetch } = useFleet()
  if (!fleet) return error ? <Failed error={error} again={() => void refetch()} /> : <div aria-busy="true" />
  const nodes = fleet.clusters.reduce((sum, { nodes: { all } }) => sum + all, 0)
  return (
    <>
      <div className={styles.heading}>
        <Title order={1} className={styles.title}>
          {messages.title}
        </Title>
        <Text size="sm" c="dimmed">
          {messages.clusters(fleet.clusters.length)} · {messages.nodes(nodes)}
        </Text>
      </div>
      {fleet.clusters.length === 0 ? (
        <Empty title={messages.empty} text={messages.emptyHint}>
          <Code block>{firstCommand}</Code>
        </Empty>
      ) : (
        <FleetTable fleet={fleet} />
      )}
      {fleet.isTruncated ? <Text size="sm">{messages.truncated}</Text> : null}
    </>
  )
}

/** The rows keep their order while the pointer is over them, so that none goes away under it. */
function FleetTable({ fleet }: { readonly fleet: FleetData }) {
  const messages = useMessages().fleet
  const [held, setHeld] = useState<readonly string[] | null>(null)
  const sorted = worstFirst(fleet.clusters, messages.problem)
  const placeOf = (id: string) => (held ?? []).indexOf(id)
  const rows = held === null ? sorted : sorted.toSorted((a, b) => placeOf(a.clusterId) - placeOf(b.clusterId))
  const tenants = new Map(fleet.tenants.map(({ tenant }) => [tenant.id, tenant.name]))
  return (
    <table
      className={styles.table}
      onPointerEnter={() => setHeld(sorted.map(({ clusterId }) => clusterId))}
      onPointerLeave={() => setHeld(null)}
    >
      <thead>
        <tr>
          <th scope="col">{messages.cluster}</th>
          <th scope="col">{messages.health}</th>
          <th scope="col">{messages.converged}</th>
          <th scope="col">{messages.attention}</th>
          <th scope="col">{messages.certificates}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((figures) => (
          <FleetRow key={figures.clusterId} figures={figures} tenant={tenants.get(figures.tenantId) ?? null} />
        ))}
      </tbody>
    </table>
  )
}
