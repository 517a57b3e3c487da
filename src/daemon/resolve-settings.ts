import { UsageError } from '../core/errors.js';
import {
  type CommandName,
  environmentName,
  SETTINGS,
  type Setting,
  type SettingName,
  type SettingsOf,
  settingNames,
} from './settings.js';

/** A setting as it was written: lists as arrays, switches as booleans, all else as text. */
export type Written = string | readonly string[] | boolean;

/** What one source says, and how a message names the place of a setting in it. */
export interface Source {
  readonly values: Readonly<Partial<Record<SettingName, Written>>>;
  place(name: SettingName): string;
}

export interface Resolved<N extends CommandName> {
  readonly settings: SettingsOf<N>;
  /** Where a setting was given (`--cache`, `BUGTORRENT_CACHE`, …); null when it has its default. */
  givenBy(name: SettingName): string | null;
}

export const CONFIG_VARIABLE = 'BUGTORRENT_CONFIG';
/** Stacks of errors, and logs down to `debug`. */
export const DEBUG_VARIABLE = 'BUGTORRENT_DEBUG';
/** A file that the process leaves its counters in when it ends, as JSON; for benchmarks. */
export const STATS_VARIABLE = 'BUGTORRENT_STATS';
/** Which of several processes this is: from their leader. */
export const PROCESS_VARIABLE = 'BUGTORRENT_PROCESS';

const NO_SETTINGS = new Set([CONFIG_VARIABLE, DEBUG_VARIABLE, STATS_VARIABLE, PROCESS_VARIABLE]);

const WORDS: Readonly<Record<string, boolean>> = {
  '1': true,
  true: true,
  yes: true,
  on: true,
  '0': false,
  false: false,
  no: false,
  off: false,
};

/** `1`, `true`, `yes`, `on` and their opposites, in any case; null otherwise. */
function parseSwitch(text: string): boolean | null {
  return WORDS[text.trim().toLowerCase()] ?? null;
}

/** Whether BUGTORRENT_DEBUG asks for stacks and all logs. */
export function isDebugging(env: NodeJS.ProcessEnv): boolean {
  return parseSwitch(env[DEBUG_VARIABLE] ?? '') ?? false;
}

/**
 * The environment as a source. A variable that is empty counts as not set; `unknown` names the
 * `BUGTORRENT_*` variables that mean nothing.
 */
export function environmentSource(env: NodeJS.ProcessEnv): { source: Source; unknown: string[] } {
  const names = new Map(
    (Object.keys(SETTINGS) as SettingName[]).map((name) => [environmentName(name), name]),
  );
  const values: Partial<Record<SettingName, Written>> = {};
  const unknown: string[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('BUGTORRENT_') || NO_SETTINGS.has(variable)) continue;
    const name = names.get(variable);
    if (name === undefined) unknown.push(variable);
    else if (text) values[name] = text;
  }
  return { source: { values, place: environmentName }, unknown };
}

/**
 * The settings of one command: the first source that gives a setting wins, a list as a whole. A value
 * that cannot be read is a UsageError naming its place.
 */
export function resolveSettings<N extends CommandName>(command: N, sources: readonly Source[]): Resolved<N> {
  const settings: Partial<Record<SettingName, unknown>> = {};
  const places = new Map<SettingName, string>();
  for (const name of settingNames(command)) {
    const source = sources.find((each) => each.values[name] !== undefined);
    const place = source?.place(name) ?? `the default of --${name}`;
    if (source) places.set(name, place);
    settings[name] = readSetting(SETTINGS[name], command, source?.values[name], place);
  }
  return { settings: settings as SettingsOf<N>, givenBy: (name) => places.get(name) ?? null };
}

function readSetting(
  setting: Setting,
  command: CommandName,
  written: Written | undefined,
  place: string,
): unknown {
  if (setting.form === 'switch') return readSwitch(written ?? false, place);
  const read = (text: string): unknown => {
    const value = setting.kind.parse(text, command);
    if (value === null) throw badValue(text, place, setting.kind.expects);
    return value;
  };
  // The commands that have the setting are the keys of its defaults.
  const fallback = (setting.defaults as Record<string, string | null | readonly string[]>)[command];
  const given = written ?? fallback ?? null;
  if (setting.form === 'list') return listItems(given).map(read);
  return given === null ? null : read(String(given));
}

function readSwitch(written: Written, place: string): boolean {
  const on = typeof written === 'string' ? parseSwitch(written) : written;
  if (typeof on !== 'boolean') throw badValue(String(written), place, 'yes or no');
  return on;
}

/** Only a source that has but one text for a list (the environment) separates it by commas. */
function listItems(given: Written | null): readonly string[] {
  if (typeof given !== 'string') return (given ?? []) as readonly string[];
  return given
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function badValue(text: string, place: string, expects: string): UsageError {
  return new UsageError('BAD_VALUE', `${place}: '${text}' is not valid; expected ${expects}`);
}
