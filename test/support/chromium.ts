import type { TestContext } from 'node:test';
import { chromium, type Page } from 'playwright-core';
import { atEnd } from './clean-up.js';
import { tempFolder } from './files.js';
import { requireProgram } from './requires.js';

/** Alone with itself: nothing that it would fetch for its own ends. */
const ARGUMENTS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
];

export interface Browsed {
  readonly page: Page;
  /** Errors in the console or of scripts, dialogs that a script opened. */
  readonly troubles: string[];
  /** Of every request that was made. */
  readonly hosts: Set<string>;
}

export interface Window {
  readonly width?: number;
  readonly height?: number;
}

/** A page of a new profile in Debian's Chromium; null, and the test is skipped, where there is none. */
export async function browse(
  t: TestContext,
  { width = 1280, height = 900 }: Window = {},
): Promise<Browsed | null> {
  if (!requireProgram(t, 'chromium')) return null;
  const context = await chromium.launchPersistentContext(await tempFolder(t), {
    ...{ executablePath: '/usr/bin/chromium', args: ARGUMENTS, headless: true },
    viewport: { width, height },
  });
  atEnd(t, () => context.close());
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(15_000);
  const troubles: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      troubles.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => troubles.push(`${error}`));
  page.on('dialog', (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on('request', (request) => {
    if (!request.url().startsWith('data:')) hosts.add(new URL(request.url()).host);
  });
  return { page, troubles, hosts };
}
