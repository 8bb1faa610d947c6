import { Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'

interface Props {
  readonly title: string
  readonly text: string
  /** What to do first. */
  readonly children?: ReactNode
}

/** In place of what is not there. */
export const Empty = ({ title, text, children }: Props) => (
  <Stack align="center" ta="center" gap="xs" py={72} px="md">
    <Title order={2} size="1rem">
      {title}
    </Title>
    <Text size="sm" c="dimmed" maw={440}>
      {text}
    </Text>
    {children}
  </Stack>
)
