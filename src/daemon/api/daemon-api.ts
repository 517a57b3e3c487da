/** All of the API that a daemon serves. */
import { type Endpoint, routesOf } from '../../http/api/endpoint.js';
import { EventStreams } from '../../http/api/events.js';
import { fileBytesEndpoints } from '../../http/api/file-bytes.js';
import { filesEndpoints } from '../../http/api/files.js';
import { withOpenApi } from '../../http/api/openapi.js';
import { settingsEndpoints } from '../../http/api/settings.js';
import { statusEndpoints } from '../../http/api/status.js';
import { swarmEndpoints } from '../../http/api/swarm.js';
import { type Tokens, tokensEndpoints } from '../../http/api/tokens.js';
import type { Routes } from '../../http/http-listener.js';
import type { TrackerServer } from '../tracker-server.js';
import { DaemonFileBytes } from './file-bytes.js';
import { DaemonFiles } from './files.js';
import { DaemonSettings } from './settings.js';
import { DaemonStatus, type DaemonStatusInit } from './status.js';
import { DaemonSwarm } from './swarm.js';

interface DaemonApiInit extends DaemonStatusInit {
  readonly tokens: Tokens;
  /** That runs in the same process. */
  readonly tracker?: Pick<TrackerServer, 'neighbours'> | undefined;
}

export class DaemonApi {
  readonly routes: Routes;
  readonly #files: DaemonFiles;
  readonly #status: DaemonStatus;
  readonly #events: EventStreams;

  constructor({ tokens, tracker, ...init }: DaemonApiInit) {
    const { seedbox, version, clock } = init;
    const files = new DaemonFiles(seedbox);
    const status = new DaemonStatus(init);
    const source = {
      status: () => status.status(),
      find: files.find.bind(files),
      watch: seedbox.watch.bind(seedbox),
      moving: () => files.moving(),
    };
    this.#files = files;
    this.#status = status;
    this.#events = new EventStreams(source, clock);
    const endpoints: Endpoint[] = [
      ...statusEndpoints(status),
      ...filesEndpoints(files),
      ...fileBytesEndpoints(new DaemonFileBytes(seedbox)),
      ...swarmEndpoints(new DaemonSwarm(seedbox, tracker)),
      ...settingsEndpoints(new DaemonSettings(seedbox)),
      ...this.#events.endpoints,
      ...tokensEndpoints(tokens),
    ];
    this.routes = routesOf(withOpenApi(endpoints, version));
  }

  stop(): void {
    this.#events.stop();
    this.#files.stop();
    this.#status.stop();
  }
}
