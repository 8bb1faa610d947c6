import { Link } from 'wouter'

import { Bar } from '../kit/Bar.tsx'
import list from '../kit/list.module.css'
import { Section } from '../kit/Section.tsx'
import { Time } from '../kit/Time.tsx'
import { useMessages } from '../messages/messages.ts'
import { countsByStatus, statuses } from '../nodes/statuses.ts'
import { StatusMark } from '../nodes/StatusMark.tsx'
import type { ClusterHead } from './cluster-document.ts'
import type { OverviewData } from './overview-document.ts'
import styles from './Overview.module.css'

interface Props {
  readonly id: string
  readonly figures: ClusterHead['figures']
  readonly convergence: OverviewData['convergence']
}

/** How many of the nodes run the newest version, and all nodes by what they are. */
export function Convergence({ id, figures, convergence }: Props) {
  const messages = useMessages()
  const { version, total, applied, failed, behindSince } = convergence
  const counts = countsByStatus(figures.nodes)
  return (
    <Section
      title={messages.cluster.convergence}
      aside={figures.unpublishedVersions > 0 ? messages.cluster.unpublished : undefined}
    >
      <p className={styles.statement} data-done={total > 0 && applied === total}>
        <strong>
          {total === 0
            ? messages.cluster.noCertificates
            : version === null
              ? messages.cluster.noVersion
              : messages.cluster.runs(applied, total, version)}
        </strong>
        {behindSince === null || total === 0 ? null : (
          <span className={list.soft}>
            {messages.cluster.behind} <Time at={behindSince} />
          </span>
        )}
      </p>
      {total === 0 ? null : <Bar done={applied} failed={failed} total={total} size="large" />}
      <ul className={styles.counts}>
        {statuses.map((status) => (
          <li key={status} data-none={counts[status] === 0}>
            <Link href={`/c/${id}/nodes?status=${status}`}>
              <StatusMark status={status} /> <b>{counts[status]}</b>
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  )
}
