/** The config file: TOML, one key for each setting. Loaded only when a file is given: `zod` takes 60 ms to load. */
import { readFile } from 'node:fs/promises';
import { parse } from 'smol-toml';
import { z } from 'zod';
import { OperationalError, UsageError } from '../core/errors.js';
import type { Source, Written } from './resolve-settings.js';
import { SETTINGS, type Setting, type SettingName } from './settings.js';

const scalar = z.union([z.string(), z.number()]).transform(String);

const FORMS: Record<Setting['form'], z.ZodType<Written>> = {
  switch: z.boolean(),
  single: scalar,
  list: z.union([scalar.transform((text) => [text]), z.array(scalar)]),
};

const schema = z.strictObject(
  Object.fromEntries(
    Object.entries(SETTINGS).map(([name, setting]) => [name, FORMS[setting.form].optional()]),
  ),
);

/**
 * Reads the file at `path`. Keys of other commands are allowed, so that one file can serve several;
 * an unknown key, a value of the wrong type or bad TOML is a UsageError naming key and file, a file
 * that cannot be read an OperationalError.
 */
export async function readConfigFile(path: string): Promise<Source> {
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
  return {
    values: result.data as Partial<Record<SettingName, Written>>,
    place: (name) => `${name} in ${path}`,
  };
}

function parseToml(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    const firstLine = String(cause instanceof Error ? cause.message : cause).split('\n', 1)[0];
    throw new UsageError('BAD_CONFIG', `${path}: ${firstLine}`, { cause });
  }
}

function explain(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .map((key) => `unknown key '${key}' (every key is the name of a flag, without the dashes)`)
      .join('; ');
  }
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
