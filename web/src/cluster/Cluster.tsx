import { Text, Title } from '@mantine/core'
import { Link } from 'wouter'

import { Failed } from '../kit/ErrorBoundary.tsx'
import { isId } from '../kit/ids.ts'
import { NotFound } from '../kit/NotFound.tsx'
import { useTitle } from '../kit/use-title.ts'
import { useMessages } from '../messages/messages.ts'
import { Nodes } from '../nodes/Nodes.tsx'
import styles from './Cluster.module.css'
import type { ClusterHead } from './cluster-document.ts'
import { Overview } from './Overview.tsx'
import { useCluster, useClusterLive } from './use-cluster.ts'

const views = ['', 'nodes'] as const
type View = (typeof views)[number]

interface Props {
  readonly id: string
  /** What the address names after the cluster. */
  readonly view: string
}

/** A cluster's views. A missing cluster and another's look alike. */
export function Cluster({ id, view }: Props) {
  const known = views.find((one) => one === view)
  return isId(id) && known !== undefined ? <Found id={id} view={known} /> : <NotFound />
}

function Found({ id, view }: { readonly id: string; readonly view: View }) {
  const { data: cluster, error, refetch } = useCluster(id)
  if (cluster === null) return <NotFound />
  if (cluster) return <ClusterView cluster={cluster} view={view} />
  return error ? <Failed error={error} again={() => void refetch()} /> : <div aria-busy="true" />
}

function ClusterView({ cluster, view }: { readonly cluster: ClusterHead; readonly view: View }) {
  const messages = useMessages()
  useClusterLive(cluster.id)
  useTitle(view === '' ? cluster.name : `${messages.cluster.views[view]} · ${cluster.name}`)
  return (
    <>
      <div className={styles.heading}>
        <Title order={1} className={styles.title}>
          {cluster.name}
        </Title>
        <Text size="sm" c="dimmed">
          {cluster.tenant.name} · {cluster.networkCidr}
        </Text>
      </div>
      {cluster.description === null ? null : <p className={styles.description}>{cluster.description}</p>}
      <nav className={styles.tabs} aria-label={messages.cluster.navigation}>
        {views.map((one) => (
          <Link
            key={one}
            href={`/c/${cluster.id}${one === '' ? '' : `/${one}`}`}
            className={styles.tab}
            aria-current={one === view ? 'page' : undefined}
          >
            {messages.cluster.views[one]}
            {one === 'nodes' ? <span className={styles.count}>{cluster.figures.nodes.all}</span> : null}
          </Link>
        ))}
      </nav>
      {view === '' ? <Overview cluster={cluster} /> : <Nodes cluster={cluster} />}
    </>
  )
}
