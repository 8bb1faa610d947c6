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
  const { name, nodes, convergence, certificatesEndingWithin30Days: ending } = figures
  const problems = problemsOf(figures, messages.problem)
  return (
    <tr>
      <th scope="row" data-label={messages.cluster}>
        <span className={styles.name}>{name}</span>
        <span className={styles.tenant}>{tenant}</span>
      </th>
      <td data-label={messages.health}>{messages.of(nodes.online, nodes.all)}</td>
      <td data-label={messages.converged}>
        <Bar done={convergence.applied} failed={convergence.failed} total={convergence.total} />
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

/** How many of the nodes run the newest version, and how many cannot. */
function Bar({ done, failed, total }: { readonly done: number; readonly failed: number; readonly total: number }) {
  const messages = useMessages().fleet
  if (total === 0) return '–'
  return (
    <span className={styles.convergence}>
      <svg className={styles.bar} viewBox={`0 0 ${total} 1`} preserveAspectRatio="none" aria-hidden>
        <rect className={styles.done} width={done} height="1" />
        <rect className={styles.failed} x={done} width={failed} height="1" />
      </svg>
      {messages.of(done, total)}
    </span>
  )
}
