import { type Command, Option } from 'commander';
import type { Source, Written } from '../daemon/resolve-settings.js';
import {
  type CommandName,
  SETTINGS,
  type Setting,
  type SettingName,
  settingNames,
} from '../daemon/settings.js';

/** Gives a command of the command line the flags of its settings. */
export function addFlags(command: Command, name: CommandName): void {
  for (const setting of settingNames(name)) command.addOption(flagOf(setting, SETTINGS[setting], name));
  command.option('--config <FILE>', 'TOML file with settings: every flag is a key');
}

function flagOf(name: SettingName, setting: Setting, command: CommandName): Option {
  const dashes =
    'short' in setting && setting.short !== undefined ? `-${setting.short}, --${name}` : `--${name}`;
  if (setting.form === 'switch') return new Option(dashes, setting.help);
  const fallback = [
    (setting.defaults as Record<string, string | null | readonly string[]>)[command] ?? [],
  ].flat();
  const help = fallback.length === 0 ? setting.help : `${setting.help} (default: ${fallback.join(', ')})`;
  const option = new Option(`${dashes} <${setting.kind.placeholder}>`, help);
  if (setting.form === 'list') {
    option.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]);
  }
  return option;
}

/** What the flags on the command line say. */
export function readFlags(command: Command, name: CommandName): Source {
  const given = command.opts<Record<string, Written | undefined>>();
  const values: Partial<Record<SettingName, Written>> = {};
  for (const setting of settingNames(name)) {
    const option = command.options.find((each) => each.name() === setting);
    const value = given[option!.attributeName()];
    // Of `--no-seed` commander makes `seed`, which is true while the flag is absent.
    if (option!.negate) {
      if (value === false) values[setting] = true;
    } else if (value !== undefined) values[setting] = value;
  }
  return { values, place: (setting) => `--${setting}` };
}
