import type { ReactNode } from 'react'
import { Link } from 'wouter'

import { useHeldOrder } from '../kit/held-order.ts'
import table from '../kit/table.module.css'
import { useMessages } from '../messages/messages.ts'
import { firstPage, useListAddress, type SortField } from './list-address.ts'
import { NodeTableRow } from './NodeTableRow.tsx'
import type { NodeRow } from './nodes-document.ts'
import styles from './Nodes.module.css'

interface Props {
  readonly nodes: readonly NodeRow[]
  readonly newest: number | null
}

/** A page of nodes. */
export function NodesTable({ nodes, newest }: Props) {
  const messages = useMessages().nodes.columns
  const { address } = useListAddress()
  return (
    // Another order or page is another table: it holds no place of the one before.
    <Rows key={`${address.sort} ${address.isDescending} ${address.after} ${address.before}`} {...{ nodes, newest }}>
      <th scope="col">{messages.status}</th>
      <Sortable field="NAME">{messages.name}</Sortable>
      <Sortable field="ADDRESS">{messages.address}</Sortable>
      <Sortable field="VERSION">{messages.version}</Sortable>
      <Sortable field="LAST_SEEN">{messages.lastContact}</Sortable>
      <Sortable field="CERTIFICATE_EXPIRES">{messages.certificate}</Sortable>
      <th scope="col">{messages.groups}</th>
    </Rows>
  )
}

function Rows({ nodes, newest, children }: Props & { readonly children: ReactNode }) {
  const { rows, pointer } = useHeldOrder(nodes, ({ id }) => id)
  return (
    <table className={table.table} {...pointer}>
      <thead>
        <tr>{children}</tr>
      </thead>
      <tbody>
        {rows.map((node) => (
          <NodeTableRow key={node.id} node={node} newest={newest} />
        ))}
      </tbody>
    </table>
  )
}

/** The heading of a column that the list can be sorted by; a second click turns the order round. */
function Sortable({ field, children }: { readonly field: SortField; readonly children: string }) {
  const { address, hrefOf } = useListAddress()
  const isSorted = address.sort === field
  const isDescending = isSorted && !address.isDescending
  const direction = address.isDescending ? 'descending' : 'ascending'
  return (
    <th scope="col" aria-sort={isSorted ? direction : 'none'}>
      <Link className={styles.sort} href={hrefOf({ sort: field, isDescending, ...firstPage })}>
        {children}
      </Link>
    </th>
  )
}
