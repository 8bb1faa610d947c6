import { useEffect } from 'react'

/** Names the browser's tab after what is shown; the product's name follows. */
export function useTitle(title: string | null): void {
  useEffect(() => {
    document.title = title === null ? 'Orrery' : `${title} · Orrery`
  }, [title])
}
