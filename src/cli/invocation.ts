import type { Limits } from '../daemon/adjustable.js';
import type { Finding } from '../daemon/doctor/finding.js';
import type { CommandName, SettingName, SettingsOf } from '../daemon/settings.js';
import type { FileMd5 } from '../model/ids.js';
import type { Output } from './output.js';
import type { StopRequest } from './stop-request.js';

/** What a config file can change while a command runs. */
interface Configured<N extends CommandName> {
  readonly settings: SettingsOf<N>;
  /** Of single files, which only the config file gives. */
  readonly files: ReadonlyMap<FileMd5, Limits>;
}

/** One call of a command: what it was given and where it speaks. */
export interface Invocation<N extends CommandName> extends Configured<N> {
  /** The words after the command that are no flags. */
  readonly words: readonly string[];
  /** Where a setting was given, as messages name it; null when it has its default. */
  givenBy(name: SettingName): string | null;
  /** What `doctor` is told of the config file; null where there is none, and for all other commands. */
  readonly config: Finding | null;
  /** Reads the config file again, which the same flags and variables win over; null without a file. Throws as at the start. */
  readonly configureAgain: (() => Promise<Configured<N>>) | null;
  readonly env: NodeJS.ProcessEnv;
  readonly output: Output;
  readonly stop: StopRequest;
}

/** What every command's file exports: settles when the command is done, throws what `exitCodeOf` knows. */
export interface CommandModule<N extends CommandName> {
  run(invocation: Invocation<N>): Promise<void>;
}
