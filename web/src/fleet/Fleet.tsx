import { Code, Text, Title } from '@mantine/core'

import { Empty } from '../kit/Empty.tsx'
import { Failed } from '../kit/ErrorBoundary.tsx'
import { useHeldOrder } from '../kit/held-order.ts'
import table from '../kit/table.module.css'
import { useTitle } from '../kit/use-title.ts'
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
  useTitle(null)
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

function FleetTable({ fleet }: { readonly fleet: FleetData }) {
  const messages = useMessages().fleet
  const { rows, pointer } = useHeldOrder(worstFirst(fleet.clusters, messages.problem), ({ clusterId }) => clusterId)
  const tenants = new Map(fleet.tenants.map(({ tenant }) => [tenant.id, tenant.name]))
  return (
    <table className={table.table} {...pointer}>
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
