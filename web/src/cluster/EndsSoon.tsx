import { Link } from 'wouter'

import list from '../kit/list.module.css'
import { Section } from '../kit/Section.tsx'
import { Time } from '../kit/Time.tsx'
import { weightOf } from '../kit/weights.ts'
import { useMessages } from '../messages/messages.ts'
import type { OverviewData } from './overview-document.ts'

interface Props {
  readonly id: string
  /** Certificates that end within 30 days; most agents renew theirs before. */
  readonly count: number
  readonly overview: OverviewData
}

/** The CA, the certificates that nobody has renewed in time, and how many others are next. */
export function EndsSoon({ id, count, overview }: Props) {
  const messages = useMessages().cluster
  const { caStatus, caExpiresAt, caRotation, caRotationDueAt, canBeSignedFor, ending } = overview
  const late = ending.nodes.filter(({ certificateStatus }) => certificateStatus !== 'VALID')
  return (
    <Section title={messages.endings}>
      <ul className={list.list}>
        <li>
          <div className={list.row}>
            <span className={list.name}>{messages.ca}</span>
            <span className={list[weightOf(caStatus)]}>
              {caExpiresAt === null ? messages.noCa : <Time at={caExpiresAt} />}
            </span>
          </div>
          {canBeSignedFor ? null : <div className={list.bad}>{messages.cannotSign}</div>}
          {caRotation ? (
            <div className={list.soft}>
              {messages.rotation[caRotation.phase]} · {messages.waitsFor(caRotation.waitingFor)}
            </div>
          ) : caRotationDueAt === null ? null : (
            <div className={list.soft}>
              {messages.rotationDue} <Time at={caRotationDueAt} />
            </div>
          )}
        </li>
        {late.map(({ id: nodeId, name, certificateStatus, certificateExpiresAt }) => (
          <li key={nodeId} className={list.row}>
            <Link className={list.name} href={`/c/${id}/nodes?node=${nodeId}`}>
              {name}
            </Link>
            <span className={list[weightOf(certificateStatus)]}>
              {messages.notRenewed} · {certificateExpiresAt === null ? null : <Time at={certificateExpiresAt} />}
            </span>
          </li>
        ))}
        <li className={list.row}>
          <span className={list.name}>{messages.certificates}</span>
          <Link className={list.soft} href={`/c/${id}/nodes?sort=CERTIFICATE_EXPIRES`}>
            {messages.endWithin30Days(count)}
          </Link>
        </li>
      </ul>
    </Section>
  )
}
