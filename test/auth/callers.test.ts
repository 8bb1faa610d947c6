import { join } from 'node:path'

import { describe, expect, test } from '@jest/globals'
import { ESLint, Linter } from 'eslint'
import typescript from 'typescript-eslint'

import { functionsThatFailWith } from '../support/compiled.ts'
import { project } from '../support/imports.ts'

const session = 'src/auth/session.ts'
const union = 'export type Session ='

/** Every function that says something for each kind of caller. */
const decide = [
  'src/auth/actor.ts actorOf',
  'src/graphql/kit/access.ts bundleReachOf',
  'src/graphql/kit/access.ts credentialIdIn',
  'src/graphql/kit/access.ts enrollingMachineIn',
  'src/graphql/kit/access.ts limitOf',
  'src/graphql/kit/access.ts nodeIn',
  'src/graphql/kit/access.ts operatorIn',
  'src/graphql/kit/access.ts rightsOf',
  'src/graphql/kit/listener.ts asListener',
  'src/graphql/kit/listener.ts endOf',
  'src/graphql/tenants/viewer.ts viewerOf',
  'src/http/live/stream-places.ts #takeOwn',
]

describe('a new kind of caller', () => {
  test('does not compile until each place that decides for callers has decided for it', () => {
    const robot = "export interface RobotSession { readonly kind: 'robot'; readonly scope: Tenant }\n"
    const withRobot = (source: string) => source.replace(union, `${robot}${union} RobotSession |`)
    expect(functionsThatFailWith(session, withRobot)).toEqual(decide)
  }, 120_000)

  test('is asked for nowhere else: the linter refuses it', async () => {
    const elsewhere = 'src/http/new-route.ts'
    expect(await refusedIn(elsewhere, "if (session.kind === 'node') open()")).toBe(1)
    expect(await refusedIn(elsewhere, "if ((await call.session()).kind !== 'anonymous') open()")).toBe(1)
    expect(await refusedIn(elsewhere, "if ('operator' !== kind) refuse()")).toBe(1)
    expect(await refusedIn(elsewhere, 'if (!session.isAdmin) refuse()')).toBe(1)
    expect(await refusedIn('src/graphql/kit/access.ts', "if (session.kind === 'node') open()")).toBe(0)
  })

  test('cannot be let through by a default', async () => {
    const byDefault = "switch (session.kind) { case 'anonymous': refuse(); break; default: open() }"
    expect(await refusedIn('src/http/new-route.ts', byDefault)).toBe(1)
    expect(await refusedIn('src/graphql/kit/access.ts', byDefault)).toBe(1)
    expect(
      await refusedIn('src/agent/new.ts', "switch (answer.kind) { case 'slice': take(); break; default: wait() }"),
    ).toBe(0)
  })
})

/** How often the project's own rules of syntax refuse a piece of a file. */
async function refusedIn(file: string, code: string): Promise<number> {
  const config = (await new ESLint({ cwd: project }).calculateConfigForFile(join(project, file))) as Linter.Config
  const rule = config.rules?.['no-restricted-syntax']
  if (!rule) throw new Error('the project has no rules of syntax')
  const languageOptions = { parser: typescript.parser as Linter.Parser }
  return new Linter().verify(code, { languageOptions, rules: { 'no-restricted-syntax': rule } }).length
}
