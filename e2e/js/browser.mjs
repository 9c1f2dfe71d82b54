// Debian's Chromium, and what every test in it needs.
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { OUT } from './harness.mjs';

/**
 * A page, and what went wrong on it so far. `refusals` are statuses that the browser may write down: a 401 before signing in is how
 * the page learns that nobody is.
 */
export async function openBrowser(refusals = new Set(['401'])) {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--headless', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
  });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'light' });
  const page = await context.newPage();
  const problems = [];
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => problems.push(`page: ${error.message}`));
  page.on('console', (message) => {
    const wanted = [...refusals].some((status) => message.text().includes(`status of ${status}`));
    if (message.type() === 'error' && !wanted) problems.push(`console: ${message.text()}`);
  });
  return { browser, page, problems };
}

/** Pictures of the page in light and dark, in `e2e/out`. */
export async function shootBoth(page, name) {
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    // Colours fade on a change of theme; the picture is taken of where they end.
    await page.screenshot({ path: join(OUT, `${name}-${scheme}.png`), animations: 'disabled' });
  }
  await page.emulateMedia({ colorScheme: 'light' });
}
