import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { parseMagnet } from '../../src/model/magnet.js';
import { ApiScene } from '../support/api-daemon.js';
import { type Browsed, browse, type Window } from '../support/chromium.js';
import { md5, seededBytes } from '../support/files.js';
import { soon } from '../support/soon.js';

const PART = 262_144;
const HOSTILE = '<img src=x onerror=alert(1)>';
const content = seededBytes('page', 30 * PART + 7);
const ID = md5(content);

/** The page of a daemon, once its events arrive. */
async function opened(t: TestContext, port: number, window: Window = {}): Promise<Browsed | null> {
  const browsed = await browse(t, window);
  if (browsed === null) return null;
  await browsed.page.goto(`http://127.0.0.1:${port}/`);
  await browsed.page.getByText('Live', { exact: true }).waitFor();
  return browsed;
}

/** The list of files; menus have options too. */
const rowsOf = (page: Page) => page.getByRole('listbox', { name: 'Files' });

function noTroubleIn({ troubles, hosts }: Browsed, port: number): void {
  assert.deepEqual(troubles, []);
  assert.deepEqual([...hosts], [`127.0.0.1:${port}`], 'no other host was asked for anything');
}

test('by keyboard a link is added, paused, resumed and removed, and its hostile name is text', async (t) => {
  const scene = await ApiScene.start(t);
  await scene.sharer({ [HOSTILE]: content });
  const { api } = await scene.daemon({ downloadLimit: PART });
  const browsed = await opened(t, api.port);
  if (browsed === null) return;
  const { page } = browsed;
  await page.getByText('No files yet.').waitFor();

  await page.keyboard.press('/');
  await page.keyboard.type(`magnet:?xt=urn:md5:${ID}`);
  await page.getByRole('button', { name: 'Add', exact: true }).waitFor();
  await page.keyboard.press('Enter');
  const row = rowsOf(page).getByRole('option');
  await row.getByText(HOSTILE, { exact: true }).waitFor();
  await page.getByRole('heading', { name: HOSTILE }).waitFor();
  await row.getByText(/Downloading · \d+ %/).waitFor();
  await page
    .locator('#detail-parts')
    .getByText(/^Parts: [1-9]\d* of 31 stored$/)
    .waitFor();
  assert.equal(await page.locator('#detail-owners tbody tr').count(), 1);
  assert.equal(await page.locator('img').count(), 0);

  await rowsOf(page).focus();
  await page.keyboard.press('Space');
  await row.getByText(/^Paused/).waitFor();
  assert.equal((await api.get(`/files/${ID}`)).json.state, 'paused');
  await page.keyboard.press('Space');
  await row.getByText(/^Downloading/).waitFor();

  await page.keyboard.press('Delete');
  const question = page.getByRole('dialog', { name: 'Remove this download?' });
  await question.getByText(HOSTILE).waitFor();
  await page.keyboard.press('Escape');
  await question.waitFor({ state: 'hidden' });
  assert.equal((await api.get('/files')).json.total, 1, 'nothing was removed');
  await page.keyboard.press('Delete');
  await question.waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByText('No files yet.').waitFor();
  assert.equal((await api.get('/files')).json.total, 0);
  await page.getByRole('heading', { name: HOSTILE }).waitFor({ state: 'hidden' });
  noTroubleIn(browsed, api.port);
});

test('whoever takes a file has a row with its slot and why it holds it', async (t) => {
  const scene = await ApiScene.start(t);
  await writeFile(scene.path('own', HOSTILE), content);
  const { api } = await scene.daemon({ uploadLimit: PART });
  await soon(async () => (await api.get('/files')).json.total === 1);
  const folder = scene.path('shared');
  const taker = await scene.sharer({}, { downloads: folder });
  await taker.transfers!.add(parseMagnet((await api.get(`/files/${ID}`)).json.magnet)!);
  const browsed = await opened(t, api.port);
  if (browsed === null) return;
  const row = browsed.page.locator('#slots tbody tr');
  await row.getByText(/^(Regular|Optimistic|Lent): /).waitFor();
  await row.getByText(/^\d.* KiB\/s$/).waitFor();
  noTroubleIn(browsed, api.port);
});

