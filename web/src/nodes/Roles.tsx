import { useMessages } from '../messages/messages.ts'
import styles from './Nodes.module.css'

interface Props {
  readonly node: { readonly isLighthouse: boolean; readonly isRelay: boolean; readonly isAdmin: boolean }
}

/** What the node does for others. */
export function Roles({ node: { isLighthouse, isRelay, isAdmin } }: Props) {
  const messages = useMessages().nodes.roles
  const roles = [
    ...(isLighthouse ? [messages.lighthouse] : []),
    ...(isRelay ? [messages.relay] : []),
    ...(isAdmin ? [messages.admin] : []),
  ]
  return roles.map((role) => (
    <span key={role} className={styles.role}>
      {role}
    </span>
  ))
}
