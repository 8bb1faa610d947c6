import { Button, Kbd, Modal, Text, TextInput } from '@mantine/core'
import { useDebouncedValue, useHotkeys } from '@mantine/hooks'
import { useState } from 'react'

import { useMessages } from '../messages/messages.ts'
import styles from './Search.module.css'
import { useSearch } from './use-search.ts'

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
        <Finder />
      </Modal>
    </>
  )
}

function Finder() {
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
        {matches.map(({ node, cluster, tenant, value }) => (
          <li key={node?.id ?? cluster?.id ?? tenant?.id ?? value} className={styles.match}>
            <span>{node?.name ?? cluster?.name ?? tenant?.name ?? value}</span>
            <Text span size="xs" c="dimmed">
              {node ? `${node.overlayIp} · ${node.cluster.name}` : value}
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
