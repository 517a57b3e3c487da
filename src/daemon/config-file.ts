/**
 * The config file: TOML, one key for each setting, and a table of limits for each file that has its own. Loaded only when a file is given: `zod` takes 60 ms to load.
 */
import { readFile } from 'node:fs/promises';
import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';
import { OperationalError, UsageError } from '../core/errors.js';
import { type FileMd5, parseFileMd5 } from '../model/ids.js';
import { type Limits, MOST_LIMITED_FILES } from './adjustable.js';
import type { Source, Written } from './resolve-settings.js';
import { rate } from './setting-kinds.js';
import { SETTINGS, type Setting, type SettingName } from './settings.js';

/** A config file as a source of settings, and what it says of single files. */
export interface ConfigFile extends Source {
  readonly files: ReadonlyMap<FileMd5, Limits>;
}

const scalar = z.union([z.string(), z.number()]).transform(String);

const FORMS: Record<Setting['form'], z.ZodType<Written>> = {
  switch: z.boolean(),
  single: scalar,
  list: z.union([scalar.transform((text) => [text]), z.array(scalar)]),
};

const limitsOfFile = z.strictObject({
  'upload-limit': scalar.optional(),
  'download-limit': scalar.optional(),
});

const schema = z.strictObject({
  ...Object.fromEntries(
    Object.entries(SETTINGS).map(([name, setting]) => [name, FORMS[setting.form].optional()]),
  ),
  files: z.record(z.string(), limitsOfFile).default({}),
});

/**
 * Reads the file at `path`. Keys of other commands are allowed, so that one file can serve several;
 * an unknown key, a value of the wrong type or bad TOML is a UsageError naming key and file, a file
 * that cannot be read an OperationalError.
 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new OperationalError(
      'disk',
      'CONFIG_FILE',
      `the config file ${path} cannot be read (${cause.code})`,
      { cause },
    );
  });
  const result = schema.safeParse(parseToml(text, path));
  if (!result.success)
    throw new UsageError('BAD_CONFIG', `${path}: ${result.error.issues.map(explain).join('; ')}`);
  const { files, ...values } = result.data;
  return {
    values: values as Partial<Record<SettingName, Written>>,
    place: (name) => `${name} in ${path}`,
    files: limitsByFile(files, path),
  };
}

function limitsByFile(
  tables: Readonly<Record<string, z.infer<typeof limitsOfFile>>>,
  path: string,
): Map<FileMd5, Limits> {
  const files = new Map<FileMd5, Limits>();
  for (const [key, written] of Object.entries(tables)) {
    const md5 = parseFileMd5(key);
    if (md5 === null)
      throw new UsageError('BAD_CONFIG', `${path}: '${key}' in [files] is no MD5; expected 32 hex digits`);
    const upload = limitOf(written['upload-limit'], `upload-limit of ${key} in ${path}`);
    files.set(md5, {
      upload,
      download: limitOf(written['download-limit'], `download-limit of ${key} in ${path}`),
    });
  }
  if (files.size <= MOST_LIMITED_FILES) return files;
  throw new UsageError(
    'BAD_CONFIG',
    `${path}: [files] has ${files.size} files; at most ${MOST_LIMITED_FILES} can have limits of their own`,
  );
}

function limitOf(written: string | undefined, place: string): number | null {
  if (written === undefined) return null;
  const bytes = rate.parse(written, '');
  if (bytes === null)
    throw new UsageError('BAD_VALUE', `${place}: '${written}' is not valid; expected ${rate.expects}`);
  return bytes;
}

function parseToml(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const [firstLine] = cause.message.split('\n', 1);
    throw new UsageError('BAD_CONFIG', `${path}:${cause.line}:${cause.column}: ${firstLine}`, { cause });
  }
}

function explain(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .map((key) => `unknown key '${key}' (${knownKeys(issue.path[0] === 'files')})`)
      .join('; ');
  }
  if (issue.path[0] === 'files') return `'${issue.path.join('.')}' must be ${formInFiles(issue.path.length)}`;
  const name = String(issue.path[0] ?? '');
  const form = SETTINGS[name as SettingName]?.form;
  const expected =
    form === 'switch'
      ? 'true or false'
      : form === 'list'
        ? 'a text or a list of texts'
        : 'a text or a number';
  return `'${name}' must be ${expected}`;
}

function knownKeys(inFiles: boolean): string {
  return inFiles
    ? 'a file may have upload-limit and download-limit'
    : 'every key is the name of a flag, without the dashes';
}

/** By how far down in the table of files. */
function formInFiles(depth: number): string {
  return depth > 2 ? 'a text or a number' : 'a table such as [files."0123456789abcdef0123456789abcdef"]';
}
