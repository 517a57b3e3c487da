import { readFile } from 'node:fs/promises';
import { OperationalError, UsageError } from '../core/errors.js';
import { httpToken } from '../daemon/setting-kinds.js';
import type { SettingName } from '../daemon/settings.js';

interface TokenSettings {
  readonly 'http-token': string | null;
  readonly 'http-token-file': string | null;
}

/** What requests over HTTP bring; null: nothing. Throws UsageError, and OperationalError when the file cannot be read. */
export async function tokenOf(
  settings: TokenSettings,
  givenBy: (name: SettingName) => string | null,
): Promise<string | null> {
  const [token, file] = [settings['http-token'], settings['http-token-file']];
  if (token !== null && file !== null) {
    const places = [givenBy('http-token'), givenBy('http-token-file')];
    throw new UsageError(
      'TWO_TOKENS',
      `${places.join(' and ')} contradict each other: leave one of them out`,
    );
  }
  return file === null ? token : tokenIn(file);
}

async function tokenIn(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new OperationalError(
      'disk',
      'TOKEN_FILE',
      `the token file ${path} cannot be read (${cause.code})`,
      { cause },
    );
  });
  const token = httpToken.parse(text, '');
  if (token === null) {
    throw new UsageError('BAD_TOKEN', `the token file ${path} holds no token; expected ${httpToken.expects}`);
  }
  return token;
}
