import { live } from '../api/live.ts'
import { useStore } from '../api/store.ts'
import { useMessages } from '../messages/messages.ts'
import styles from './Shell.module.css'

/** Whether what the page shows is what is. */
export function LiveMark() {
  const messages = useMessages().shell.live
  const state = useStore(live)
  return (
    <span className={styles.live} data-state={state} role="status">
      {messages[state]}
    </span>
  )
}
