import { Link } from 'wouter'

import list from '../kit/list.module.css'
import table from '../kit/table.module.css'
import { Time } from '../kit/Time.tsx'
import { weightOf } from '../kit/weights.ts'
import { useMessages } from '../messages/messages.ts'
import { useListAddress } from './list-address.ts'
import type { NodeRow } from './nodes-document.ts'
import styles from './Nodes.module.css'
import { Reason } from './Reason.tsx'
import { Roles } from './Roles.tsx'
import { StatusMark } from './StatusMark.tsx'

interface Props {
  readonly node: NodeRow
  readonly newest: number | null
}

/** Groups that a row names; the drawer has them all. */
const shownGroups = 3

export function NodeTableRow({ node, newest }: Props) {
  const messages = useMessages().nodes
  const { columns } = messages
  const { hrefOf } = useListAddress()
  const more = node.groups.length - shownGroups
  return (
    <tr>
      <td data-label={columns.status}>
        <StatusMark status={node.status} />
      </td>
      <th scope="row" data-label={columns.name}>
        <div>
          <Link className={table.name} href={hrefOf({ node: node.id })}>
            {node.name}
          </Link>
          <Roles node={node} />
          {node.status === 'FAILING' ? (
            <span className={styles.error}>
              <Reason node={node} newest={newest} />
            </span>
          ) : null}
        </div>
      </th>
      <td data-label={columns.address}>{node.overlayIp}</td>
      <td data-label={columns.version}>{node.runningConfigVersion ?? '–'}</td>
      <td data-label={columns.lastContact}>
        {node.lastSeenAt === null ? messages.neverSeen : <Time at={node.lastSeenAt} />}
      </td>
      <td data-label={columns.certificate}>
        {node.certificateExpiresAt === null ? (
          '–'
        ) : (
          <span className={node.certificateStatus === 'VALID' ? undefined : list[weightOf(node.certificateStatus)]}>
            <Time at={node.certificateExpiresAt} />
          </span>
        )}
      </td>
      <td data-label={columns.groups}>
        <span className={styles.groups}>
          {node.groups.length === 0 ? '–' : node.groups.slice(0, shownGroups).join(', ')}
          {more > 0 ? ` +${more}` : ''}
        </span>
      </td>
    </tr>
  )
}
