import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../core/make-folder.js';
import { diskError } from '../storage/disk-error.js';

export const SAMPLE_NAME = 'bugtorrent-sample.txt';
/** Some 4 MB: enough parts to see them travel. */
const LINES = 50_000;

/** Puts a sample file into `folder` when there is nothing in it to share; makes the folder when missing. */
export async function ensureSample(folder: string): Promise<void> {
  const target = join(folder, SAMPLE_NAME);
  try {
    await makeFolder(folder);
    const visible = (await readdir(folder)).filter((name) => !name.startsWith('.'));
    if (visible.length > 0) return;
    // Hidden until it is whole, so that half a sample is never shared.
    const unfinished = join(folder, `.${SAMPLE_NAME}`);
    await writeFile(unfinished, sampleText());
    await rename(unfinished, target);
  } catch (error) {
    throw diskError(error, target);
  }
}

/** The same text on every machine: its MD5 can be compared. */
export function sampleText(): string {
  const lines = [
    'A sample file of BugTorrent. Every line says where it begins, so that you can see it arrive whole.\n',
  ];
  let offset = lines[0]!.length;
  for (let line = 2; line <= LINES; line += 1) {
    const text = `line ${String(line).padStart(5, '0')} begins at byte ${String(offset).padStart(7, '0')}: a part is complete when every byte of it is\n`;
    lines.push(text);
    offset += text.length;
  }
  return lines.join('');
}
