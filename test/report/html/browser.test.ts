/** The page in a real browser: the system's Chromium, where there is one. */
import { expect } from 'chai';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { reportPage } from '../../../src/report/html/page.js';
import { readResults } from '../../../src/report/read-results.js';
import { resultFolder } from '../golden-files.js';

const BROWSER = [
  process.env['CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => existsSync(path));

describe('report/html in Chromium', function () {
  this.timeout(120_000);
  let folder: string;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];
  before(async function () {
    if (BROWSER === undefined) {
      console.warn('    no Chromium on this system (apt-get install chromium, or CHROMIUM=path): skipped');
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'spark-report-'));
    const file = join(folder, 'report.html');
    writeFileSync(file, await reportPage(readResults([resultFolder('sweep')])));
    // Without its sandbox, which root may not have; the page is this test's own.
    browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
    page = await browser.newPage({ colorScheme: 'dark' });
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => faults.push(message.text()));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) faults.push(request.url());
    });
    await page.goto(pathToFileURL(file).href);
    await page.locator('#sample-list tbody tr').first().waitFor();
  });
  after(async () => {
    if (BROWSER === undefined) return;
    await browser.close();
    rmSync(folder, { recursive: true });
  });
  afterEach(() => {
    expect(faults).to.deep.equal([]);
  });

  const column = (table: Locator, n: number): Promise<string[]> =>
    table.locator(`tbody tr:visible > :nth-child(${n})`).allTextContents();
  const trimmed = (texts: readonly string[]): string[] => texts.map((text) => text.trim());

  it('loads without errors and asks for nothing', async () => {
    expect(await page.title()).to.equal('sweep <b> · spark-eval');
    expect(await page.locator('main h2').allTextContents()).to.deep.equal([
      'Summary',
      'Tables',
      'Plots',
      'Samples',
      'Cells',
      'Manifest',
    ]);
  });

  it('follows the colour scheme', async () => {
    const colour = (): Promise<string> =>
      page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const dark = await colour();
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await colour()).to.equal('rgb(255, 255, 255)');
    expect(dark).to.not.equal('rgb(255, 255, 255)');
  });

  it('sorts a table by a header, from the keyboard too', async () => {
    const table = page.locator('#table-0');
    const header = table.locator('thead th', { hasText: /^\s*score\s*$/ });
    await header.getByRole('button').click();
    expect(await header.getAttribute('aria-sort')).to.equal('descending');
    const scores = (await column(table, 2)).map(Number).filter((score) => !Number.isNaN(score));
    expect(scores).to.deep.equal([...scores].sort((a, b) => b - a));
    expect(new Set(scores).size).to.be.greaterThan(1);
    await page.keyboard.press('Enter');
    expect(await header.getAttribute('aria-sort')).to.equal('ascending');
    const ascending = (await column(table, 2)).map(Number).filter((score) => !Number.isNaN(score));
    expect(ascending).to.deep.equal([...scores].reverse());
  });

  it('filters a table', async () => {
    const box = page.locator('#all-cells');
    await box.getByLabel('Filter rows').fill('spark( depth=50');
    expect(trimmed(await column(box, 1))).to.deep.equal([
      'spark(ratio=0.5)',
      'spark(ratio=0.8)',
      'spark(ratio=0.5)',
      'spark(ratio=0.8)',
    ]);
    expect(await box.locator('output').textContent()).to.equal('4 of 25 rows');
    await box.getByLabel('Filter rows').fill('');
    expect(await column(box, 1)).to.have.length(25);
  });

  it('shows one plot at a time, reads its marks and hides its series', async () => {
    await page
      .locator('#plot-choice')
      .selectOption({ label: 'Score against stored bytes: spark-nano · context 1024' });
    expect(await page.locator('figure:visible').count()).to.equal(1);
    const figure = page.locator('figure:visible');
    const mark = figure.locator('[aria-label^="spark(ratio=0.8): stores"]');
    await mark.focus();
    expect(await page.locator('#plot-reading').textContent()).to.contain('spark(ratio=0.8): stores');
    await figure.getByLabel('spark', { exact: true }).uncheck();
    expect(await mark.isVisible()).to.equal(false);
    expect(await figure.locator('[aria-label^="full: stores"]').isVisible()).to.equal(true);
  });

  it('opens a sample and goes on to the next', async () => {
    expect(await page.locator('#sample-count').textContent()).to.equal('1 to 12 of 12 (12 samples in all)');
    await page.getByRole('button', { name: 'Open 0', exact: true }).click();
    const view = page.locator('#sample-view');
    await view.getByRole('heading', { name: 'Sample 0' }).waitFor();
    expect(await page.evaluate('document.activeElement.id')).to.equal('sample-view');
    expect(trimmed(await column(view, 1))).to.deep.equal([
      'full',
      'snapkv(budget=64)',
      'spark(ratio=0.5)',
      'spark(ratio=0.8)',
      'kivi(bits=2)',
    ]);
    await view.getByText('by layer and head').click();
    expect(await view.locator('details table tbody').first().innerText()).to.match(
      /0\s+60\s+68\s+1\s+64\s+64/,
    );
    await view.getByRole('button', { name: 'Next sample' }).click();
    await view.getByRole('heading', { name: 'Sample 1' }).waitFor();
    await view.getByRole('button', { name: 'Close' }).click();
    expect(await page.evaluate('document.activeElement.textContent')).to.equal('Open 1');
  });

  it('shows hostile answers as text, and missing ones as missing', async () => {
    const hostile = page.locator('#sample-view pre', { hasText: '</script>' });
    const buttons = page.locator('#sample-list button');
    for (let i = 0; i < (await buttons.count()) && (await hostile.count()) === 0; i++) {
      await buttons.nth(i).click();
      await page.getByRole('heading', { name: `Sample ${i}`, exact: true }).waitFor();
    }
    expect(await hostile.count()).to.equal(1);
    expect(await page.title()).to.equal('sweep <b> · spark-eval');
    await page.locator('#sample-set').selectOption({ index: 2 });
    await page.locator('#sample-count', { hasText: '(2 samples' }).waitFor();
    await page.getByRole('button', { name: 'Open 1', exact: true }).click();
    await page.locator('#sample-view').getByText('no result').waitFor();
  });

  it('lists only samples that a pipeline lost', async () => {
    await page.locator('#sample-set').selectOption({ index: 0 });
    await page.locator('#sample-count', { hasText: '(12 samples' }).waitFor();
    await page.locator('#sample-filter').selectOption({ label: 'snapkv(budget=64) below full' });
    const below = (await column(page.locator('#sample-list'), 6)).map(Number);
    expect(below.length).to.be.within(1, 11);
    expect(Math.min(...below)).to.be.greaterThan(0);
  });
});
