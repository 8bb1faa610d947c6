import { Button } from '@mantine/core'
import { Link } from 'wouter'

import { useMessages } from '../messages/messages.ts'
import { firstPage, useListAddress } from './list-address.ts'
import type { PageInfo } from './nodes-document.ts'
import styles from './Nodes.module.css'

/** The ways to the pages before and after this one. */
export function Pages({ info }: { readonly info: PageInfo }) {
  const messages = useMessages().nodes
  const { address, hrefOf } = useListAddress()
  // Only in the direction of reading is it known whether there is more; where the reader came from there is.
  const hasPrevious = address.before === null ? address.after !== null : info.hasPreviousPage
  const hasNext = address.before === null ? info.hasNextPage : true
  if (!hasPrevious && !hasNext) return null
  return (
    <nav className={styles.pages} aria-label={messages.pages}>
      {hasPrevious ? (
        <Button component={Link} variant="default" href={hrefOf({ ...firstPage, before: info.startCursor })}>
          {messages.previous}
        </Button>
      ) : null}
      {hasNext ? (
        <Button component={Link} variant="default" href={hrefOf({ ...firstPage, after: info.endCursor })}>
          {messages.next}
        </Button>
      ) : null}
    </nav>
  )
}
