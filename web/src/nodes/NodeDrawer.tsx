import { Drawer } from '@mantine/core'

import { Failed } from '../kit/ErrorBoundary.tsx'
import list from '../kit/list.module.css'
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
    <Drawer.Root
      opened={id !== null}
      onClose={close}
      position="right"
      size="27rem"
      transitionProps={{ duration: 0 }}
      padding="lg"
    >
      <Drawer.Overlay />
      <Drawer.Content>
        <Drawer.Body>
          {/* Mantine’s own header would be a second banner of the page. */}
          <div className={list.row}>
            <Drawer.Title className={styles.kind}>{messages.node}</Drawer.Title>
            <Drawer.CloseButton aria-label={messages.close} />
          </div>
          {id === null ? null : <Content clusterId={clusterId} id={id} />}
        </Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  )
}

function Content({ clusterId, id }: { readonly clusterId: string; readonly id: string }) {
  const messages = useMessages().notFound
  const { data: node, error, refetch } = useNode(clusterId, id)
  if (node === null) return <p className={styles.missing}>{messages.text}</p>
  if (node) return <NodeFacts node={node} />
  return error ? <Failed error={error} again={() => void refetch()} /> : <div aria-busy="true" />
}
