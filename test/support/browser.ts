import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { describe } from '@jest/globals'
import axe from 'axe-core'
import { chromium, type Browser, type Page } from 'playwright-core'

import { root } from '../../scripts/project.mjs'

const executablePath = '/usr/bin/chromium'
const screenshots = join(root, 'web/screenshots')

/** Tests in a real browser (Debian's package `chromium`): skipped where it is missing, but never in CI. */
export function describeWithBrowser(title: string, tests: () => void): void {
  if (existsSync(executablePath) || process.env['CI']) describe(title, tests)
  else describe.skip(`${title} (needs chromium)`, tests)
}

export const launch = (): Promise<Browser> => chromium.launch({ executablePath, args: ['--no-sandbox'] })

export interface Visit {
  readonly page: Page
  /** What the page should not have done: errors, violations of its policy, requests to other hosts. */
  readonly faults: string[]
  readonly close: () => Promise<void>
}

interface Look {
  readonly scheme?: 'light' | 'dark'
  readonly width?: number
  readonly locale?: string
}

/** A visitor with a browser of their own. */
export async function visit(browser: Browser, url: string, look: Look = {}): Promise<Visit> {
  const { scheme = 'light', width = 1280, locale = 'en-GB' } = look
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme: scheme, locale })
  const page = await context.newPage()
  const faults: string[] = []
  page.on('pageerror', ({ message }) => faults.push(message))
  page.on('console', (line) => {
    // Chromium reports each refused request by itself; that nobody is signed in yet is no fault.
    if (line.type() === 'error' && !line.text().includes('401')) faults.push(line.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith('data:')) faults.push(`asked ${request.url()}`)
  })
  await page.exposeFunction('reportViolation', (text: string) => faults.push(text))
  await page.addInitScript(
    `addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      reportViolation(violatedDirective + ' ' + blockedURI))`,
  )
  return { page, faults, close: () => context.close() }
}

/** What axe finds wrong with the page, in a line each. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  return page.evaluate<string[]>(
    `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`,
  )
}

export async function keepScreenshot(page: Page, name: string): Promise<void> {
  mkdirSync(screenshots, { recursive: true })
  await page.screenshot({ path: join(screenshots, `${name}.png`) })
}
