import { Title } from '@mantine/core'
import type { ReactNode } from 'react'

import list from '../kit/list.module.css'
import { Time } from '../kit/Time.tsx'
import { weightOf } from '../kit/weights.ts'
import { useMessages } from '../messages/messages.ts'
import type { NodeDetails } from './nodes-document.ts'
import styles from './Nodes.module.css'
import { Reason } from './Reason.tsx'
import { Roles } from './Roles.tsx'
import { StatusMark } from './StatusMark.tsx'

/** All that is known of a node. */
export function NodeFacts({ node }: { readonly node: NodeDetails }) {
  const { columns, facts, neverSeen } = useMessages().nodes
  const newest = node.cluster.latestBundleVersion
  return (
    <>
      <Title order={2} className={styles.title}>
        {node.name}
      </Title>
      <div className={list.row}>
        <span>
          <StatusMark status={node.status} />
          <Roles node={node} />
        </span>
        {node.status === 'FAILING' ? null : <Reason node={node} newest={newest} />}
      </div>
      {node.description === null ? null : <p className={styles.description}>{node.description}</p>}
      {node.lastError === null ? null : (
        <div className={styles.lastError}>
          <strong>{facts.lastError}</strong>
          <pre>{node.lastError}</pre>
        </div>
      )}
      <dl className={styles.facts}>
        <Fact name={columns.address}>{node.overlayIp}</Fact>
        {node.lighthousePublicIp === null ? null : <Fact name={facts.publicAddress}>{node.lighthousePublicIp}</Fact>}
        <Fact name={columns.lastContact}>{node.lastSeenAt === null ? neverSeen : <Time at={node.lastSeenAt} />}</Fact>
        <Fact name={columns.version}>{facts.versionOf(node.runningConfigVersion, newest)}</Fact>
        <Fact name="Nebula">{node.nebulaVersion ?? '–'}</Fact>
        <Fact name={columns.certificate}>
          {node.certificateExpiresAt === null ? (
            '–'
          ) : (
            <span className={node.certificateStatus === 'VALID' ? undefined : list[weightOf(node.certificateStatus)]}>
              <Time at={node.certificateExpiresAt} />
            </span>
          )}
        </Fact>
        <Fact name={facts.fingerprint}>
          {node.certificateFingerprint === null ? '–' : <code>{node.certificateFingerprint}</code>}
        </Fact>
        <Fact name={columns.groups}>{node.groups.length === 0 ? '–' : <Words words={node.groups} />}</Fact>
        <Fact name={facts.routes}>{node.routes.length === 0 ? '–' : <Words words={node.routes} />}</Fact>
        <Fact name={facts.labels}>
          {node.labels.length === 0 ? '–' : <Words words={node.labels.map(({ key, value }) => `${key}=${value}`)} />}
        </Fact>
        <Fact name="MTU">{node.mtu}</Fact>
        {node.ephemeralSeconds === null ? null : (
          <Fact name={facts.ephemeral}>{facts.minutes(Math.round(node.ephemeralSeconds / 60))}</Fact>
        )}
        <Fact name={facts.created}>
          <Time at={node.createdAt} />
        </Fact>
        <Fact name={facts.id}>
          <code>{node.id}</code>
        </Fact>
      </dl>
    </>
  )
}

const Fact = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
)

const Words = ({ words }: { readonly words: readonly string[] }) => (
  <span className={styles.words}>
    {words.map((word) => (
      <span key={word} className={styles.word}>
        {word}
      </span>
    ))}
  </span>
)
