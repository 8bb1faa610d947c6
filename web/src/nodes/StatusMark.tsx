import { useMessages } from '../messages/messages.ts'
import styles from './StatusMark.module.css'
import type { Status } from './statuses.ts'

/** A node's status, as a word with its colour. */
export const StatusMark = ({ status }: { readonly status: Status }) => (
  <span className={styles.mark} data-status={status}>
    {useMessages().nodes.status[status]}
  </span>
)
