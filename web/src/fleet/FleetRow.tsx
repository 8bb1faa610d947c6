import { Link } from 'wouter'

import { Bar } from '../kit/Bar.tsx'
import table from '../kit/table.module.css'
import { useMessages } from '../messages/messages.ts'
import type { Figures } from './figures.ts'
import styles from './Fleet.module.css'
import { problemsOf } from './problems.ts'

interface Props {
  readonly figures: Figures
  /** The name of the cluster’s tenant, where it is known. */
  readonly tenant: string | null
}

/** A cluster: how many of its nodes are well, and what is to be looked at. */
export function FleetRow({ figures, tenant }: Props) {
  const messages = useMessages().fleet
  const { clusterId, name, nodes, convergence, certificatesEndingWithin30Days: ending } = figures
  const problems = problemsOf(figures, messages.problem)
  return (
    <tr>
      <th scope="row" data-label={messages.cluster}>
        <Link href={`/c/${clusterId}`} className={table.name}>
          {name}
        </Link>
        <span className={table.under}>{tenant}</span>
      </th>
      <td data-label={messages.health}>{messages.of(nodes.online, nodes.all)}</td>
      <td data-label={messages.converged}>
        {convergence.total === 0 ? (
          '–'
        ) : (
          <span className={styles.convergence}>
            <span className={styles.bar}>
              <Bar done={convergence.applied} failed={convergence.failed} total={convergence.total} />
            </span>
            {messages.of(convergence.applied, convergence.total)}
          </span>
        )}
      </td>
      <td data-label={messages.attention}>
        {problems.length === 0 ? <span className={styles.good}>{messages.fine}</span> : null}
        {problems.map(({ text, weight }) => (
          <span key={text} className={styles.problem} data-weight={weight}>
            {text}
          </span>
        ))}
      </td>
      <td data-label={messages.certificates}>{ending === 0 ? '–' : messages.endSoon(ending)}</td>
    </tr>
  )
}
