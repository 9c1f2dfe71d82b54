import { chromium } from 'playwright-core';
const [,, url, key, ...paths] = process.argv;
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox','--headless'] });
const page = await browser.newPage({ viewport: { width: 1440, height: 1000 }, colorScheme: process.env.DARK ? 'dark' : 'light' });
await page.goto(url);
await page.getByLabel(/key/i).first().fill(key);
await page.keyboard.press('Enter');
await page.waitForURL(/\/(\?.*)?$/);
await page.waitForTimeout(1500);
for (const path of paths) {
  await page.goto(url + path);
  await page.waitForTimeout(3000);
  const name = path.replace(/[^a-z0-9]+/gi, '_');
  await page.screenshot({ path: `/tmp/shots/${name}${process.env.DARK ? '_dark':''}.png` });
}
await browser.close();
