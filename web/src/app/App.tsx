import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'

import { ApiError } from '../api/errors.ts'
import { ErrorBoundary } from '../kit/ErrorBoundary.tsx'
import { theme } from '../kit/theme.ts'
import { Entrance } from './Entrance.tsx'
import { nonce } from './nonce.ts'

/** What the server has answered is not asked again; what it could not answer is, twice. */
const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.code !== 'OFFLINE'),
    },
  },
})

export const App = () => (
  <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
    <QueryClientProvider client={queries}>
      <ErrorBoundary>
        <Entrance />
      </ErrorBoundary>
    </QueryClientProvider>
  </MantineProvider>
)
