import { Drawer } from '@mantine/core'

import { Failed } from '../kit/ErrorBoundary.tsx'
import { useMessages } from '../messages/messages.ts'
import { NodeFacts } from './NodeFacts.tsx'
import styles from './Nodes.module.css'
import { useNode } from './use-nodes.ts'

interface Props {
  readonly clusterId: string
  /** The node that is looked at; null when none is. */
  readonly id: string | null
  readonly close: () => void
}

/** One node beside the list. */
export function NodeDrawer({ clusterId, id, close }: Props) {
  const messages = useMessages().nodes
  return (
    <Drawer
      opened={id !== null}
      onClose={close}
      position="right"
      size="27rem"
      title={messages.node}
      closeButtonProps={{ 'aria-label': messages.close }}
      transitionProps={{ duration: 0 }}
      padding="lg"
    >
      {id === null ? null : <Content clusterId={clusterId} id={id} />}
    </Drawer>
  )
}

function Content({ clusterId, id }: { readonly clusterId: string; readonly id: string }) {
  const messages = useMessages().notFound
  const { data: node, error, refetch } = useNode(clusterId, id)
  if (node === null) return <p className={styles.missing}>{messages.text}</p>
  if (node) return <NodeFacts node={node} />
  return error ? <Failed error={error} again={() => void refetch()} /> : <div aria-busy="true" />
}
