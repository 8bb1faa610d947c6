import { useEffect } from 'react'
import { Link, Redirect, Route, Switch } from 'wouter'

import { Fleet } from '../fleet/Fleet.tsx'
import { ErrorBoundary } from '../kit/ErrorBoundary.tsx'
import { NotFound } from '../kit/NotFound.tsx'
import { useMessages } from '../messages/messages.ts'
import mark from '../orrery.svg'
import { Search } from '../search/Search.tsx'
import { AccountMenu, type Viewer } from './AccountMenu.tsx'
import { LiveMark } from './LiveMark.tsx'
import styles from './Shell.module.css'

/** The header, and below it the view that the address names. */
export function Shell({ viewer }: { readonly viewer: Viewer }) {
  const messages = useMessages()
  useEffect(() => {
    document.title = 'Orrery'
  }, [])
  return (
    <>
      <a className={styles.skip} href="#content">
        {messages.shell.skip}
      </a>
      <header className={styles.header}>
        <Link href="/" className={styles.home}>
          <img src={mark} alt="" width={22} height={22} />
          Orrery
        </Link>
        <LiveMark />
        <span className={styles.space} />
        <Search />
        <AccountMenu viewer={viewer} />
      </header>
      <main id="content" className={styles.content}>
        <ErrorBoundary>
          <Switch>
            <Route path="/" component={Fleet} />
            <Route path="/sign-in">
              <Redirect to="/" replace />
            </Route>
            <Route component={NotFound} />
          </Switch>
        </ErrorBoundary>
      </main>
    </>
  )
}
