import list from '../kit/list.module.css'
import { Time } from '../kit/Time.tsx'
import { useMessages } from '../messages/messages.ts'
import type { ReasonNode } from './reason-fields.ts'

interface Props {
  readonly node: ReasonNode
  /** The version that the node is to run. */
  readonly newest: number | null
}

/** Why the node is not as it should be; nothing when it is. */
export function Reason({ node, newest }: Props) {
  const messages = useMessages().nodes
  switch (node.status) {
    case 'FAILING':
      return (
        <span className={list.bad}>{node.certificateStatus === 'ENDED' ? <Ended node={node} /> : node.lastError}</span>
      )
    case 'OUTDATED':
      return <span className={list.warn}>{messages.runsInstead(node.runningConfigVersion, newest)}</span>
    case 'OFFLINE':
      return (
        <span className={list.soft}>
          {node.lastSeenAt === null ? messages.neverSeen : messages.lastContact}{' '}
          {node.lastSeenAt === null ? null : <Time at={node.lastSeenAt} />}
        </span>
      )
    case 'BLOCKED':
      return (
        <span className={list.soft}>
          {messages.status.BLOCKED} {node.blockedAt === null ? null : <Time at={node.blockedAt} />}
        </span>
      )
    case 'PENDING':
      return <span className={list.soft}>{messages.noMachine}</span>
    case 'ONLINE':
      return null
  }
}

function Ended({ node: { certificateExpiresAt } }: { readonly node: ReasonNode }) {
  const messages = useMessages().nodes
  return (
    <>
      {messages.certificateEnded} {certificateExpiresAt === null ? null : <Time at={certificateExpiresAt} />}
    </>
  )
}
