import { Failed } from '../kit/ErrorBoundary.tsx'
import { NotFound } from '../kit/NotFound.tsx'
import type { ClusterHead } from './cluster-document.ts'
import { Convergence } from './Convergence.tsx'
import { EndsSoon } from './EndsSoon.tsx'
import { Lighthouses } from './Lighthouses.tsx'
import styles from './Overview.module.css'
import { Stragglers } from './Stragglers.tsx'
import { useOverview } from './use-overview.ts'
import { Versions } from './Versions.tsx'

/** How the cluster is: what has come, what has not and why, what ends soon, and what changed last. */
export function Overview({ cluster }: { readonly cluster: ClusterHead }) {
  const { data, error, refetch } = useOverview(cluster.id)
  if (data === null) return <NotFound />
  if (!data) return error ? <Failed error={error} again={() => void refetch()} /> : <div aria-busy="true" />
  const { id, figures } = cluster
  return (
    <div className={styles.overview}>
      <Convergence id={id} figures={figures} convergence={data.convergence} />
      <div className={styles.column}>
        <Stragglers id={id} counts={figures.nodes} newest={data.convergence.version} overview={data} />
        <Versions bundles={data.bundles.nodes} />
      </div>
      <div className={styles.column}>
        <EndsSoon id={id} count={figures.certificatesEndingWithin30Days} overview={data} />
        <Lighthouses id={id} overview={data} />
      </div>
    </div>
  )
}
