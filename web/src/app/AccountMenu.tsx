import { Button, Popover, SegmentedControl, Stack, Text, useMantineColorScheme } from '@mantine/core'

import type { ResultOf } from '../api/graphql.ts'
import { chooseLanguage, languageNames, useLanguage, useMessages } from '../messages/messages.ts'
import { signOut } from '../session/sign-in.ts'
import type { ViewerQuery } from '../session/viewer.ts'

export type Viewer = ResultOf<ViewerQuery>['viewer']

const schemes = ['auto', 'light', 'dark'] as const

/** Who is signed in, how the page looks and speaks, and the ways out. */
export function AccountMenu({ viewer }: { readonly viewer: Viewer }) {
  const messages = useMessages().shell
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const language = useLanguage()
  const subject = 'subject' in viewer ? viewer.subject : messages.account
  const place = viewer.__typename === 'TenantAdmin' ? viewer.tenant.name : messages.operator
  return (
    <Popover position="bottom-end" width={240} shadow="md" withinPortal={false} trapFocus returnFocus>
      <Popover.Target>
        <Button variant="default" aria-label={`${messages.account}: ${subject}`} maw="8rem">
          {subject}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={messages.account}>
        <Stack gap="xs">
          <div>
            <Text size="sm" fw={500} truncate>
              {subject}
            </Text>
            <Text size="xs" c="dimmed" truncate>
              {place}
            </Text>
          </div>
          <SegmentedControl
            size="xs"
            transitionDuration={0}
            aria-label={messages.theme.label}
            value={colorScheme}
            onChange={setColorScheme}
            data={schemes.map((value) => ({ value, label: messages.theme[value] }))}
          />
          <SegmentedControl
            size="xs"
            transitionDuration={0}
            aria-label={messages.language}
            value={language}
            onChange={chooseLanguage}
            data={languageNames}
          />
          <Button component="a" href="/graphql" variant="default">
            {messages.explorer}
          </Button>
          <Button variant="default" onClick={() => void signOut()}>
            {messages.signOut}
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
