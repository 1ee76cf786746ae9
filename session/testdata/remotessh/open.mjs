// node open.mjs TOOLCHAIN URL FILE: opens a VS Code server's workbench in Chromium, waits until its explorer shows FILE, opens it, and prints its first line.

import { createRequire } from 'node:module';
import path from 'node:path';

const [toolchain, url, file] = process.argv.slice(2);
const { chromium } = createRequire(path.join(toolchain, 'package.json'))('playwright-core');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(100_000);
  await page.goto(url);
  const trust = page.getByRole('button', { name: /Yes, I trust/ });
  const entry = page.locator('.explorer-folders-view').getByText(file, { exact: true });
  await Promise.race([trust.click().then(() => entry.waitFor()), entry.waitFor()]);
  await entry.dblclick();
  console.log((await page.locator('.editor-instance .view-line').first().textContent()).replaceAll('\u00a0', ' '));
} finally {
  await browser.close();
}
