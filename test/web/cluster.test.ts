import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'

import { accessibilityFaults, describeWithBrowser, keepScreenshot, visit } from '../support/browser.ts'
import { mutate } from '../support/mutate.ts'
import { looks, startAdminPage } from './admin-page.ts'
import { createLargeCluster, createMixedCluster, report } from './machines.ts'

describeWithBrowser('a cluster on the admin page', () => {
  let admin: Awaited<ReturnType<typeof startAdminPage>>
  let mixed: Awaited<ReturnType<typeof createMixedCluster>>
  let largeId: string

  beforeAll(async () => {
    admin = await startAdminPage()
    mixed = await createMixedCluster(admin.app)
    largeId = await createLargeCluster(admin.app, mixed.tenantId, 130)
  })
  afterAll(() => admin.close())

  /** A signed-in visitor at a path. */
  const open = async (path: string, look: Parameters<typeof visit>[2] = {}) => {
    const visitor = await visit(admin.browser, admin.url, look)
    await admin.signInByLink(visitor.page, look.locale === 'de-DE' ? 'Flotte' : 'Fleet')
    await visitor.page.goto(`${admin.url}${path}`)
    return visitor
  }
  const section = (page: Page, name: string) => page.getByRole('region', { name })
  const names = (page: Page) => page.getByRole('rowheader').getByRole('link').allTextContents()
  const firstName = (page: Page, name: string) =>
    page.locator('tbody tr').first().getByRole('link', { name, exact: true }).waitFor()

  test('says how many nodes run the newest version, which do not, and why', async () => {
    const { page, faults, close } = await open('/')
    await page.getByRole('link', { name: 'production' }).click()
    await page.getByRole('heading', { name: 'production', level: 1 }).waitFor()
    await page.getByText('Everything that customers see.').waitFor()
    await page.getByText(`3 of 5 run version ${mixed.newest}`).waitFor()
    const toLookAt = section(page, 'To look at')
    await toLookAt.getByText(/permission denied/).waitFor()
    await toLookAt.getByText(`runs version ${mixed.newest - 1} instead of ${mixed.newest}`).waitFor()
    await toLookAt.getByText('last contact 3 days ago').waitFor()
    await section(page, 'Lighthouses').getByText('203.0.113.9:4242').waitFor()
    await section(page, 'Ends soon').getByText('not renewed').waitFor()
    await section(page, 'Last versions').getByText(`Version ${mixed.newest}`).waitFor()
    expect(await page.title()).toBe('production · Orrery')
    expect(faults).toEqual([])
    await close()
  })

  /** Sooner than the page looks by itself: without its stream it would be too late. */
  const soon = { timeout: 15_000 }

  test('follows what happens: a new node, and a machine that catches up', async () => {
    const { page, faults, close } = await open(`/c/${mixed.clusterId}`)
    await page.getByText('Live', { exact: true }).waitFor()
    await report(admin.app, mixed.cache.token, { runningConfigVersion: mixed.newest })
    await admin.app.flush()
    await page.getByText(`4 of 5 run version ${mixed.newest}`).waitFor(soon)
    await section(page, 'To look at').getByText('cache-1').waitFor({ state: 'detached' })
    await page.getByRole('link', { name: /^Nodes/ }).click()
    await page.getByRole('rowheader', { name: 'web-1' }).waitFor()
    await mutate(admin.app, mixed.admin, 'createNode', { clusterId: mixed.clusterId, name: 'newcomer' })
    await page.getByRole('rowheader', { name: 'newcomer' }).waitFor(soon)
    expect(faults).toEqual([])
    await close()
  })

  test('shows what is another’s as not found, like what does not exist', async () => {
    const { createTenant } = await admin.app.ask<{ createTenant: { tenant: { id: string } } }>(
      admin.app.operator,
      'mutation { createTenant(input: { name: "stranger" }) { ... on CreateTenantPayload { tenant { id } } } }',
    )
    const { page, faults, close } = await visit(admin.browser, admin.url)
    await page.goto(`${admin.url}/c/${mixed.clusterId}/nodes?node=${mixed.laptop.id}`)
    await page.getByLabel('Access token').fill(await admin.viewerToken(createTenant.tenant.id))
    await page.getByRole('button', { name: 'Sign in' }).click()
    for (const path of [`/c/${mixed.clusterId}`, `/c/${randomUUID()}`, '/c/none', `/c/${largeId}/none`]) {
      await page.getByRole('heading', { name: 'Not found' }).waitFor()
      expect(await page.getByText('production', { exact: true }).count()).toBe(0)
      await page.goto(`${admin.url}${path}`)
    }
    await page.getByRole('heading', { name: 'Not found' }).waitFor()
    expect(faults).toEqual([])
    await close()
  })

  test('keeps text, statuses and the chosen node in the address', async () => {
    const { page, faults, close } = await open(`/c/${mixed.clusterId}/nodes`)
    await page.getByRole('button', { name: /^Failing/ }).click()
    await page.waitForURL(/\?status=FAILING$/)
    await page.getByText('1 node', { exact: true }).waitFor()
    expect(await names(page)).toEqual(['database-1'])
    await page.getByRole('button', { name: /^Blocked/ }).click()
    await page.getByText('2 nodes', { exact: true }).waitFor()
    await page.getByLabel('Name, description or address').fill('stolen')
    await page.getByText('1 node', { exact: true }).waitFor()
    await page.reload()
    await page.getByRole('link', { name: 'stolen-phone' }).waitFor()
    expect(await page.getByLabel('Name, description or address').inputValue()).toBe('stolen')
    await page.getByLabel('Name, description or address').fill('nobody is called so')
    await page.getByRole('heading', { name: 'No node is like this' }).waitFor()
    await page.getByRole('button', { name: 'Show all' }).click()
    await page.getByRole('link', { name: 'web-1' }).click()
    const drawer = page.getByRole('dialog')
    await drawer.getByText('192.168.7.0/24').waitFor()
    await drawer.getByText('site=Frankfurt').waitFor()
    await drawer.getByText('1.10.3').waitFor()
    const address = page.url()
    await page.keyboard.press('Escape')
    await drawer.waitFor({ state: 'detached' })
    expect(page.url()).not.toBe(address)
    await page.goto(address)
    await drawer.getByRole('heading', { name: 'web-1' }).waitFor()
    expect(faults).toEqual([])
    await close()
  })

  test('takes pages and order from the server', async () => {
    const { page, faults, close } = await open(`/c/${largeId}/nodes`)
    await firstName(page, 'machine-001')
    expect(await names(page)).toHaveLength(50)
    await page.getByText('130 nodes', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'Next' }).click()
    await firstName(page, 'machine-051')
    await page.getByRole('link', { name: 'Next' }).click()
    await firstName(page, 'machine-101')
    expect(await page.getByRole('link', { name: 'Next' }).count()).toBe(0)
    await page.reload()
    await firstName(page, 'machine-101')
    await page.getByRole('link', { name: 'Previous' }).click()
    await firstName(page, 'machine-051')
    await page.getByRole('link', { name: 'Previous' }).click()
    await firstName(page, 'machine-001')
    expect(await page.getByRole('link', { name: 'Previous' }).count()).toBe(0)
    await page.getByRole('columnheader', { name: 'Name' }).getByRole('link').click()
    await firstName(page, 'machine-130')
    await page.goBack()
    await firstName(page, 'machine-001')
    expect(faults).toEqual([])
    await close()
  })

  test.each(looks)('has no fault that axe finds, %s at %i pixels', async (scheme, width) => {
    const { page, faults, close } = await open(`/c/${mixed.clusterId}`, { scheme, width })
    await page.getByText(/run version/).waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await keepScreenshot(page, `cluster-${scheme}-${width}`)
    await page.goto(`${admin.url}/c/${mixed.clusterId}/nodes`)
    await page.getByRole('rowheader', { name: 'web-1' }).waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await keepScreenshot(page, `nodes-${scheme}-${width}`)
    await page.getByRole('link', { name: 'database-1' }).click()
    await page.getByRole('dialog').getByText('Last error').waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    await keepScreenshot(page, `node-${scheme}-${width}`)
    expect(faults).toEqual([])
    await close()
  })

  test('speaks German to a German browser', async () => {
    const { page, faults, close } = await open(`/c/${mixed.clusterId}`, { locale: 'de-DE' })
    await page.getByText(new RegExp(`von 5 führen Version ${mixed.newest} aus`)).waitFor()
    await section(page, 'Zu beachten').getByText('letzter Kontakt vor 3 Tagen').waitFor()
    await page.getByRole('link', { name: /^Knoten/ }).click()
    await page.getByRole('button', { name: /^Im Rückstand/ }).waitFor()
    expect(faults).toEqual([])
    await close()
  })
})