test('after a file is removed the keys go on at the next one, and no name turns its text around', async (t) => {
  const scene = await ApiScene.start(t);
  for (const name of ['a.bin', 'b.bin', '\u202ec.gpj']) await writeFile(scene.path('own', name), name);
  const { api } = await scene.daemon();
  await soon(async () => (await api.get('/files')).json.total === 3);
  const browsed = await opened(t, api.port);
  if (browsed === null) return;
  const { page } = browsed;
  await page.getByLabel('Order').selectOption({ label: 'Name' });
  await rowsOf(page).getByRole('option').first().filter({ hasText: 'a.bin' }).waitFor();
  await rowsOf(page).getByRole('option', { name: 'a.bin' }).click();
  await page.getByRole('heading', { name: 'a.bin' }).waitFor();
  await page.keyboard.press('Delete');
  await page.getByRole('dialog').getByRole('button', { name: 'Stop sharing' }).click();
  await page.getByRole('heading', { name: 'b.bin' }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.getByRole('heading', { name: '\\u{202e}c.gpj', exact: true }).waitFor();
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate('document.activeElement.id'), 'detail-name');
  noTroubleIn(browsed, api.port);
});

test('whoever else has a shared file is shown beside it', async (t) => {
  const scene = await ApiScene.start(t);
  await scene.sharer({ 'a.bin': content });
  const { api } = await scene.daemon();
  await api.ask('/files', { method: 'POST', json: { md5: ID } });
  const browsed = await opened(t, api.port);
  if (browsed === null) return;
  const { page } = browsed;
  const row = rowsOf(page).getByRole('option', { name: 'a.bin' });
  await row.getByText(/^Shared/).waitFor();
  await row.click();
  const owner = page.locator('#detail-owners tbody tr');
  await owner.getByText('all', { exact: true }).waitFor();
  assert.equal(await owner.count(), 1);
  noTroubleIn(browsed, api.port);
});

test('no rule of accessibility is broken, in the light or the dark, on a wide screen or a phone', async (t) => {
  const scene = await ApiScene.start(t);
  await scene.sharer({ [HOSTILE]: content });
  const { api } = await scene.daemon({ downloadLimit: PART });
  await api.ask('/files', { method: 'POST', json: { md5: ID } });
  const browsed = await opened(t, api.port);
  if (browsed === null) return;
  const { page } = browsed;
  await rowsOf(page).getByRole('option').click();
  await page.locator('#detail-owners tbody tr').waitFor();
  await page.getByRole('textbox', { name: /words to search for/ }).fill('onerror');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: `Add ${HOSTILE}` }).waitFor();
  await page.evaluate(axe.source);
  const broken = () =>
    page.evaluate<string[]>(
      `axe.run().then(({ violations }) =>
        violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(', ')))`,
    );
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 844 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await broken(), []);
      for (const button of ['#open-limits', '#detail-actions button:has-text("Remove…")']) {
        await page.locator(button).click();
        await page.getByRole('dialog').waitFor();
        assert.deepEqual(await broken(), []);
        await page.keyboard.press('Escape');
      }
    }
  }
  noTroubleIn(browsed, api.port);
});

test('what a search finds and what a dropped file lists is added, and ends as shared', async (t) => {
  const scene = await ApiScene.start(t);
  const other = seededBytes('page-other', 3 * PART + 1);
  await scene.sharer({ [HOSTILE]: content, 'other.bin': other });
  const { api } = await scene.daemon();
  const browsed = await opened(t, api.port);
  if (browsed === null) return;
  const { page } = browsed;
  await page.getByRole('textbox', { name: /words to search for/ }).fill('onerror');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: `Add ${HOSTILE}` }).click();
  await rowsOf(page).getByRole('option').getByText('Shared', { exact: true }).waitFor();

  const drop = (name: string, text: string) =>
    page.evaluate(`{
      const data = new DataTransfer();
      data.items.add(new File([${JSON.stringify(text)}], ${JSON.stringify(name)}, { type: 'text/plain' }));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    }`);
  await drop('links.txt', `of interest:\nmagnet:?xt=urn:md5:${md5(other)}\n`);
  await soon(async () => (await api.get('/files?state=shared')).json.total === 2);
  await rowsOf(page).getByRole('option').getByText('other.bin', { exact: true }).waitFor();
  await drop('photo.jpg', 'not a link');
  await page.getByText(/To share a file itself, write its path/).waitFor();
  noTroubleIn(browsed, api.port);
});

test('what only other trackers know is asked for when it is wanted, and added with its tracker', async (t) => {
  const scene = await ApiScene.start(t);
  const { at } = await scene.neighbour();
  await scene.sharer({ [HOSTILE]: content }, { trackers: [at] });
  const { api } = await scene.daemon();
  const browsed = await opened(t, api.port);
  if (browsed === null) return;
  const { page } = browsed;
  await page.getByRole('textbox', { name: /words to search for/ }).fill('onerror');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing found.').waitFor();
  const around = page.getByRole('button', { name: 'Ask other trackers' });
  const message = 'no tracker can be reached';
  const failure = { status: 502, json: { error: { code: 'NO_TRACKER', message } } };
  await page.route(/flood=true/, (route) => route.fulfill(failure), { times: 1 });
  await around.click();
  await page.getByText(message).waitFor();
  assert.match(browsed.troubles.splice(0).join('\n'), /^Failed to load resource: [^\n]* 502 [^\n]*$/);
  await around.click();
  await page.getByRole('button', { name: `Add ${HOSTILE}` }).click();
  await rowsOf(page).getByRole('option').getByText('Shared', { exact: true }).waitFor();
  noTroubleIn(browsed, api.port);
});

