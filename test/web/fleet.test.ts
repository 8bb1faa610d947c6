import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Browser, Page } from 'playwright-core'

import type { TestApp } from '../support/app.ts'
import { accessibilityFaults, describeWithBrowser, keepScreenshot, visit } from '../support/browser.ts'
import { builtPage, looks, startAdminPage } from './admin-page.ts'

describeWithBrowser('the admin page', () => {
  let started: Awaited<ReturnType<typeof startAdminPage>>
  let app: TestApp
  let url: string
  let browser: Browser
  let tenantId: string

  beforeAll(async () => {
    started = await startAdminPage()
    ;({ app, url, browser } = started)
    const { createTenant } = await app.ask<{ createTenant: { tenant: { id: string } } }>(
      app.operator,
      'mutation { createTenant(input: { name: "Acme" }) { ... on CreateTenantPayload { tenant { id } } } }',
    )
    tenantId = createTenant.tenant.id
    await createCluster('production')
  })
  afterAll(() => started.close())

  const createCluster = (name: string) =>
    app.ask(
      app.operator,
      `mutation ($tenantId: UUID!, $name: String!) {
        createCluster(input: { tenantId: $tenantId, name: $name }) { ... on CreateClusterPayload { cluster { id } } }
      }`,
      { tenantId, name },
    )
  const operatorsToken = async (name: string) => {
    const { createAccessToken } = await app.ask<{ createAccessToken: { token: string } }>(
      app.operator,
      `mutation ($name: String!, $expiresAt: DateTimeISO!) {
        createAccessToken(input: { name: $name, role: OPERATOR, expiresAt: $expiresAt }) {
          ... on CreateAccessTokenPayload { token }
        }
      }`,
      { name, expiresAt: new Date(Date.now() + 3_600_000).toISOString() },
    )
    return createAccessToken.token
  }
  const signInByLink = (page: Page) => started.signInByLink(page)

  test('signs in by a link, which does not stay in the address, and shows a new cluster by itself', async () => {
    const { page, faults, close } = await visit(browser, url)
    await signInByLink(page)
    expect(new URL(page.url())).toMatchObject({ pathname: '/', hash: '' })
    await page.getByRole('rowheader', { name: /production/ }).waitFor()
    await page.getByText('Live', { exact: true }).waitFor()
    await createCluster('staging')
    await page.getByRole('rowheader', { name: /staging/ }).waitFor()
    await page.keyboard.press('Control+k')
    await page.getByPlaceholder(/A name, an address/).fill('stag')
    await page.getByRole('listitem').filter({ hasText: 'staging' }).getByRole('link').click()
    await page.getByRole('heading', { name: 'staging', level: 1 }).waitFor()
    expect(faults).toEqual([])
    await close()
  })

  test('signs in by a token at the address that was asked for, and says what is not there', async () => {
    const { page, faults, close } = await visit(browser, url)
    await page.goto(`${url}/c/01890000-0000-7000-8000-000000000000`)
    await page.getByLabel('Access token').fill('orp_wrong')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.locator('[id$=-error]').waitFor()
    await page.getByLabel('Access token').fill(await started.viewerToken(tenantId))
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Not found' }).waitFor()
    await page.getByRole('link', { name: 'Back to the fleet' }).click()
    await page.getByRole('heading', { name: 'Fleet' }).waitFor()
    expect(faults).toEqual([])
    await close()
  })

  test('asks to sign in again when the session ends, and keeps what was typed', async () => {
    const { page, close } = await visit(browser, url)
    await signInByLink(page)
    await page.keyboard.press('Control+k')
    const field = page.getByPlaceholder(/A name, an address/)
    await field.waitFor()
    // The same person comes back: another one would find an empty page.
    await page.context().clearCookies()
    await field.fill('production')
    await page.getByText(/Your session has ended/).waitFor()
    await page.getByLabel('Access token').fill(await operatorsToken('olga'))
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText(/Your session has ended/).waitFor({ state: 'detached' })
    expect(await field.inputValue()).toBe('production')
    await page.getByRole('listitem').filter({ hasText: 'production' }).waitFor()
    await close()
  })

  test.each(looks)('has no fault that axe finds, %s at %i pixels', async (scheme, width) => {
    const { page, faults, close } = await visit(browser, url, { scheme, width })
    await page.goto(`${url}/`)
    await page.getByLabel('Access token').waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await keepScreenshot(page, `sign-in-${scheme}-${width}`)
    await signInByLink(page)
    expect(await accessibilityFaults(page)).toEqual([])
    await keepScreenshot(page, `fleet-${scheme}-${width}`)
    await page.getByRole('button', { name: /^Account/ }).click()
    await page.getByRole('button', { name: 'Sign out' }).waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await keepScreenshot(page, `account-${scheme}-${width}`)
    expect(faults).toEqual([])
    await close()
  })

  test('speaks German to a German browser', async () => {
    const { page, close } = await visit(browser, url, { locale: 'de-DE' })
    await page.goto(`${url}/`)
    await page.getByRole('heading', { name: 'Bei Orrery anmelden' }).waitFor()
    await close()
  })

  test('needs at most 200 kB of scripts and styles, compressed', () => {
    const assets = join(builtPage, 'assets')
    const needed = readdirSync(assets).filter((name) => /\.(js|css)$/.test(name))
    const size = needed.reduce((sum, name) => sum + gzipSync(readFileSync(join(assets, name))).length, 0)
    expect(needed.length).toBeGreaterThan(1)
    expect(size).toBeLessThan(200_000)
  })
})
