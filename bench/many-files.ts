/**
 * `node dist/bench/many-files.js [--files N] [--runs N] [--json]`: what it is like to use a daemon with many files: seconds of `ls` from
 * the start of its process to its exit, and in Chromium, where there is one, until the page shows files, from a key to what
 * it moves to, and the longest task of the page meanwhile (0: none took 50 ms).
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { measuredRun } from './lib/measured-run.js';
import { Program } from './lib/program.js';
import { median, Report } from './lib/report.js';
import { inScratchFolder } from './lib/scratch.js';
import { startServedSwarm } from './lib/served-swarm.js';

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '15' },
    json: { type: 'boolean', default: false },
  },
});
const CHROMIUM = '/usr/bin/chromium';
const report = new Report('many-files', values.json);
report.run();

await inScratchFolder(async (folder) => {
  const program = new Program(folder);
  const swarm = await startServedSwarm(program, folder, { size: 1_048_576, files: Number(values.files) });
  const http = ['--http', swarm.url.slice('http://'.length)];
  await reportRuns('ls', () => program.start('ls', ['ls', ...http]));
  await reportRuns('ls-want-200', () => program.start('ls', ['ls', '--want', '200', ...http]));
  if (existsSync(CHROMIUM)) await reportPage(`${folder}/chromium`, swarm.url);
  else report.note(`no page: there is no ${CHROMIUM}`);
  await swarm.end();
});

function rowsOf(page: Page) {
  return page.getByRole('listbox', { name: 'Files' });
}

async function reportRuns(name: string, start: () => ReturnType<Program['start']>): Promise<void> {
  const seconds: number[] = [];
  for (let run = 0; run < Number(values.runs); run++) seconds.push((await measuredRun(start)).seconds);
  report.result(name, median(seconds), 's');
  report.result(`${name}-longest`, Math.max(...seconds), 's');
}

async function reportPage(profile: string, url: string): Promise<void> {
  const { chromium } = await import('playwright-core');
  const context = await chromium.launchPersistentContext(profile, {
    ...{ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'], headless: true },
  });
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    await page.addInitScript(`
      window.longest = 0;
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
      }).observe({ type: 'longtask', buffered: true });
    `);
    const began = performance.now();
    await page.goto(url);
    await rowsOf(page).getByRole('option').first().waitFor();
    report.result('page-shows-files', (performance.now() - began) / 1e3, 's');
    const keys = await keySeconds(page);
    report.result('page-key', median(keys), 's');
    report.result('page-key-longest', Math.max(...keys), 's');
    report.result('page-longest-task', Number(await page.evaluate('window.longest')) / 1e3, 's');
  } finally {
    await context.close();
  }
}

/** From each key that goes to another end of the list until the file there is shown as the selected one. */
async function keySeconds(page: Page): Promise<number[]> {
  await page.getByLabel('Order').selectOption({ label: 'Name' });
  await rowsOf(page).getByRole('option').first().waitFor();
  await rowsOf(page).focus();
  await page.keyboard.press('Home');
  const seconds: number[] = [];
  for (let run = 0; run < Number(values.runs); run++) {
    for (const [key, name] of [
      ['End', /^source\.bin$/],
      ['Home', /^small-0\.txt$/],
    ] as const) {
      const began = performance.now();
      await page.keyboard.press(key);
      await page.getByRole('heading', { name }).waitFor();
      seconds.push((performance.now() - began) / 1e3);
    }
  }
  return seconds;
}
