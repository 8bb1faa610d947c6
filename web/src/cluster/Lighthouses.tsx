import { Link } from 'wouter'

import list from '../kit/list.module.css'
import { Section } from '../kit/Section.tsx'
import { useMessages } from '../messages/messages.ts'
import { StatusMark } from '../nodes/StatusMark.tsx'
import type { OverviewData } from './overview-document.ts'
import styles from './Overview.module.css'

/** The lighthouses, by which the nodes find each other. */
export function Lighthouses({ id, overview }: { readonly id: string; readonly overview: OverviewData }) {
  const messages = useMessages().cluster
  const { provideLighthouse, lighthouses, lighthousePort } = overview
  const more = lighthouses.totalCount - lighthouses.nodes.length
  return (
    <Section title={messages.lighthouses}>
      {lighthouses.nodes.length === 0 && !provideLighthouse ? (
        <p className={`${list.warn} ${styles.text}`}>{messages.noLighthouse}</p>
      ) : null}
      <ul className={list.list}>
        {provideLighthouse ? (
          <li className={list.row}>
            <span className={list.name}>{messages.ownLighthouse}</span>
            <span className={list.soft}>UDP {lighthousePort}</span>
          </li>
        ) : null}
        {lighthouses.nodes.map((node) => (
          <li key={node.id}>
            <div className={list.row}>
              <Link className={list.name} href={`/c/${id}/nodes?node=${node.id}`}>
                {node.name}
              </Link>
              <StatusMark status={node.status} />
            </div>
            <div className={list.soft}>
              {node.overlayIp} · {endpoint(node.lighthousePublicIp ?? '–', node.lighthousePort ?? lighthousePort)}
            </div>
          </li>
        ))}
      </ul>
      {more > 0 ? <span className={list.soft}>{messages.more(more)}</span> : null}
    </Section>
  )
}

const endpoint = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
