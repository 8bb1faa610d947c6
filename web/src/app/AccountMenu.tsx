import { Button, Menu, Text, useMantineColorScheme, type MantineColorScheme } from '@mantine/core'

import type { ResultOf } from '../api/graphql.ts'
import { chooseLanguage, languageNames, useLanguage, useMessages } from '../messages/messages.ts'
import { signOut } from '../session/sign-in.ts'
import type { ViewerQuery } from '../session/viewer.ts'

export type Viewer = ResultOf<ViewerQuery>['viewer']

const schemes: readonly MantineColorScheme[] = ['auto', 'light', 'dark']

/** Who is signed in, how the page looks and speaks, and the ways out. */
export function AccountMenu({ viewer }: { readonly viewer: Viewer }) {
  const messages = useMessages().shell
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const language = useLanguage()
  const subject = 'subject' in viewer ? viewer.subject : messages.account
  const place = viewer.__typename === 'TenantAdmin' ? viewer.tenant.name : messages.operator
  return (
    <Menu position="bottom-end" width={220} shadow="md">
      <Menu.Target>
        <Button variant="default" aria-label={`${messages.account}: ${subject}`} maw="8rem">
          {subject}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Text px="sm" pt="xs" size="sm" fw={500} truncate>
          {subject}
        </Text>
        <Text px="sm" pb="xs" size="xs" c="dimmed" truncate>
          {place}
        </Text>
        <Menu.Divider />
        <Menu.Label>{messages.theme.label}</Menu.Label>
        <Menu.RadioGroup value={colorScheme} onChange={(value) => setColorScheme(value as MantineColorScheme)}>
          {schemes.map((scheme) => (
            <Menu.RadioItem key={scheme} value={scheme}>
              {messages.theme[scheme]}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Label>{messages.language}</Menu.Label>
        <Menu.RadioGroup value={language} onChange={chooseLanguage}>
          {languageNames.map(({ value, label }) => (
            <Menu.RadioItem key={value} value={value}>
              {label}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item component="a" href="/graphql">
          {messages.explorer}
        </Menu.Item>
        <Menu.Item onClick={() => void signOut()}>{messages.signOut}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
