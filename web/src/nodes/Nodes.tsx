import { Button, Text } from '@mantine/core'

import type { ClusterHead } from '../cluster/cluster-document.ts'
import { Empty } from '../kit/Empty.tsx'
import { Failed } from '../kit/ErrorBoundary.tsx'
import { NotFound } from '../kit/NotFound.tsx'
import { useMessages } from '../messages/messages.ts'
import { firstPage, useListAddress } from './list-address.ts'
import { NodeDrawer } from './NodeDrawer.tsx'
import { NodeFilters } from './NodeFilters.tsx'
import styles from './Nodes.module.css'
import { NodesTable } from './NodesTable.tsx'
import { Pages } from './Pages.tsx'
import { useNodes } from './use-nodes.ts'

/** The cluster's nodes: a page of them, as the address bar says which, and one beside them. */
export function Nodes({ cluster }: { readonly cluster: ClusterHead }) {
  const { address, go } = useListAddress()
  return (
    <>
      <NodeFilters counts={cluster.figures.nodes} />
      <NodesPage cluster={cluster} />
      <NodeDrawer clusterId={cluster.id} id={address.node} close={() => go({ node: null })} />
    </>
  )
}

function NodesPage({ cluster }: { readonly cluster: ClusterHead }) {
  const messages = useMessages().nodes
  const { address, go } = useListAddress()
  const { data, error, refetch, isPlaceholderData } = useNodes(cluster.id, address)
  const isFirst = address.after === null && address.before === null
  // The cursor may be of another list: the first page is always there.
  const again = () => (isFirst ? void refetch() : go(firstPage))
  if (data === null) return <NotFound />
  if (!data) return error ? <Failed error={error} again={again} /> : <div aria-busy="true" />
  if (data.nodes.nodes.length === 0) {
    return cluster.figures.nodes.all === 0 ? (
      <Empty title={messages.empty} text={messages.emptyHint} />
    ) : (
      <Empty title={messages.noMatch} text={messages.noMatchHint}>
        <Button variant="default" onClick={() => go({ text: '', status: [], ...firstPage })}>
          {messages.clear}
        </Button>
      </Empty>
    )
  }
  return (
    <div className={styles.page} aria-busy={isPlaceholderData}>
      <Text size="xs" c="dimmed" role="status" mb="xs">
        {messages.count(data.nodes.totalCount)}
      </Text>
      <NodesTable nodes={data.nodes.nodes} newest={data.latestBundleVersion} />
      <Pages info={data.nodes.pageInfo} />
    </div>
  )
}
