import { Button } from '@mantine/core'
import { Component, type ReactNode } from 'react'

import { useMessages } from '../messages/messages.ts'
import { Empty } from './Empty.tsx'

interface Props {
  readonly children: ReactNode
}

/** Keeps what fails in one view from taking the page with it. */
export class ErrorBoundary extends Component<Props, { readonly error: Error | null }> {
  override readonly state: { readonly error: Error | null } = { error: null }

  static getDerivedStateFromError(error: Error) {
    return { error }
  }

  override render() {
    const { error } = this.state
    if (error === null) return this.props.children
    return <Failed error={error} again={() => this.setState({ error: null })} />
  }
}

/** Says what could not be shown, and tries again. */
export function Failed({ error, again }: { readonly error: Error; readonly again: () => void }) {
  const messages = useMessages().failed
  return (
    <div role="alert">
      <Empty title={messages.title} text={error.message}>
        <Button variant="default" onClick={again}>
          {messages.again}
        </Button>
      </Empty>
    </div>
  )
}
