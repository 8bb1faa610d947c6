import { SessionEnded } from '../api/errors.ts'
import { Failed } from '../kit/ErrorBoundary.tsx'
import { SignInAgain } from '../session/SignInAgain.tsx'
import { SignInPage } from '../session/SignInPage.tsx'
import { useViewer } from '../session/viewer.ts'
import { Shell } from './Shell.tsx'

/** The page for whoever is signed in, and the way in for everybody else. */
export function Entrance() {
  const { data: viewer, error, refetch } = useViewer()
  if (viewer) {
    return (
      <>
        <Shell viewer={viewer} />
        <SignInAgain />
      </>
    )
  }
  if (error instanceof SessionEnded) return <SignInPage />
  return error ? <Failed error={error} again={() => void refetch()} /> : null
}
