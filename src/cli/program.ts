import type { ConfigFile } from '../daemon/config-file.js';
import {
  CONFIG_VARIABLE,
  environmentSource,
  resolveSettings,
  type Source,
} from '../daemon/resolve-settings.js';
import type { CommandName, SettingsOf } from '../daemon/settings.js';
import { diskError } from '../storage/disk-error.js';
import { type CommandLine, parseCommandLine } from './command-line.js';
import { COMMANDS } from './commands.js';
import { EXIT, type ExitCode } from './exit-code.js';
import { reportFailure } from './failure.js';
import { Output } from './output.js';
import type { StopRequest } from './stop-request.js';

/** What a command line runs with; `json` is known for sure only when its settings are. */
interface Host {
  readonly output: Output;
  readonly stop: StopRequest;
  readonly env: NodeJS.ProcessEnv;
  json: boolean;
}

/** Runs the command line `argv` in `process` until `stop` is made; returns the exit code once everything was said. */
export async function runProgram(
  argv: readonly string[],
  process: NodeJS.Process,
  stop: StopRequest,
): Promise<ExitCode> {
  const { env, stdout, stderr } = process;
  const host: Host = { output: new Output(stdout, stderr, env), stop, env, json: argv.includes('--json') };
  const failAtOnce = (error: unknown) => process.exit(reportFailure(error, host));
  process.on('uncaughtException', failAtOnce);
  let lost: unknown = null;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') lost = diskError(error, 'stdout');
    // In order: no tracker shall name us any longer.
    stop.make(lost === null ? 'stdout closed' : 'stdout failed');
  });
  // Without stderr there is nobody to tell.
  stderr.on('error', () => {});
  // A command may wait for nothing but a Clock, whose timers do not keep a process alive.
  const alive = setInterval(() => {}, 2 ** 30);
  try {
    if (argv.length === 0) {
      parseCommandLine(['--help'], (text) => stderr.write(text));
      return EXIT.usage;
    }
    if (argv[0] === '--version' || argv[0] === '-V') {
      host.output.print((await import('./version.js')).version());
      return EXIT.done;
    }
    const line = parseCommandLine(argv, (text) => stdout.write(text));
    if (line !== null) await execute(line.command, line, host);
    // That stdout did not take the last of it is known only when all of it was written.
    await new Promise((said) => stdout.write('', said));
    return lost === null ? EXIT.done : reportFailure(lost, host);
  } catch (error) {
    return reportFailure(lost ?? error, host);
  } finally {
    clearInterval(alive);
  }
}

async function execute<N extends CommandName>(name: N, line: CommandLine, host: Host): Promise<void> {
  const configFile = line.configFile ?? host.env[CONFIG_VARIABLE];
  const stronger = strongerSources(line, host);
  const checked = name === 'doctor' && configFile ? await checkConfig(configFile) : null;
  const configure = async () => {
    const file = checked?.file ?? (configFile && checked === null ? await readConfig(configFile) : null);
    const resolved = resolveSettings(name, file === null ? stronger : [...stronger, file]);
    return { ...resolved, files: file?.files ?? new Map() };
  };
  const { settings, givenBy, files } = await configure();
  host.json = (settings as Partial<SettingsOf<'get'>>).json ?? false;
  const { run } = await COMMANDS[name].load();
  const config = checked?.finding ?? null;
  const configureAgain = configFile ? configure : null;
  await run({ words: line.words, settings, givenBy, files, config, configureAgain, ...host });
}

async function readConfig(path: string): Promise<ConfigFile> {
  const { readConfigFile } = await import('../daemon/config-file.js');
  return readConfigFile(path);
}

/** For `doctor`, which a bad file does not keep from its other checks. */
async function checkConfig(path: string) {
  const doctor = await import('../daemon/doctor/config.js');
  return doctor.checkConfig(path);
}

/** What wins over the config file, strongest first: flags, environment. */
function strongerSources({ flags }: CommandLine, { output, env }: Host): Source[] {
  const environment = environmentSource(env);
  for (const variable of environment.unknown) {
    output.tell(`bugtorrent: warning: ${variable} is not a setting and is ignored`, 'yellow');
  }
  return [flags, environment.source];
}
