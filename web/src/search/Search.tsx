import { Button, Kbd, Modal, Text, TextInput } from '@mantine/core'
import { useDebouncedValue, useHotkeys } from '@mantine/hooks'
import { useState } from 'react'
import { Link } from 'wouter'

import { useMessages } from '../messages/messages.ts'
import styles from './Search.module.css'
import { useSearch, type Match } from './use-search.ts'

/** Finds tenants, clusters and nodes by what people know of them. */
export function Search() {
  const messages = useMessages().shell
  const [isOpen, setOpen] = useState(false)
  useHotkeys([['mod+K', () => setOpen(true)]], [])
  return (
    <>
      <Button variant="default" onClick={() => setOpen(true)} rightSection={<Kbd size="xs">⌘K</Kbd>}>
        {messages.search}
      </Button>
      <Modal opened={isOpen} onClose={() => setOpen(false)} title={messages.search} size="lg" yOffset="12vh">
        <Finder leave={() => setOpen(false)} />
      </Modal>
    </>
  )
}

function Finder({ leave }: { readonly leave: () => void }) {
  const messages = useMessages().shell
  const [text, setText] = useState('')
  const [asked] = useDebouncedValue(text.trim(), 150)
  const { data, error } = useSearch(asked)
  const matches = asked === '' ? [] : (data?.matches ?? [])
  return (
    <>
      <TextInput
        data-autofocus
        aria-label={messages.searchHint}
        placeholder={messages.searchHint}
        value={text}
        maxLength={200}
        onChange={({ currentTarget }) => setText(currentTarget.value)}
        error={error?.message}
      />
      <ul className={styles.matches}>
        {matches.map((match) => (
          <li key={keyOf(match)} className={styles.match}>
            <Name match={match} leave={leave} />
            <Text span size="xs" c="dimmed">
              {match.node ? `${match.node.overlayIp} · ${match.node.cluster.name}` : match.value}
            </Text>
          </li>
        ))}
      </ul>
      {asked !== '' && data && matches.length === 0 ? (
        <Text size="sm" c="dimmed" role="status">
          {data.hint ?? messages.nothingFound}
        </Text>
      ) : null}
    </>
  )
}

const keyOf = ({ node, cluster, tenant, value }: Match) => node?.id ?? cluster?.id ?? tenant?.id ?? value

/** Leads to what was found, where it has a view. */
function Name({
  match: { node, cluster, tenant, value },
  leave,
}: {
  readonly match: Match
  readonly leave: () => void
}) {
  const place = node ? `/c/${node.cluster.id}/nodes?node=${node.id}` : cluster ? `/c/${cluster.id}` : null
  const name = node?.name ?? cluster?.name ?? tenant?.name ?? value
  if (place === null) return <span>{name}</span>
  return (
    <Link href={place} className={styles.link} onClick={leave}>
      {name}
    </Link>
  )
}
