import { Argument, Command, CommanderError } from 'commander';
import { UsageError } from '../core/errors.js';
import type { Source } from '../daemon/resolve-settings.js';
import type { CommandName } from '../daemon/settings.js';
import { COMMANDS, type Word } from './commands.js';
import { addFlags, readFlags } from './flags.js';

export interface CommandLine {
  readonly command: CommandName;
  readonly words: readonly string[];
  readonly flags: Source;
  readonly configFile: string | null;
}

const AFTER_HELP = `
Every flag can also be set as an environment variable (--upload-limit: BUGTORRENT_UPLOAD_LIMIT, lists
separated by commas) or as a key of the file given by --config (upload-limit = "10M"); a flag wins over the
environment, the environment over the file.`;

/**
 * Reads the words of a command line. Null when help was asked for, which went to `print`; throws a
 * UsageError for everything that no command understands.
 */
export function parseCommandLine(argv: readonly string[], print: (text: string) => void): CommandLine | null {
  let line: CommandLine | null = null;
  const program = buildProgram(argv, print, (chosen) => {
    line = chosen;
  });
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return null;
    const help = `${['bugtorrent', ...argv.slice(0, 1).filter(isCommand)].join(' ')} --help`;
    throw new UsageError('BAD_COMMAND_LINE', `${oneLine(error.message)}; see ${help}`, { cause: error });
  }
  return line;
}

function buildProgram(
  argv: readonly string[],
  print: (text: string) => void,
  choose: (line: CommandLine) => void,
): Command {
  const program = new Command('bugtorrent')
    .description('Shares and downloads files in verified parts.')
    // Only for the help: it is answered before anything is parsed.
    .option('-V, --version', 'print the version')
    // Inherited by the commands, which are therefore made after it.
    .exitOverride()
    .configureOutput({ writeOut: print, outputError: () => {} });
  for (const name of Object.keys(COMMANDS) as CommandName[]) {
    const { summary, words } = COMMANDS[name];
    const command = program.command(name).description(summary).addHelpText('after', AFTER_HELP);
    for (const word of words ?? []) command.addArgument(argumentOf(word));
    // Nobody sees the flags of a command that is not named; making them all takes milliseconds.
    if (argv.includes(name)) addFlags(command, name);
    command.action(() =>
      choose({
        command: name,
        words: command.args,
        flags: readFlags(command, name),
        configFile: command.opts<{ config?: string }>().config ?? null,
      }),
    );
  }
  return program;
}

function argumentOf({ syntax, help, choices }: Word): Argument {
  const argument = new Argument(syntax, help);
  return choices ? argument.choices(choices) : argument;
}

function isCommand(word: string): word is CommandName {
  return Object.hasOwn(COMMANDS, word);
}

/** Commander's message without its `error: ` and with its suggestion on the same line. */
function oneLine(message: string): string {
  return message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .replace(/\.$/, '');
}
