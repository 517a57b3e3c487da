import type { Finding } from '../daemon/doctor/finding.js';
import type { CommandName, SettingName, SettingsOf } from '../daemon/settings.js';
import type { Output } from './output.js';
import type { StopRequest } from './stop-request.js';

/** One call of a command: what it was given and where it speaks. */
export interface Invocation<N extends CommandName> {
  /** The words after the command that are no flags. */
  readonly words: readonly string[];
  readonly settings: SettingsOf<N>;
  /** Where a setting was given, as messages name it; null when it has its default. */
  givenBy(name: SettingName): string | null;
  /** What `doctor` is told of the config file; null where there is none, and for all other commands. */
  readonly config: Finding | null;
  readonly env: NodeJS.ProcessEnv;
  readonly output: Output;
  readonly stop: StopRequest;
}

/** What every command's file exports: settles when the command is done, throws what `exitCodeOf` knows. */
export interface CommandModule<N extends CommandName> {
  run(invocation: Invocation<N>): Promise<void>;
}
