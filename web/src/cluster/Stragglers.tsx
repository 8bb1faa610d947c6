import { Link } from 'wouter'

import list from '../kit/list.module.css'
import { Section } from '../kit/Section.tsx'
import { useMessages } from '../messages/messages.ts'
import { Reason } from '../nodes/Reason.tsx'
import { countsByStatus, type Counts } from '../nodes/statuses.ts'
import type { OverviewData } from './overview-document.ts'
import styles from './Overview.module.css'

interface Props {
  readonly id: string
  readonly counts: Counts
  readonly newest: number | null
  readonly overview: OverviewData
}

/** The nodes that are not as they should be, the worst first, each with its reason. */
export function Stragglers({ id, counts, newest, overview }: Props) {
  const messages = useMessages()
  const groups = [
    { status: 'FAILING', nodes: overview.failing.nodes },
    { status: 'OUTDATED', nodes: overview.outdated.nodes },
    { status: 'OFFLINE', nodes: overview.offline.nodes },
  ] as const
  const present = groups.filter(({ nodes }) => nodes.length > 0)
  const isNew = countsByStatus(counts).ONLINE === 0
  return (
    <Section title={messages.cluster.stragglers}>
      {present.length === 0 ? (
        <p className={`${isNew ? list.soft : list.good} ${styles.text}`}>
          {isNew ? messages.cluster.noMachines : messages.cluster.noStragglers}
        </p>
      ) : null}
      {present.map(({ status, nodes }) => (
        <div key={status} className={styles.group}>
          <div className={list.row}>
            <h3>{messages.nodes.status[status]}</h3>
            <Link className={list.soft} href={`/c/${id}/nodes?status=${status}`}>
              {messages.cluster.all(countsByStatus(counts)[status])}
            </Link>
          </div>
          <ul className={list.list}>
            {nodes.map((node) => (
              <li key={node.id} className={list.row}>
                <Link className={list.name} href={`/c/${id}/nodes?node=${node.id}`}>
                  {node.name}
                </Link>
                <Reason node={node} newest={newest} />
              </li>
            ))}
          </ul>
        </div>
      ))}
    </Section>
  )
}
