import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

import type { Page } from 'playwright-core'

import { root } from '../../scripts/project.mjs'
import { readPageFiles } from '../../src/http/page/page-files.ts'
import { listen } from '../../src/http/server/server.ts'
import { startApp } from '../support/app.ts'
import { launch } from '../support/browser.ts'

/** Where the build puts the page. */
export const builtPage = join(root, 'dist/web')

/** Every look that a view is tried in. */
export const looks = [
  ['light', 1280],
  ['dark', 1280],
  ['light', 390],
  ['dark', 390],
] as const

/** The built page, a server that serves it, and a browser. */
export async function startAdminPage() {
  await promisify(execFile)(process.execPath, ['scripts/web.mjs'], { cwd: root })
  const app = await startApp('sqlite', { page: await readPageFiles(builtPage) })
  const server = await listen(app.app, { host: '127.0.0.1', port: 0 })
  const browser = await launch()
  return {
    app,
    url: server.url,
    browser,
    /** Signs an operator in; the page shows the fleet then. */
    signInByLink: async (page: Page, heading = 'Fleet') => {
      await page.goto(`${server.url}/sign-in#${await app.signIns.makeLink('olga')}`)
      await page.getByRole('heading', { name: heading }).waitFor()
    },
    /** An access token with which somebody of the tenant may look. */
    viewerToken: async (tenantId: string) => {
      const { createAccessToken } = await app.ask<{ createAccessToken: { token: string } }>(
        app.operator,
        `mutation ($tenantId: UUID!, $expiresAt: DateTimeISO!) {
          createAccessToken(input: { tenantId: $tenantId, name: "vera", role: VIEWER, expiresAt: $expiresAt }) {
            ... on CreateAccessTokenPayload { token }
          }
        }`,
        { tenantId, expiresAt: new Date(Date.now() + 3_600_000).toISOString() },
      )
      return createAccessToken.token
    },
    close: async () => {
      await browser.close()
      await server.close()
      await app.close()
    },
  }
}
