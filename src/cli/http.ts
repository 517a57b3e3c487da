/** The HTTP listener beside a tracker or a daemon, as the settings want it. */
import { systemClock } from '../core/clock.js';
import { UsageError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { HttpServer, Served } from '../daemon/http-server.js';
import type { HttpAddress } from '../daemon/setting-kinds.js';
import type { SettingName } from '../daemon/settings.js';
import { formatHostPort, type HostPort } from '../model/address.js';
import { tokenOf } from './http-token.js';
import type { Output } from './output.js';
import { firstFree, listening, type Service } from './serve.js';
import { version } from './version.js';

export function isServed(http: HttpAddress | null): http is HostPort {
  return http !== null && http !== 'off';
}

/** Of the commands that have a listener. */
interface HttpInvocation {
  readonly settings: {
    readonly http: HttpAddress | null;
    readonly 'http-token': string | null;
    readonly 'http-token-file': string | null;
    readonly 'metrics-files'?: number | null;
    readonly share?: readonly string[];
    readonly downloads?: string | null;
  };
  givenBy(name: SettingName): string | null;
  readonly output: Output;
}

export interface HttpService {
  readonly server: HttpServer;
  /** Serves over HTTP what `service` is, for as long as it runs. Ends the service when that is not possible. */
  beside<T extends Service>(service: T, served: Served): Promise<T>;
}

/**
 * Null when there is to be none. Everything that is wrong with the settings is said here, before anything is started.
 * `stateDir`: where `http.json` goes.
 */
export async function openHttp(
  { settings, givenBy, output }: HttpInvocation,
  { stateDir, logger }: { readonly stateDir: string | null; readonly logger: Logger },
): Promise<HttpService | null> {
  const listen = settings.http;
  if (!isServed(listen)) return null;
  const token = await tokenOf(settings, givenBy);
  // Neither fastify nor prom-client is loaded by a command that has no listener.
  const { HttpServer: Server } = await import('../daemon/http-server.js');
  if (token === null && !Server.isForThisMachine(listen))
    throw tokenNeeded(listen, givenBy('http') ?? '--http');
  const folders = foldersOf(settings, stateDir);
  const metricsFiles = settings['metrics-files'] ?? null;
  const server = new Server({
    token,
    metricsFiles,
    stateDir,
    folders,
    version: version(),
    clock: systemClock,
    logger,
  });
  return {
    server,
    async beside(service, served) {
      try {
        const { host, port } = await startAt(listen, givenBy('http') !== null, (at) =>
          server.start(at, served),
        );
        output.print(`http listening on ${formatHostPort(host, port)}`);
      } catch (error) {
        await service.stop();
        throw error;
      }
      return {
        ...service,
        // Last of all: a service that takes its time to stop can be watched.
        stop: () => service.stop().finally(() => server.stop()),
      };
    },
  };
}

/** An address that nobody asked for gives way to whoever has it already. */
function startAt<T>(listen: HostPort, isAsked: boolean, start: (at: HostPort) => Promise<T>): Promise<T> {
  if (isAsked) return listening(listen, '--http', () => start(listen));
  return firstFree([listen, { ...listen, port: 0 }], start);
}

/** By names that say nothing of what is shared. */
function foldersOf(
  { share = [], downloads = null }: HttpInvocation['settings'],
  stateDir: string | null,
): Map<string, string> {
  const folders = new Map(share.map((path, i) => [`share-${i + 1}`, path]));
  if (downloads !== null) folders.set('downloads', downloads);
  if (stateDir !== null) folders.set('state', stateDir);
  return folders;
}

function tokenNeeded({ host, port }: HostPort, place: string): UsageError {
  return new UsageError(
    'TOKEN_NEEDED',
    `${place} ${formatHostPort(host, port)} can be reached from other machines, so requests have to bring a token: give one with --http-token-file FILE or BUGTORRENT_HTTP_TOKEN, or listen on 127.0.0.1`,
  );
}