test('limits are read, refused with a reason, and set', async (t) => {
  const scene = await ApiScene.start(t);
  const { api } = await scene.daemon();
  const browsed = await opened(t, api.port);
  if (browsed === null) return;
  const { page } = browsed;
  await page.getByRole('button', { name: 'Limits…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Limits of the daemon' });
  await dialog.getByLabel('Upload, KiB/s').fill('fast');
  await page.keyboard.press('Enter');
  await dialog
    .getByRole('alert')
    .getByText(/^Upload: write KiB a second/)
    .waitFor();
  await dialog.getByLabel('Upload, KiB/s').fill('2048');
  await dialog.getByLabel('Upload slots').fill('6');
  await page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  const { json } = await api.get('/settings');
  assert.deepEqual(json, { uploadLimit: 2_097_152, downloadLimit: null, slots: 6 });
  noTroubleIn(browsed, api.port);
});

test('at phone width nothing is wider than the screen', async (t) => {
  const scene = await ApiScene.start(t);
  const long = `${'a-very-long-name-without-any-space'.repeat(6)}.bin`;
  await writeFile(scene.path('own', long), content);
  const { api } = await scene.daemon();
  await soon(async () => (await api.get('/files')).json.total === 1);
  const browsed = await opened(t, api.port, { width: 360, height: 740 });
  if (browsed === null) return;
  const { page } = browsed;
  await rowsOf(page).getByRole('option').click();
  await page.getByRole('heading', { name: long }).waitFor();
  await page.getByText('Parts: 31 of 31 stored').waitFor();
  assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
  noTroubleIn(browsed, api.port);
});

test('a daemon that wants a token is shown to who has it, and the tab keeps it', async (t) => {
  const scene = await ApiScene.start(t);
  const token = 'a-token-of-some-length';
  const { api } = await scene.daemon({}, { token });
  const browsed = await browse(t);
  if (browsed === null) return;
  const { page, hosts } = browsed;
  await page.goto(`http://127.0.0.1:${api.port}/`);
  const dialog = page.getByRole('dialog', { name: 'This daemon asks for a token' });
  await dialog.waitFor();
  await page.keyboard.type('not-the-token-at-all');
  await page.keyboard.press('Enter');
  await dialog.getByText(/That token was not accepted/).waitFor();
  await page.keyboard.type(token);
  await page.keyboard.press('Enter');
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByText('No files yet.').waitFor();
  await page.reload();
  await page.getByText('Live', { exact: true }).waitFor();
  assert.equal(await dialog.isVisible(), false);
  assert.deepEqual([...hosts], [`127.0.0.1:${api.port}`]);
});

test('of ten thousand files only those in sight are in the document, and the last one is a key away', async (t) => {
  const scene = await ApiScene.start(t);
  const total = 10_000;
  for (let at = 0; at < total; at += 500) {
    const names = Array.from({ length: 500 }, (_, each) => `${at + each}`.padStart(5, '0'));
    await Promise.all(names.map((name) => writeFile(scene.path('own', `file-${name}`), name)));
  }
  const { api } = await scene.daemon();
  await soon(async () => (await api.get('/files?limit=1')).json.total === total, 60_000);
  const browsed = await opened(t, api.port);
  if (browsed === null) return;
  const { page } = browsed;
  await page.getByLabel('Order').selectOption({ label: 'Name' });
  await rowsOf(page).getByRole('option', { name: 'file-00000' }).waitFor();
  await rowsOf(page).focus();
  await page.keyboard.press('ArrowDown');
  await page.getByRole('heading', { name: 'file-00000' }).waitFor();
  await page.keyboard.press('End');
  await page.getByRole('heading', { name: 'file-09999' }).waitFor();
  assert.ok((await rowsOf(page).getByRole('option').count()) < 40);
  await page.getByLabel('Only files whose name has').fill('0123');
  await rowsOf(page).getByRole('option', { name: 'file-01239' }).waitFor();
  assert.equal(await page.locator('#files-total').textContent(), '11');
  noTroubleIn(browsed, api.port);
});
