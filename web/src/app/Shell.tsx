import { lazy, Suspense } from 'react'
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

/** Its views come when somebody looks at them: the way in stays short. */
const Cluster = lazy(async () => ({ default: (await import('../cluster/Cluster.tsx')).Cluster }))

/** The header, and below it the view that the address names. */
export function Shell({ viewer }: { readonly viewer: Viewer }) {
  const messages = useMessages()
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
          <Suspense fallback={<div aria-busy="true" />}>
            <Switch>
              <Route path="/" component={Fleet} />
              <Route path="/c/:cluster/:view?">
                {({ cluster, view }) => <Cluster id={cluster} view={view ?? ''} />}
              </Route>
              <Route path="/sign-in">
                <Redirect to="/" replace />
              </Route>
              <Route component={NotFound} />
            </Switch>
          </Suspense>
        </ErrorBoundary>
      </main>
    </>
  )
}
