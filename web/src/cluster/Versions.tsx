import list from '../kit/list.module.css'
import { Section } from '../kit/Section.tsx'
import { Time } from '../kit/Time.tsx'
import { useMessages } from '../messages/messages.ts'
import type { OverviewData } from './overview-document.ts'
import styles from './Overview.module.css'
import { readVersionMessage } from './version-message.ts'

type Bundle = OverviewData['bundles']['nodes'][number]

/** Changes of one version that are listed; a version may have hundreds. */
const shown = 3
const shownAuthors = 2

/** The last published versions, the newest first. */
export function Versions({ bundles }: { readonly bundles: readonly Bundle[] }) {
  const messages = useMessages().cluster
  return (
    <Section title={messages.versions}>
      {bundles.length === 0 ? <p className={`${list.soft} ${styles.text}`}>{messages.noVersion}</p> : null}
      <ul className={list.list}>
        {bundles.map((bundle) => (
          <Version key={bundle.version} bundle={bundle} />
        ))}
      </ul>
    </Section>
  )
}

function Version({ bundle: { version, createdAt, createdBy, message } }: { readonly bundle: Bundle }) {
  const messages = useMessages().cluster
  const { changes, authors } = readVersionMessage(message)
  const everybody = [...(createdBy ? [createdBy.name] : []), ...authors]
  const others = everybody.length - shownAuthors
  const by = everybody.slice(0, shownAuthors).join(', ') + (others > 0 ? ` ${messages.more(others)}` : '')
  return (
    <li>
      <div className={list.row}>
        <span className={list.name}>{messages.version(version)}</span>
        <span className={list.soft}>
          {by === '' ? null : `${by} · `}
          <Time at={createdAt} />
        </span>
      </div>
      {changes.slice(0, shown).map((change, at) => (
        <p key={`${at} ${change}`} className={styles.text}>
          {change}
        </p>
      ))}
      {changes.length > shown ? <span className={list.soft}>{messages.more(changes.length - shown)}</span> : null}
    </li>
  )
}
