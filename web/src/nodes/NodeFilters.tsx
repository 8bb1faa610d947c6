import { TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useState } from 'react'

import { useMessages } from '../messages/messages.ts'
import { firstPage, longestText, useListAddress } from './list-address.ts'
import styles from './Nodes.module.css'
import { countsByStatus, statuses, type Counts, type Status } from './statuses.ts'
import { StatusMark } from './StatusMark.tsx'

/** Which nodes are listed: by a text, and by what they are. */
export function NodeFilters({ counts }: { readonly counts: Counts }) {
  const messages = useMessages().nodes
  const { address, go } = useListAddress()
  /** What was typed and is not in the address yet. */
  const [typed, setTyped] = useState<string | null>(null)
  const look = useDebouncedCallback((text: string) => {
    setTyped(null)
    go({ text: text.trim(), ...firstPage }, { replace: true })
  }, 200)
  const toggled = (status: Status) =>
    address.status.includes(status) ? address.status.filter((one) => one !== status) : [...address.status, status]
  return (
    <div className={styles.filters}>
      <TextInput
        className={styles.text}
        size="xs"
        type="search"
        aria-label={messages.filter}
        placeholder={messages.filter}
        maxLength={longestText}
        value={typed ?? address.text}
        onChange={({ currentTarget }) => {
          setTyped(currentTarget.value)
          look(currentTarget.value)
        }}
      />
      <div className={styles.statuses} role="group" aria-label={messages.columns.status}>
        {statuses.map((status) => (
          <button
            key={status}
            type="button"
            className={styles.status}
            aria-pressed={address.status.includes(status)}
            onClick={() => go({ status: toggled(status), ...firstPage })}
          >
            <StatusMark status={status} /> {countsByStatus(counts)[status]}
          </button>
        ))}
      </div>
    </div>
  )
}
